//! The mesh as a serverless node keeps it: with each request that has to do with it, and with each
//! open stream, whoever is due is dialled. A node without requests does nothing, and is probed by
//! the others.

use futures_util::future::join_all;
use pigeonhub_node_core::{Batch, Errand, MeshChange, Parcel};
use pigeonhub_protocol::mesh::Meeting;
use pigeonhub_protocol::{NodeId, Signal};

use crate::chores::Chore;
use crate::clock::{moment, now};
use crate::host::{Host, StoreError};

impl Host {
    /// Dials whoever is due.
    pub async fn keep_mesh(&mut self) -> Result<(), StoreError> {
        if !self.mesh.contacts().iter().any(|contact| contact.next_try <= now()) {
            return Ok(());
        }
        // Of requests at the same moment, one gets a URL and dials it.
        let due = self.change_mesh(|mesh| mesh.due(now())).await?;
        let meetings = due.iter().map(|url| self.meet(url));
        let met = join_all(meetings).await;
        for (url, meeting) in due.iter().zip(met) {
            let at = moment();
            let changes = self
                .change_mesh(|mesh| match &meeting {
                    Some((None, meeting)) => mesh.met(url, meeting.clone(), at).unwrap_or_default(),
                    Some((Some(relay), meeting)) => {
                        let met = mesh.met_via(url, relay, meeting.clone(), at);
                        met.unwrap_or_else(|_| mesh.failed(url, at))
                    }
                    None => mesh.failed(url, at),
                })
                .await?;
            self.follow(changes).await?;
        }
        Ok(())
    }

    /// Meets the node at a URL, if need be through another one; and that one.
    async fn meet(&self, url: &str) -> Option<(Option<NodeId>, Meeting)> {
        let greeting = self.mesh.greeting(url, now());
        let body = serde_json::to_vec(&greeting).ok()?;
        let answer = self.post(url, "/api/meet", None, body, self.patience()).await.ok();
        let met = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
        if let Some(meeting) = met {
            return Some((None, meeting));
        }
        self.meet_around(url, &greeting).await.map(|(relay, meeting)| (Some(relay), meeting))
    }

    /// What became of the mesh, and what follows.
    pub async fn follow(&mut self, changes: Vec<MeshChange>) -> Result<(), StoreError> {
        for change in changes {
            match change {
                MeshChange::Up(node) => {
                    self.greet(&node).await?;
                    self.reconcile(&node).await?;
                }
                MeshChange::Down(node) | MeshChange::Restarted(node) => {
                    self.store.node_lost(&node, self.node.absence(now())).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells a node that is up in which networks there are peers here.
    async fn greet(&self, node: &NodeId) -> Result<(), StoreError> {
        let networks = self.store.inhabited().await?.into_iter();
        let interest = |network| Parcel::<Signal>::Interest(self.node.interest(network, true));
        let mut parcels = networks.map(interest).collect();
        while let Some(batch) = Batch::take(&mut parcels) {
            if self.post_to(node, batch.path, batch.body(), self.patience()).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Leases end and mail goes back, in all networks in which something is due. Of requests at the
    /// same moment one takes care of it, or what is over is told twice.
    pub async fn sweep(&mut self) -> Result<(), StoreError> {
        if !self.takes(Chore::Sweep).await? {
            return Ok(());
        }
        self.store.at(now());
        self.store.forget_once().await?;
        let mut errands: Vec<Errand> = Vec::new();
        for network in self.store.due().await? {
            errands.append(&mut self.step(pigeonhub_node_core::Event::Passed(network)).await?.errands);
        }
        self.carry_out(errands).await
    }
}
