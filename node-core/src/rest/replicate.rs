//! `POST /api/replicate`, `/api/records`, `/api/reconcile`: records between nodes.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::{Code, Record, limit};
use serde::{Deserialize, Serialize};

use super::{Reply, bodies};
use crate::records::{Difference, Digests, Kept};

/// Records on their way from one node to another.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Records {
    /// They.
    pub records: Vec<Record>,
}

impl Records {
    pub(super) fn read(body: &[u8]) -> Result<Self, Reply> {
        let records: Self = bodies::one(body)?;
        if records.records.len() > limit::BATCH {
            return Err(Reply::invalid("too many records in one request"));
        }
        Ok(records)
    }
}

/// Which records another node wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordsQuery {
    /// A page of a topic.
    Topic {
        /// The topic.
        topic: String,
        /// After this place.
        #[serde(default)]
        cursor: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// Those that are here of these.
    Versions {
        /// Their versions.
        versions: Vec<String>,
    },
}

impl RecordsQuery {
    pub(super) fn read(body: &[u8]) -> Result<Self, Reply> {
        match bodies::one(body)? {
            Self::Versions { versions } if versions.len() > limit::BATCH => {
                Err(Reply::invalid("too many versions in one request"))
            }
            query => Ok(query),
        }
    }
}

/// A body of [`Records`].
#[must_use]
pub fn replicas(records: &[Record]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        records: &'a [Record],
    }
    json(&Body { records })
}

/// A body between nodes. They have string keys and finite numbers only, so this cannot fail.
#[must_use]
pub fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
struct Replicated {
    success: bool,
    kept: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
}

#[derive(Serialize, Deserialize)]
struct Refused {
    id: String,
    code: Code,
}

/// What became of another node's records.
#[must_use]
pub fn replicated(records: &[Record], kept: &[Result<Kept, Code>]) -> Reply {
    let refused = records
        .iter()
        .zip(kept)
        .filter_map(|(record, kept)| kept.err().map(|code| Refused { id: record.id(), code }));
    let refused: Vec<_> = refused.collect();
    Reply::ok(&Replicated { success: refused.is_empty(), kept: kept.len() - refused.len(), refused })
}

/// Whether another node says that it keeps all that it was given.
#[must_use]
pub fn has_kept_all(answer: &[u8]) -> bool {
    serde_json::from_slice::<Replicated>(answer).is_ok_and(|answer| answer.success)
}

/// The answer to `POST /api/records`, no larger than an answer may be; what does not fit is asked for
/// again.
#[must_use]
pub fn records(mut records: Vec<Record>) -> Reply {
    let mut size = 0;
    records.retain(|record| {
        size += record.data.get().len() + 1024;
        size <= limit::MESSAGE - 1024
    });
    Reply::ok(&Records { records })
}

/// The answer to `POST /api/reconcile`.
#[must_use]
pub fn difference(difference: &Difference) -> Reply {
    Reply::ok(difference)
}

pub(super) fn digests(body: &[u8]) -> Result<Digests, Reply> {
    bodies::one(body)
}
