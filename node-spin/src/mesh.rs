//! The mesh as a serverless node keeps it: with each request that has to do with it, and with each
//! open stream, whoever is due is dialled. A node without requests does nothing, and is probed by
//! the others.

use futures_util::future::join_all;
use pigeonhub_node_core::{Errand, MeshChange};
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::mesh::{Meeting, PeerAnnouncement};

use crate::clock::{moment, now};
use crate::host::{Host, StoreError};

/// Announcements in one request.
const MOST: usize = 128;

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
                    Some(meeting) => mesh.met(url, meeting.clone(), at).unwrap_or_default(),
                    None => mesh.failed(url, at),
                })
                .await?;
            self.follow(changes).await?;
        }
        Ok(())
    }

    async fn meet(&self, url: &str) -> Option<Meeting> {
        let greeting = serde_json::to_string(&self.mesh.greeting(url, now())).ok()?;
        let body = self.post(url, "/api/meet", None, greeting, self.patience()).await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// What became of the mesh, and what follows.
    pub async fn follow(&mut self, changes: Vec<MeshChange>) -> Result<(), StoreError> {
        for change in changes {
            match change {
                MeshChange::Up(node) => self.introduce(&node).await?,
                MeshChange::Down(node) | MeshChange::Restarted(node) => {
                    self.store.node_lost(&node, now().plus(self.node.settings.hold)).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells a node that is up of every peer here.
    async fn introduce(&self, node: &NodeId) -> Result<(), StoreError> {
        let Some(url) = self.mesh.find(node).map(|contact| contact.url.clone()) else { return Ok(()) };
        let here = self.store.here().await?;
        for presences in here.chunks(MOST) {
            let announcement = |presence: &std::sync::Arc<pigeonhub_node_core::Presence>| PeerAnnouncement {
                peer_id: presence.peer,
                node_id: self.node.id.clone(),
                network_name: presence.network.clone(),
                data: presence.profile.clone(),
                lease: Some(self.node.settings.lease),
                tell: Vec::new(),
                refresh: false,
            };
            let body: Vec<_> = presences.iter().map(announcement).collect();
            let body = serde_json::to_string(&body).unwrap_or_default();
            if self.post(&url, "/api/announce-peer", Some(node), body, self.patience()).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Leases end and mail goes back, in all networks in which something is due.
    pub async fn sweep(&mut self) -> Result<(), StoreError> {
        let mut errands: Vec<Errand> = Vec::new();
        for network in self.store.due().await? {
            errands.append(&mut self.step(pigeonhub_node_core::Event::Passed(network)).await?.errands);
        }
        self.carry_out(errands).await
    }
}
