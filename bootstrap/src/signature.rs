//! Signatures of descriptors: Ed25519 over canonical JSON.

use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey};
use pigeonhub_protocol::Millis;
use pigeonhub_protocol::http_signature::{decode_key, encode_key};
use serde_json::Value;

use crate::{Refusal, canonical};

/// What is signed begins with this, so that no signature for something else is one of a descriptor.
const DOMAIN: &str = "pigeonhub-bootstrap-descriptor-v1\n";
/// A clock may be wrong by so many milliseconds.
pub const SKEW: u64 = 10 * 60 * 1000;
/// How many seconds a signed descriptor holds that does not say so: those of nodes are made anew long
/// before, those in DNS by hand.
pub const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Everything but `field`, as it is signed.
pub(crate) fn base(value: &Value, domain: &str, field: &str) -> String {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove(field);
    }
    format!("{domain}{}", canonical(&value))
}

/// Whether the holder of `key` signed `text`.
pub(crate) fn holds(text: &str, key: &str, signature: &str) -> bool {
    let bytes = STANDARD.decode(signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    match (decode_key(key), bytes) {
        (Some(key), Some(bytes)) => {
            key.verify_strict(text.as_bytes(), &Signature::from_bytes(&bytes)).is_ok()
        }
        _ => false,
    }
}

pub(crate) fn signature_of(key: &SigningKey, text: &str) -> String {
    STANDARD.encode(key.sign(text.as_bytes()).to_bytes())
}

/// Signs a descriptor: `publicKey`, `timestamp`, `expires` (in seconds) and `signature` are written
/// into it.
pub fn sign(descriptor: &mut Value, key: &SigningKey, now: Millis, expires: u64) {
    descriptor["publicKey"] = encode_key(&key.verifying_key()).into();
    descriptor["timestamp"] = now.0.into();
    descriptor["expires"] = expires.into();
    let text = base(descriptor, DOMAIN, "signature");
    descriptor["signature"] = signature_of(key, &text).into();
}

pub(crate) fn verify(descriptor: &Value, key: &str, signature: &str) -> Result<(), Refusal> {
    let text = base(descriptor, DOMAIN, "signature");
    if holds(&text, key, signature) { Ok(()) } else { Err(Refusal::Forged) }
}

pub(crate) fn in_time(timestamp: Millis, expires: Option<u64>, now: Millis) -> Result<(), Refusal> {
    let end = timestamp.0.saturating_add(expires.unwrap_or(LIFETIME).saturating_mul(1000));
    if timestamp.0 > now.0.saturating_add(SKEW) {
        Err(Refusal::Future)
    } else if now.0 > end {
        Err(Refusal::Expired)
    } else {
        Ok(())
    }
}
