//! `POST /api/publish`, `GET /api/find/{topic}`, `POST /api/replicate`.

use alloc::format;
use alloc::string::String;

use pigeonhub_protocol::{Code, Millis, Moment, NodeId, RawJson, limit};
use serde::{Deserialize, Serialize};

use super::{Reply, bodies, iso_8601};
use crate::Record;

/// Seconds that a record is found if nobody says how long.
const USUAL_TTL: u64 = 300;
/// Seconds that a record is found at most.
const LONGEST_TTL: u64 = 24 * 60 * 60;

/// What is to be published.
#[derive(Clone, Debug, Deserialize)]
pub struct Publication {
    /// Under what it is to be found.
    #[serde(default)]
    pub topic: String,
    /// What it says.
    #[serde(default)]
    pub data: RawJson,
    /// For how many seconds.
    #[serde(default)]
    pub ttl: Option<f64>,
}

impl Publication {
    pub(super) fn read(body: &[u8]) -> Result<Self, Reply> {
        let publication: Self = bodies::one(body)?;
        check(&publication.topic, &publication.data)?;
        if publication.ttl.is_some_and(|ttl| ttl.is_nan() || ttl <= 0.0) {
            return Err(Reply::invalid("ttl is a positive number of seconds"));
        }
        Ok(publication)
    }

    /// The record that is published at this node.
    #[must_use]
    pub fn record(self, node: &NodeId, at: Moment) -> Record {
        let ttl = self.ttl.map_or(USUAL_TTL * 1000, |seconds| (seconds * 1000.0) as u64);
        Record {
            id: format!("{node}-{}-{:09x}", at.now.0, at.seed >> 28),
            topic: self.topic,
            data: self.data,
            node_id: node.clone(),
            timestamp: at.now,
            expires_at: at.now.plus(ttl.min(LONGEST_TTL * 1000)),
            replicated: false,
        }
    }
}

/// A record on its way to another node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// Its topic.
    #[serde(default)]
    pub topic: String,
    /// What it says.
    #[serde(default)]
    pub data: RawJson,
    /// The node at which it was published, which speaks.
    pub from_node: NodeId,
    /// Its id.
    pub record_id: String,
    /// When it was published.
    #[serde(default)]
    pub timestamp: Option<Millis>,
    /// Until when it is found.
    #[serde(default)]
    pub expires_at: Option<Millis>,
}

impl Replica {
    /// The replica of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            topic: record.topic.clone(),
            data: record.data.clone(),
            from_node: record.node_id.clone(),
            record_id: record.id.clone(),
            timestamp: Some(record.timestamp),
            expires_at: Some(record.expires_at),
        }
    }

    pub(super) fn read(body: &[u8]) -> Result<Self, Reply> {
        let replica: Self = bodies::one(body)?;
        check(&replica.topic, &replica.data)?;
        if replica.record_id.is_empty() || replica.record_id.len() > 2 * limit::NODE_ID {
            return Err(Reply::invalid("recordId is missing or too long"));
        }
        Ok(replica)
    }

    /// The record as it is kept here.
    #[must_use]
    pub fn record(self, now: Millis) -> Record {
        let expires_at = self.expires_at.unwrap_or(now.plus(USUAL_TTL * 1000));
        Record {
            id: self.record_id,
            topic: self.topic,
            data: self.data,
            node_id: self.from_node,
            timestamp: self.timestamp.unwrap_or(now),
            expires_at: expires_at.min(now.plus(LONGEST_TTL * 1000)),
            replicated: true,
        }
    }
}

/// Existing nodes refuse data that is falsy in JavaScript.
fn check(topic: &str, data: &RawJson) -> Result<(), Reply> {
    if !(1..=limit::TOPIC).contains(&topic.len()) {
        return Err(Reply::invalid("topic is missing or too long"));
    }
    if matches!(data.get(), "null" | "false" | "0" | "-0" | r#""""#) {
        return Err(Reply::invalid("data is missing"));
    }
    if data.get().len() > limit::RECORD {
        return Err(Reply::refuse_saying(Code::MessageTooLarge, "data is larger than the limit"));
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Published<'a> {
    success: bool,
    topic: &'a str,
    record_id: &'a str,
    node_id: &'a NodeId,
    method: &'static str,
    replicated_to: usize,
    total_nodes: usize,
    expires_at: Millis,
}

/// A record is kept here, and by `replicated_to` of the `other_nodes` that are up.
#[must_use]
pub fn published(record: &Record, replicated_to: usize, other_nodes: usize) -> Reply {
    Reply::ok(&Published {
        success: true,
        topic: &record.topic,
        record_id: &record.id,
        node_id: &record.node_id,
        method: "http-replication",
        replicated_to,
        total_nodes: other_nodes + 1,
        expires_at: record.expires_at,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replicated<'a> {
    success: bool,
    topic: &'a str,
    record_id: &'a str,
    node_id: &'a NodeId,
}

/// A replica is kept here.
#[must_use]
pub fn replicated(node: &NodeId, topic: &str, record_id: &str) -> Reply {
    Reply::ok(&Replicated { success: true, topic, record_id, node_id: node })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    topic: &'a str,
    count: usize,
    records: &'a [&'a Record],
    node_id: &'a NodeId,
    source: &'static str,
    timestamp: String,
}

/// What was found under a topic.
#[must_use]
pub fn found(node: &NodeId, topic: &str, records: &[&Record], now: Millis) -> Reply {
    Reply::ok(&Found {
        topic,
        count: records.len(),
        records,
        node_id: node,
        source: "local-dht",
        timestamp: iso_8601(now),
    })
}
