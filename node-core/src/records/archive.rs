//! Where records are kept, and the others who keep some.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use pigeonhub_protocol::{Code, Millis, NodeId, Record};

use super::Place;

/// How much is kept at most. When one of these is reached new records are refused: whoever publishes
/// hears of it, and nobody can push out what others published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live records of one topic.
    pub per_topic: usize,
    /// Live records of one publisher; nodes that publish on behalf of others are exempt.
    pub per_publisher: usize,
    /// Records in all, and marks of those that were replaced.
    pub in_all: usize,
    /// Bytes in all.
    pub bytes: usize,
}

impl Limits {
    /// Of a node that nobody told otherwise.
    pub const USUAL: Self =
        Self { per_topic: 256, per_publisher: 256, in_all: 10_000, bytes: 64 * 1024 * 1024 };
}

/// How long nodes are waited for that nobody needs to wait for: longer than those take that are well.
pub const GRACE: Duration = Duration::from_millis(500);

/// What became of a record that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was not here before.
    New,
    /// It was here already.
    Known,
}

/// Where records are kept. Whoever calls [`Archive::keep_record`] has checked the record.
#[allow(async_fn_in_trait, reason = "hosts call it with a concrete type, so they know if it is Send")]
pub trait Archive {
    /// Why it cannot do it now.
    type Error;
    /// Keeps a record, unless one of a higher rank is known ([`Code::RecordStale`]) or there is no
    /// room ([`Code::QuotaExceeded`]). When this returns, the record outlives a crash of the host.
    async fn keep_record(&self, record: &Record) -> Result<Result<Kept, Code>, Self::Error>;
    /// Live records of a topic in the order of their [`Place`], after one of them.
    async fn records_of(
        &self,
        topic: &str,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Vec<Record>, Self::Error>;
    /// Topic and version of all that is here, to be compared with other nodes.
    async fn record_versions(&self) -> Result<Vec<(String, String)>, Self::Error>;
    /// Those of these versions that are here.
    async fn fetch_records(&self, versions: &[String]) -> Result<Vec<Record>, Self::Error>;
}

/// The other nodes, as one of them asks them: signed, and bounded in time.
#[allow(async_fn_in_trait, reason = "hosts call it with a concrete type, so they know if it is Send")]
pub trait Colleagues {
    /// This node.
    fn own(&self) -> &NodeId;
    /// Those that can be reached.
    fn up(&self) -> Vec<NodeId>;
    /// Posts the same body to all of these at once. Gives what each answered, if it was a 200.
    async fn ask(&self, nodes: &[NodeId], path: &'static str, body: Vec<u8>) -> Vec<Option<Vec<u8>>>;
    /// Posts the same, and counts the answers that are good. Once there are enough, the other nodes have
    /// [`GRACE`] to be counted as well; what they are given goes on to them all the same, where the host
    /// outlives its answer.
    async fn gather(
        &self,
        nodes: &[NodeId],
        path: &'static str,
        body: Vec<u8>,
        is_good: fn(&[u8]) -> bool,
        enough: usize,
    ) -> usize;
}

/// Checks and keeps records that another node gave. What is wrong with one does the others no harm.
///
/// # Errors
/// The archive's.
pub async fn replicate<A: Archive>(
    archive: &A,
    records: &[Record],
    now: Millis,
) -> Result<Vec<Result<Kept, Code>>, A::Error> {
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        kept.push(match record.check(now) {
            Ok(()) => archive.keep_record(record).await?,
            Err(code) => Err(code),
        });
    }
    Ok(kept)
}
