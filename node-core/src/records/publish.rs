//! Publishing: first here, then at the other nodes that are responsible.

use alloc::format;
use alloc::string::String;

use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::{Code, Millis, NodeId, RawJson, Record};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Archive, Colleagues, responsible};
use crate::rest;

/// By how many nodes a record has to be kept before its publisher is told that it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// By this one; the others are asked all the same.
    #[default]
    One,
    /// By so many.
    Number(usize),
    /// By more than half of those that are responsible and can be reached.
    Majority(Majority),
}

/// The word `majority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Majority {
    /// It.
    Majority,
}

/// Who keeps a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// So many nodes, this one included.
    pub by: usize,
    /// Of so many that were asked, this one included.
    pub of: usize,
    /// So many were wanted.
    pub wanted: usize,
}

/// The record that a node signs for somebody who does not sign: `ttl` is in seconds. Whoever publishes
/// the same once more under the same topic prolongs it; anything else stands beside it.
#[must_use]
pub fn on_behalf(
    key: &SigningKey,
    node: &NodeId,
    topic: String,
    data: RawJson,
    ttl: u64,
    now: Millis,
) -> Record {
    let salt = Sha256::digest(data.get());
    let salt = salt[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let unsigned = Record::unsigned(topic, data, now.0, ttl, now);
    Record { salt, node_id: Some(node.clone()), ..unsigned }.signed(key)
}

/// Publishes a record. `Ok(Err(_))`: it was refused here, and nobody was asked.
///
/// # Errors
/// The archive's.
pub async fn publish<A: Archive, C: Colleagues>(
    archive: &A,
    colleagues: &C,
    record: &Record,
    wanted: Wanted,
    now: Millis,
) -> Result<Result<Stored, Code>, A::Error> {
    let is_over = || if record.expires_at() <= now { Err(Code::RecordExpired) } else { Ok(()) };
    if let Err(code) = record.check(now).and_then(|()| is_over()) {
        return Ok(Err(code));
    }
    if let Err(code) = archive.keep_record(record).await? {
        return Ok(Err(code));
    }
    let mut nodes = responsible(&record.topic, colleagues.own(), &colleagues.up());
    nodes.retain(|node| node != colleagues.own());
    let of = 1 + nodes.len();
    let wanted = match wanted {
        Wanted::One => 1,
        Wanted::Number(number) => number,
        Wanted::Majority(_) => of / 2 + 1,
    };
    // A node that hangs delays nobody who does not want it.
    let (body, enough) = (rest::replicas(core::slice::from_ref(record)), wanted.saturating_sub(1));
    let others = colleagues.gather(&nodes, "/api/replicate", body, rest::has_kept_all, enough).await;
    Ok(Ok(Stored { by: 1 + others, of, wanted }))
}
