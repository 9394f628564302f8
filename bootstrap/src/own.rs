//! What a node says of itself, signed.

use ed25519_dalek::SigningKey;
use pigeonhub_protocol::Millis;
use pigeonhub_protocol::mesh::NodeDescriptor;

use crate::sign;

/// For how many seconds it holds …
pub const EXPIRES: u64 = 24 * 60 * 60;
/// … and after how many milliseconds it is made anew.
const RENEW: u64 = 6 * 60 * 60 * 1000;

/// The descriptor of a node, signed now.
#[must_use]
pub fn signed(node: &NodeDescriptor, key: &SigningKey, now: Millis) -> NodeDescriptor {
    let mut json = serde_json::to_value(node).unwrap_or_default();
    sign(&mut json, key, now, EXPIRES);
    // What was a descriptor is one with a signature, so this cannot fail.
    serde_json::from_value(json).unwrap_or_else(|_| node.clone())
}

/// Whether a node's descriptor need not be signed anew; also after the clock was set back.
#[must_use]
pub fn is_fresh(node: &NodeDescriptor, now: Millis) -> bool {
    node.more.contains_key("signature") && node.timestamp <= now && now.since(node.timestamp) < RENEW
}
