//! Records: what peers publish under a topic, kept for a time.

use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;
use pigeonhub_protocol::{Code, Millis, NodeId, RawJson};
use serde::{Deserialize, Serialize};

/// Records of one topic at most.
pub const PER_TOPIC: usize = 256;
/// Records in all at most.
pub const IN_ALL: usize = 10_000;
/// Bytes in all at most.
pub const BYTES: usize = 64 * 1024 * 1024;

/// What was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// `<nodeId>-<ms>-<random>`.
    pub id: String,
    /// Under what it is found.
    pub topic: String,
    /// What it says.
    pub data: RawJson,
    /// The node at which it was published.
    pub node_id: NodeId,
    /// When.
    pub timestamp: Millis,
    /// Until when it is found.
    pub expires_at: Millis,
    /// It came from another node.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub replicated: bool,
}

impl Record {
    /// Bytes that it occupies, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.id.len() + self.topic.len() + self.data.get().len() + 128
    }
}

/// The records of a node, in memory, bounded by [`PER_TOPIC`], [`IN_ALL`] and [`BYTES`]. When one of
/// these is reached, new records are refused: whoever publishes hears of it, and nobody can push
/// out what others published.
#[derive(Debug, Default)]
pub struct Records {
    topics: HashMap<String, Vec<Record>>,
    count: usize,
    bytes: usize,
}

impl Records {
    /// Keeps a record; one with the same id and topic is replaced. One that is over already is not
    /// kept, and that is no error.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the topic or the node is full.
    pub fn keep(&mut self, record: Record, now: Millis) -> Result<(), Code> {
        let siblings = self.topics.entry_ref(&record.topic).or_default();
        let replaced = siblings.iter().position(|other| other.id == record.id);
        let over = |other: &Record| other.expires_at <= now;
        let full = self.count >= IN_ALL || siblings.iter().filter(|other| !over(other)).count() >= PER_TOPIC;
        let freed = replaced.map_or(0, |index| siblings[index].size());
        if (full && replaced.is_none()) || self.bytes - freed + record.size() > BYTES {
            return Err(Code::Unavailable);
        }
        if let Some(index) = replaced {
            self.bytes -= siblings.remove(index).size();
            self.count -= 1;
        }
        if !over(&record) {
            self.bytes += record.size();
            self.count += 1;
            siblings.push(record);
        }
        Ok(())
    }

    /// The records of a topic, newest first.
    #[must_use]
    pub fn find(&self, topic: &str, now: Millis) -> Vec<&Record> {
        let records = self.topics.get(topic).into_iter().flatten();
        let mut found: Vec<_> = records.filter(|record| record.expires_at > now).collect();
        found.sort_by_key(|record| core::cmp::Reverse(record.timestamp));
        found
    }

    /// Drops what is over.
    pub fn sweep(&mut self, now: Millis) {
        self.topics.retain(|_, records| {
            records.retain(|record| record.expires_at > now);
            !records.is_empty()
        });
        let all = || self.topics.values().flatten();
        (self.count, self.bytes) = (all().count(), all().map(Record::size).sum());
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}
