//! Two nodes compare what they hold, and give each other what the other lacks: after one was away, and
//! now and then, so that nothing stays lost that any of the responsible nodes has.
//!
//! Only what both are responsible for is compared, by sums over 256 heaps; of heaps that differ the
//! versions are listed. What a node holds without being responsible it offers.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::slice;

use pigeonhub_protocol::{Millis, NodeId, Record, limit};
use serde::{Deserialize, Serialize};

use super::{Archive, Colleagues, given, replicate, responsible};
use crate::rest::{self, RecordsQuery};

/// Heaps, by the first byte of the version.
const HEAPS: usize = 256;
/// Records that are asked for at a time.
const AT_A_TIME: usize = 64;
/// Bytes of records that are given at a time, about.
const BYTES: usize = limit::MESSAGE / 2;

/// What one node holds, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// For each heap the sum of what is in it, as 16 hexadecimal digits; empty if nothing is.
    pub digests: Vec<String>,
    /// Versions that the speaker holds but need not.
    #[serde(default)]
    pub offers: Vec<String>,
}

/// What the other node says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The heaps that differ.
    pub heaps: Vec<u8>,
    /// Versions that it holds in them.
    pub versions: Vec<String>,
    /// What it takes of the offers.
    pub wanted: Vec<String>,
}

/// What one of two nodes holds, as it is compared.
struct Holding {
    /// Both are responsible.
    shared: Vec<String>,
    /// Only the other one is.
    guests: Vec<String>,
    /// Only this one is, or neither.
    rest: Vec<String>,
}

impl Holding {
    async fn of<A: Archive, C: Colleagues>(archive: &A, us: &C, other: &NodeId) -> Result<Self, A::Error> {
        let (own, up) = (us.own(), us.up());
        let mut holding = Self { shared: Vec::new(), guests: Vec::new(), rest: Vec::new() };
        for (topic, version) in archive.record_versions().await? {
            let nodes = responsible(&topic, own, &up);
            let heap = match (nodes.contains(own), nodes.contains(other)) {
                (true, true) => &mut holding.shared,
                (false, true) => &mut holding.guests,
                (_, false) => &mut holding.rest,
            };
            heap.push(version);
        }
        Ok(holding)
    }

    fn digests(&self) -> Vec<String> {
        let mut sums = [0u64; HEAPS];
        for version in &self.shared {
            // What follows the heap's own digits.
            let rest = version.get(2..18).and_then(|digits| u64::from_str_radix(digits, 16).ok());
            sums[usize::from(heap(version))] ^= rest.unwrap_or_default();
        }
        sums.iter().map(|sum| if *sum == 0 { String::new() } else { format!("{sum:016x}") }).collect()
    }
}

fn heap(version: &str) -> u8 {
    version.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// What is answered to another node's digests.
///
/// # Errors
/// The archive's.
pub async fn answer<A: Archive, C: Colleagues>(
    archive: &A,
    us: &C,
    other: &NodeId,
    theirs: &Digests,
) -> Result<Difference, A::Error> {
    let holding = Holding::of(archive, us, other).await?;
    let ours = holding.digests();
    let differs = |index: &u8| theirs.digests.get(usize::from(*index)) != ours.get(usize::from(*index));
    let heaps: Vec<u8> = (0..=u8::MAX).filter(differs).collect();
    let held: BTreeSet<&String> = holding.shared.iter().chain(&holding.rest).collect();
    let wanted = theirs.offers.iter().filter(|offer| !held.contains(offer)).cloned().collect();
    let versions = holding.shared.iter().filter(|version| heaps.contains(&heap(version)));
    Ok(Difference { versions: versions.cloned().collect(), heaps, wanted })
}

/// Compares with one node. Gives how many records came, and how many went.
///
/// # Errors
/// The archive's. A node that does not answer is no error.
pub async fn reconcile<A: Archive, C: Colleagues>(
    archive: &A,
    us: &C,
    other: &NodeId,
    now: Millis,
) -> Result<(usize, usize), A::Error> {
    let holding = Holding::of(archive, us, other).await?;
    let question = Digests { digests: holding.digests(), offers: holding.guests.clone() };
    let Some(difference) = ask::<_, Difference>(us, other, "/api/reconcile", &question).await else {
        return Ok((0, 0));
    };
    let theirs: BTreeSet<&String> = difference.versions.iter().collect();
    let ours: BTreeSet<&String> = holding.shared.iter().collect();
    let mut lacking: BTreeSet<String> = theirs.difference(&ours).map(|version| (*version).clone()).collect();
    let mut came = 0;
    while !lacking.is_empty() {
        let versions = lacking.iter().take(AT_A_TIME).cloned().collect();
        let answer = post(us, other, "/api/records", &RecordsQuery::Versions { versions }).await;
        let records = answer.map(|answer| given(&answer)).unwrap_or_default();
        // Not all may fit into one answer; what is gone meanwhile comes in none.
        let before = lacking.len();
        for record in &records {
            lacking.remove(&record.version());
        }
        if lacking.len() == before {
            break;
        }
        came += replicate(archive, &records, now).await?.iter().filter(|kept| kept.is_ok()).count();
    }
    let in_heaps = ours.iter().filter(|version| difference.heaps.contains(&heap(version)));
    let missing = in_heaps.filter(|version| !theirs.contains(**version)).map(|version| (*version).clone());
    let guests = difference.wanted.into_iter().filter(|version| holding.guests.contains(version));
    let missing: Vec<String> = missing.chain(guests).collect();
    let went = give(archive, us, other, &missing).await?;
    Ok((came, went))
}

async fn give<A: Archive, C: Colleagues>(
    archive: &A,
    us: &C,
    other: &NodeId,
    versions: &[String],
) -> Result<usize, A::Error> {
    let mut went = 0;
    for versions in versions.chunks(AT_A_TIME) {
        let mut records = archive.fetch_records(versions).await?;
        while !records.is_empty() {
            let mut size = 0;
            let fits = |record: &&Record| {
                size += record.data.get().len() + 1024;
                size <= BYTES
            };
            // One always fits: no record is nearly as large.
            let count = records.iter().take_while(fits).count().max(1);
            let portion: Vec<_> = records.drain(..count).collect();
            let body = rest::replicas(&portion);
            if post_body(us, other, "/api/replicate", body).await.is_none() {
                return Ok(went);
            }
            went += count;
        }
    }
    Ok(went)
}

async fn post<C: Colleagues>(
    us: &C,
    other: &NodeId,
    path: &'static str,
    body: &impl Serialize,
) -> Option<Vec<u8>> {
    post_body(us, other, path, rest::json(body)).await
}

async fn post_body<C: Colleagues>(
    us: &C,
    other: &NodeId,
    path: &'static str,
    body: Vec<u8>,
) -> Option<Vec<u8>> {
    us.ask(slice::from_ref(other), path, body).await.pop().flatten()
}

async fn ask<C: Colleagues, T: for<'a> Deserialize<'a>>(
    us: &C,
    other: &NodeId,
    path: &'static str,
    body: &impl Serialize,
) -> Option<T> {
    serde_json::from_slice(&post(us, other, path, body).await?).ok()
}

impl Default for Digests {
    /// Of nothing at all.
    fn default() -> Self {
        Self { digests: vec![String::new(); HEAPS], offers: Vec::new() }
    }
}
