//! Finding: here, or at the nodes that keep the topic.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::str::FromStr;

use pigeonhub_protocol::{Code, Millis, Record, limit};

use super::{Archive, Colleagues, responsible};
use crate::rest::{self, RecordsQuery};

/// Where a record stands in a list: newest first, by id among those of the same time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub Reverse<Millis>, pub String);

impl Place {
    /// The place of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self(Reverse(record.timestamp), record.id())
    }

    /// As a cursor in a query.
    #[must_use]
    pub fn cursor(&self) -> String {
        format!("{}-{}", self.0.0.0, self.1)
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCursor;

impl FromStr for Place {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (time, id) = text.split_once('-').ok_or(NoCursor)?;
        let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let time = time.parse().map_err(|_| NoCursor)?;
        if is_id { Ok(Self(Reverse(Millis(time)), id.into())) } else { Err(NoCursor) }
    }
}

/// A page of a topic's live records: of each publisher and salt the one that counts.
///
/// # Errors
/// The archive's.
pub async fn find<A: Archive, C: Colleagues>(
    archive: &A,
    colleagues: &C,
    topic: &str,
    after: Option<&Place>,
    most: usize,
    now: Millis,
) -> Result<Vec<Record>, A::Error> {
    let here = archive.records_of(topic, after, most).await?;
    let nodes = responsible(topic, colleagues.own(), &colleagues.up());
    if nodes.contains(colleagues.own()) {
        return Ok(here);
    }
    // Published at a node that does not keep the topic, a record is here as well: it counts, too.
    let body = RecordsQuery::Topic { topic: topic.into(), cursor: after.map(Place::cursor), limit: most };
    let answers = colleagues.ask(&nodes, "/api/records", rest::json(&body)).await;
    let mut best: BTreeMap<String, Record> = BTreeMap::new();
    let theirs = answers.iter().flatten().flat_map(|answer| given(answer));
    let is_right = |record: &Record| {
        record.topic == topic && !record.deleted && record.expires_at() > now && record.check(now).is_ok()
    };
    for record in theirs.filter(is_right).chain(here) {
        let known = best.get(&record.id());
        if known.is_none_or(|known| known.rank() < record.rank()) {
            best.insert(record.id(), record);
        }
    }
    let mut found: Vec<_> = best.into_values().collect();
    found.retain(|record| after.is_none_or(|after| Place::of(record) > *after));
    found.sort_by_cached_key(Place::of);
    found.truncate(most);
    Ok(found)
}

/// What another node wants of what is here.
///
/// # Errors
/// The archive's. `Ok(Err(_))`: the cursor is none.
pub async fn wanted<A: Archive>(
    archive: &A,
    query: RecordsQuery,
) -> Result<Result<Vec<Record>, Code>, A::Error> {
    Ok(Ok(match query {
        RecordsQuery::Versions { versions } => archive.fetch_records(&versions).await?,
        RecordsQuery::Topic { topic, cursor, limit } => {
            let Ok(after) = cursor.map(|cursor| cursor.parse()).transpose() else {
                return Ok(Err(Code::InvalidRequest));
            };
            archive.records_of(&topic, after.as_ref(), limit.min(limit::BATCH)).await?
        }
    }))
}

/// The records of another node's answer. Nothing of it is checked yet.
#[must_use]
pub fn given(answer: &[u8]) -> Vec<Record> {
    serde_json::from_slice::<rest::Records>(answer).map(|answer| answer.records).unwrap_or_default()
}
