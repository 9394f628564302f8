//! Signed JSON: Ed25519 over the canonical text of a value, and words before it that say what it is.
//!
//! Every kind of statement has a domain of its own, so that no signature for one is good for another.

use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey};
use serde_json::Value;

use crate::canonical;
use crate::http_signature::decode_key;

/// The text that is signed: `domain`, then everything in `value` but the field that will hold the
/// signature.
#[must_use]
pub fn statement(value: &Value, domain: &str, field: &str) -> String {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove(field);
    }
    format!("{domain}{}", canonical(&value))
}

/// The signature of a statement, in base64.
#[must_use]
pub fn signature_of(key: &SigningKey, statement: &str) -> String {
    STANDARD.encode(key.sign(statement.as_bytes()).to_bytes())
}

/// Whether the holder of the public `key` (in base64) signed the statement.
#[must_use]
pub fn holds(statement: &str, key: &str, signature: &str) -> bool {
    let bytes = STANDARD.decode(signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    match (decode_key(key), bytes) {
        (Some(key), Some(bytes)) => {
            key.verify_strict(statement.as_bytes(), &Signature::from_bytes(&bytes)).is_ok()
        }
        _ => false,
    }
}
