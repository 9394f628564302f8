//! `POST /api/publish`, `GET /api/find/{topic}`, `GET /api/watch/{topic}`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::{Code, Millis, NodeId, RawJson, Record, limit};
use serde::{Deserialize, Serialize};

use super::{Reply, bodies, iso_8601, query};
use crate::records::{Place, Seen, Stored, Wanted, on_behalf};

/// Seconds that a record is found if nobody says how long.
const USUAL_TTL: f64 = 300.0;
/// Records on one page at most, and if nobody says how many.
const PAGE: usize = 256;

/// What is to be published, and by how many nodes it has to be kept.
#[derive(Clone, Debug)]
pub struct Publication {
    /// `w`
    pub wanted: Wanted,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Signed(Record),
    Unsigned { topic: String, data: RawJson, ttl: u64 },
}

#[derive(Deserialize)]
struct Common {
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    w: Wanted,
}

#[derive(Deserialize)]
struct Unsigned {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    data: RawJson,
    #[serde(default)]
    ttl: Option<f64>,
}

impl Publication {
    pub(super) fn read(body: &[u8]) -> Result<Self, Reply> {
        let Common { signature, w: wanted } = bodies::one(body)?;
        let what = if signature.is_some() {
            let record: Record = bodies::one(body)?;
            // Only a node signs for others, and it does not publish here.
            if record.node_id.is_some() {
                return Err(Reply::invalid("nodeId is for nodes"));
            }
            What::Signed(record)
        } else {
            let Unsigned { topic, data, ttl } = bodies::one(body)?;
            check(&topic, &data)?;
            let ttl = ttl.unwrap_or(USUAL_TTL);
            if ttl.is_nan() || ttl <= 0.0 {
                return Err(Reply::invalid("ttl is a positive number of seconds"));
            }
            What::Unsigned { topic, data, ttl: whole_seconds(ttl) }
        };
        Ok(Self { wanted, what })
    }

    /// The record, signed by its publisher; or by this node, if nobody signed it.
    #[must_use]
    pub fn record(self, key: &SigningKey, node: &NodeId, now: Millis) -> Record {
        match self.what {
            What::Signed(record) => record,
            What::Unsigned { topic, data, ttl } => on_behalf(key, node, topic, data, ttl, now),
        }
    }
}

/// Up to the next whole second, and not too many.
fn whole_seconds(ttl: f64) -> u64 {
    // As large a number as there is, if it does not fit.
    let whole = ttl as u64;
    whole.saturating_add(u64::from(whole as f64 != ttl)).clamp(1, limit::TTL)
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
    record_id: String,
    seq: u64,
    node_id: &'a NodeId,
    method: &'static str,
    /// Nodes that keep it.
    stored: usize,
    replicated_to: usize,
    total_nodes: usize,
    expires_at: Millis,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TooFew {
    error: &'static str,
    code: Code,
    record_id: String,
    stored: usize,
    wanted: usize,
}

/// What is said to the publisher.
#[must_use]
pub fn published(node: &NodeId, record: &Record, stored: Stored) -> Reply {
    let Stored { by, of, wanted } = stored;
    let record_id = record.id();
    if by < wanted {
        let code = Code::NotReplicated;
        return Reply::refuse_with(code, &TooFew { error: code.text(), code, record_id, stored: by, wanted });
    }
    Reply::ok(&Published {
        success: true,
        topic: &record.topic,
        record_id,
        seq: record.seq,
        node_id: node,
        method: "http-replication",
        stored: by,
        replicated_to: by - 1,
        total_nodes: of,
        expires_at: record.expires_at(),
    })
}

/// Which records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindQuery {
    /// Of this topic.
    pub topic: String,
    /// After this one.
    pub cursor: Option<Place>,
    /// At most so many.
    pub limit: usize,
    /// Of what this node and its mesh have; not from a DHT. Said by nodes that look there themselves.
    pub here: bool,
}

impl FindQuery {
    /// The first page of a topic.
    #[must_use]
    pub const fn first(topic: String) -> Self {
        Self { topic, cursor: None, limit: PAGE, here: false }
    }

    pub(super) fn read(topic: String, text: &str) -> Result<Self, Reply> {
        let cursor = query::parameter(text, "cursor").map(|cursor| cursor.parse()).transpose();
        let cursor = cursor.map_err(|_| Reply::invalid("cursor is not one that find gave"))?;
        let limit = query::parameter(text, "limit").map_or(Ok(PAGE), |limit| limit.parse());
        let limit = limit.map_err(|_| Reply::invalid("limit is no number"))?;
        let here = query::parameter(text, "here").is_some();
        Ok(Self { topic, cursor, limit: limit.clamp(1, PAGE), here })
    }
}

/// A record as it is shown. What is signed is in `record`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: String,
    #[serde(flatten)]
    record: &'a Record,
    expires_at: Millis,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    replicated: bool,
}

impl<'a> Shown<'a> {
    fn at(node: &NodeId, record: &'a Record) -> Self {
        let replicated = record.node_id.as_ref().is_some_and(|origin| origin != node);
        Self { id: record.id(), record, expires_at: record.expires_at(), replicated }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    topic: &'a str,
    count: usize,
    records: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    node_id: &'a NodeId,
    source: &'static str,
    timestamp: String,
}

/// What was found.
#[must_use]
pub fn found(node: &NodeId, query: &FindQuery, records: &[Record], now: Millis) -> Reply {
    let is_full = records.len() == query.limit;
    Reply::ok(&Found {
        topic: &query.topic,
        count: records.len(),
        records: records.iter().map(|record| Shown::at(node, record)).collect(),
        next: records.last().filter(|_| is_full).map(|last| Place::of(last).cursor()),
        node_id: node,
        source: "local-dht",
        timestamp: iso_8601(now),
    })
}

/// What a watcher is told: the name of a server-sent event, and its data.
#[must_use]
pub fn seen(node: &NodeId, seen: &Seen) -> (&'static str, String) {
    #[derive(Serialize)]
    struct Gone<'a> {
        id: &'a str,
    }
    match seen {
        Seen::Record(record) => ("record", Reply::ok(&Shown::at(node, record)).body),
        Seen::Gone(id) => ("gone", Reply::ok(&Gone { id }).body),
    }
}

/// One server-sent event, whole.
#[must_use]
pub fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
