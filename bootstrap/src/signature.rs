//! Signatures of descriptors: Ed25519 over canonical JSON.

use ed25519_dalek::SigningKey;
use pigeonhub_protocol::Millis;
use pigeonhub_protocol::http_signature::encode_key;
use pigeonhub_protocol::limit::SKEW;
use pigeonhub_protocol::signed_json::{holds, signature_of, statement};
use serde_json::Value;

use crate::Refusal;

/// What is signed begins with this, so that no signature for something else is one of a descriptor.
const DOMAIN: &str = "pigeonhub-bootstrap-descriptor-v1\n";
/// How many seconds a signed descriptor holds that does not say so: those of nodes are made anew long
/// before, those in DNS by hand.
pub const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Signs a descriptor: `publicKey`, `timestamp`, `expires` (in seconds) and `signature` are written
/// into it.
pub fn sign(descriptor: &mut Value, key: &SigningKey, now: Millis, expires: u64) {
    descriptor["publicKey"] = encode_key(&key.verifying_key()).into();
    descriptor["timestamp"] = now.0.into();
    descriptor["expires"] = expires.into();
    let text = statement(descriptor, DOMAIN, "signature");
    descriptor["signature"] = signature_of(key, &text).into();
}

pub(crate) fn verify(descriptor: &Value, key: &str, signature: &str) -> Result<(), Refusal> {
    let text = statement(descriptor, DOMAIN, "signature");
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
