//! Records: in the same database as everything else, given to other nodes before the answer.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use pigeonhub_node_core::records::{self, Colleagues, GRACE, Seen, Watch};
use pigeonhub_node_core::rest::{self, FindQuery, Publication, RecordsQuery, Reply};
use pigeonhub_protocol::{NodeId, Record};

use crate::chores::Chore;
use crate::clock::{self, now, random};
use crate::host::{Host, StoreError};

impl Colleagues for Host {
    fn own(&self) -> &NodeId {
        &self.node.id
    }

    fn up(&self) -> Vec<NodeId> {
        self.mesh.up().map(|node| node.node_id.clone()).collect()
    }

    async fn ask(&self, nodes: &[NodeId], path: &'static str, body: Vec<u8>) -> Vec<Option<Vec<u8>>> {
        let end = self.patience();
        let posts = nodes.iter().map(async |node| self.post_to(node, path, body.clone(), end).await.ok());
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
        let end = self.patience();
        let post = async |node| {
            let answer = self.post_to(node, path, body.clone(), end).await;
            answer.is_ok_and(|answer| is_good(&answer))
        };
        let mut answers: FuturesUnordered<_> = nodes.iter().map(post).collect();
        let mut good = 0;
        while good < enough {
            let Some(is_good) = answers.next().await else { return good };
            good += usize::from(is_good);
        }
        let others = async {
            while let Some(is_good) = answers.next().await {
                good += usize::from(is_good);
            }
        };
        clock::within(GRACE, others).await;
        good
    }
}

impl Host {
    pub async fn publish(&self, publication: Publication) -> Result<Reply, StoreError> {
        let wanted = publication.wanted;
        let record = publication.record(&self.key, &self.node.id, now());
        Ok(match records::publish(&self.store, self, &record, wanted, now()).await? {
            Ok(stored) => rest::published(&self.node.id, &record, stored),
            Err(code) => Reply::refuse(code),
        })
    }

    pub async fn find(&self, query: &FindQuery) -> Result<Reply, StoreError> {
        let found = self.look_for(query).await?;
        Ok(rest::found(&self.node.id, query, &found, now()))
    }

    /// What is new to a watcher.
    pub async fn look(&self, query: &FindQuery, watch: &mut Watch) -> Result<Vec<Seen>, StoreError> {
        Ok(watch.look(self.look_for(query).await?))
    }

    async fn look_for(&self, query: &FindQuery) -> Result<Vec<Record>, StoreError> {
        let after = query.cursor.as_ref();
        records::find(&self.store, self, &query.topic, after, query.limit, now()).await
    }

    /// Another node gives records.
    pub async fn replicate(&self, given: &[Record]) -> Result<Reply, StoreError> {
        Ok(rest::replicated(given, &records::replicate(&self.store, given, now()).await?))
    }

    /// Another node wants records.
    pub async fn records(&self, query: RecordsQuery) -> Result<Reply, StoreError> {
        Ok(match records::wanted(&self.store, query).await? {
            Ok(found) => rest::records(found),
            Err(code) => Reply::refuse(code),
        })
    }

    /// Another node compares.
    pub async fn compared(&self, node: &NodeId, theirs: &records::Digests) -> Result<Reply, StoreError> {
        Ok(rest::difference(&records::answer(&self.store, self, node, theirs).await?))
    }

    /// Compares with a node that has just come up.
    pub async fn reconcile(&self, node: &NodeId) -> Result<(), StoreError> {
        records::reconcile(&self.store, self, node, now()).await.map(drop)
    }

    /// Compares with some node, if that was not done of late.
    pub async fn keep_records(&mut self) -> Result<(), StoreError> {
        let nodes = self.up();
        if nodes.is_empty() || !self.takes(Chore::Compare).await? {
            return Ok(());
        }
        let dice = usize::from(u16::from_le_bytes(random()));
        self.reconcile(&nodes[dice % nodes.len()]).await
    }
}
