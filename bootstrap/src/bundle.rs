//! The seed bundle of existing nodes, `/.well-known/peerpigeon.json`: one signature for a whole list.

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use pigeonhub_protocol::Millis;
use pigeonhub_protocol::http_signature::encode_key;
use pigeonhub_protocol::signed_json::{holds, signature_of, statement};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signature::in_time;
use crate::{Check, Found, Invalid, Refusal, Trust};

#[derive(Deserialize)]
struct Bundle {
    v: u32,
    app: String,
    ts: u64,
    expires: u64,
    seeds: Vec<Value>,
    pk: String,
    sig: String,
}

/// Writes a bundle of these URLs; `expires` is in seconds.
#[must_use]
pub fn seed_bundle(key: &SigningKey, app: &str, urls: &[String], now: Millis, expires: u64) -> Value {
    let seed = |url: &String| json!({ "t": url.split(':').next().unwrap_or_default(), "u": url });
    let mut bundle = json!({
        "v": 1,
        "app": app,
        "ts": now.0,
        "expires": expires,
        "seeds": urls.iter().map(seed).collect::<Vec<_>>(),
        "pk": encode_key(&key.verifying_key()),
    });
    bundle["sig"] = signature_of(key, &statement(&bundle, "", "sig")).into();
    bundle
}

/// Reads a bundle. If keys are pinned it must be of one of them.
pub(crate) fn read(value: &Value, check: &Check<'_>, found: &mut Found) -> Result<(), Refusal> {
    let bundle = Bundle::deserialize(value).map_err(|_| Invalid::Form)?;
    if bundle.v != 1 {
        return Err(Invalid::Form.into());
    }
    if bundle.app != check.app {
        return Err(Refusal::OtherApp);
    }
    if !holds(&statement(value, "", "sig"), &bundle.pk, &bundle.sig) {
        return Err(Refusal::Forged);
    }
    in_time(Millis(bundle.ts), Some(bundle.expires), check.now)?;
    let pinned = check.pins.contains(&bundle.pk);
    if !pinned && !check.pins.is_empty() {
        return Err(Refusal::UnknownKey);
    }
    // Whose the key is nobody knows unless it is pinned. A seed that bears a signature of its node is not
    // taken without a look at it: the pool goes by its time to tell what is a replay.
    let trust = if pinned { Trust::Project } else { Trust::Discovered };
    found.add_all(&bundle.seeds, check, |seed| Ok(seed.verify(&[], check.now)?.min(trust)));
    Ok(())
}
