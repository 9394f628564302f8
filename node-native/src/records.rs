//! Records: kept in SQLite, found and published over HTTP, compared with other nodes.

mod archive;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pigeonhub_node_core::records::{self, Colleagues, GRACE, Wanted};
use pigeonhub_node_core::rest::{self, FindQuery, Publication, RecordsQuery, Reply};
use pigeonhub_protocol::{Code, NodeId, Record};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

pub use self::archive::{ArchiveError, SqliteArchive};
use crate::clock::{now, wall};
use crate::dht::FRESH;
use crate::host::Host;
use crate::pace::Verdict;

/// How long other nodes have for one request about records.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long somebody waits for the DHT of whom nothing is found otherwise.
const DHT_PATIENCE: Duration = Duration::from_millis(1500);
/// How often what is over is swept.
const SWEEP: Duration = Duration::from_secs(10);
/// Each so many sweeps one of the other nodes is compared with.
const COMPARE: u32 = 6;

/// The other nodes, as this one asks them about records.
struct Others<'a>(&'a Arc<Host>);

impl Colleagues for Others<'_> {
    fn own(&self) -> &NodeId {
        &self.0.node.id
    }

    fn up(&self) -> Vec<NodeId> {
        self.0.mesh.up()
    }

    async fn ask(&self, nodes: &[NodeId], path: &'static str, body: Vec<u8>) -> Vec<Option<Vec<u8>>> {
        let body = bytes::Bytes::from(body);
        let posts = nodes
            .iter()
            .map(async |node| timeout(PATIENCE, self.0.post_to(node, path, body.clone())).await.ok()?.ok());
        join_all(posts).await
    }

    async fn gather(
        &self,
        nodes: &[NodeId],
        path: &'static str,
        body: Vec<u8>,
        is_good: fn(&[u8]) -> bool,
        enough: usize,
    ) -> usize {
        let body = bytes::Bytes::from(body);
        let (says, mut answers) = unbounded_channel();
        for node in nodes {
            let (host, node, body, says) = (Arc::clone(self.0), node.clone(), body.clone(), says.clone());
            // It goes on when nobody waits for it any more.
            tokio::spawn(async move {
                let answer = timeout(PATIENCE, host.post_to(&node, path, body)).await;
                let _ = says.send(answer.is_ok_and(|answer| answer.is_ok_and(|answer| is_good(&answer))));
            });
        }
        drop(says);
        let mut good = 0;
        while good < enough {
            let Some(is_good) = answers.recv().await else { return good };
            good += usize::from(is_good);
        }
        let others = async {
            while let Some(is_good) = answers.recv().await {
                good += usize::from(is_good);
            }
        };
        let _ = timeout(GRACE, others).await;
        good
    }
}

impl Host {
    pub(crate) async fn publish(self: &Arc<Self>, publication: Publication) -> Reply {
        // Before the signature is checked and the disk waited for: both are what a flood would cost.
        let verdict = self.publishing.lock().as_mut().map_or(Verdict::Pass, |pace| pace.count(now()));
        if verdict != Verdict::Pass {
            return Reply::refuse(Code::RateLimited);
        }
        let wanted: Wanted = publication.wanted;
        let record = publication.record(self.mesh.courier.key(), &self.node.id, wall());
        match records::publish(&self.archive, &Others(self), &record, wanted, wall()).await {
            Ok(Ok(stored)) => {
                self.post_record(&record);
                rest::published(&self.node.id, &record, stored)
            }
            Ok(Err(code)) => Reply::refuse(code),
            Err(error) => unavailable(&error),
        }
    }

    /// What is here or in the mesh; where there is nothing, what the DHT has, if that answers soon.
    pub(crate) async fn find(self: &Arc<Self>, query: &FindQuery) -> Reply {
        let lookup = if query.here { None } else { self.look_in_dht(&query.topic, FRESH) };
        let mut found = self.look_for(query).await;
        let is_empty = query.cursor.is_none() && found.as_ref().is_ok_and(Vec::is_empty);
        if let Some(mut lookup) = lookup.filter(|_| is_empty) {
            // What is found later is there for who asks again.
            let _ = timeout(DHT_PATIENCE, lookup.wait_for(|is_over| *is_over)).await;
            found = self.look_for(query).await;
        }
        match found {
            Ok(found) => rest::found(&self.node.id, query, &found, wall()),
            Err(error) => unavailable(&error),
        }
    }

    async fn look_for(self: &Arc<Self>, query: &FindQuery) -> Result<Vec<Record>, ArchiveError> {
        let after = query.cursor.as_ref();
        records::find(&self.archive, &Others(self), &query.topic, after, query.limit, wall()).await
    }

    /// Another node gives records.
    pub(crate) async fn replicate(&self, given: &[Record]) -> Reply {
        match records::replicate(&self.archive, given, wall()).await {
            Ok(kept) => rest::replicated(given, &kept),
            Err(error) => unavailable(&error),
        }
    }

    /// Another node wants records.
    pub(crate) async fn records(&self, query: RecordsQuery) -> Reply {
        match records::wanted(&self.archive, query).await {
            Ok(Ok(found)) => rest::records(found),
            Ok(Err(code)) => Reply::refuse(code),
            Err(error) => unavailable(&error),
        }
    }

    /// Another node compares.
    pub(crate) async fn compared(self: &Arc<Self>, node: &NodeId, theirs: &records::Digests) -> Reply {
        match records::answer(&self.archive, &Others(self), node, theirs).await {
            Ok(difference) => rest::difference(&difference),
            Err(error) => unavailable(&error),
        }
    }

    /// Compares with another node, which has just come up, or whose turn it is.
    pub(crate) async fn reconcile(self: Arc<Self>, node: NodeId) {
        match records::reconcile(&self.archive, &Others(&self), &node, wall()).await {
            Ok((0, 0)) => {}
            Ok((came, went)) => tracing::info!(%node, came, went, "records reconciled"),
            Err(error) => tracing::warn!(%error, "records cannot be reconciled"),
        }
    }

    /// Sweeps, and compares with the other nodes in turn, until the node stops.
    pub(crate) async fn keep_records(self: Arc<Self>) {
        for tick in 0u32.. {
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = self.stopped() => return,
            }
            if let Err(error) = self.archive.sweep().await {
                tracing::warn!(%error, "records cannot be swept");
            }
            let mut nodes = self.mesh.up();
            if tick % COMPARE == 0 && !nodes.is_empty() {
                nodes.sort();
                let turn = (tick / COMPARE) as usize % nodes.len();
                Arc::clone(&self).reconcile(nodes.swap_remove(turn)).await;
            }
        }
    }
}

/// The refusal of what the database cannot do now, and a line for the operator.
fn unavailable(error: &ArchiveError) -> Reply {
    tracing::error!(%error, "records");
    Reply::refuse(Code::Unavailable)
}
