//! The other nodes: who they are, and the ways to them.

mod auth;
mod courier;
mod dial;
mod errands;
mod link;
mod queue;
mod relay;
mod traveller;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard, RwLock};
use pigeonhub_node_core::{Membership, MeshChange};
use pigeonhub_protocol::NodeId;
use tokio::sync::Semaphore;

pub use self::auth::{Gate, signed};
pub use self::courier::Courier;
use self::link::Link;
use self::traveller::Traveller;
use crate::host::Host;

/// Strangers whose descriptor is fetched at the same time, at most.
const STRANGERS: usize = 8;
/// Requests of other nodes that are passed on at the same time, at most.
const RELAYS: usize = 64;

/// One thing for another node.
type Parcel = pigeonhub_node_core::Parcel<Traveller>;
/// Several of a kind.
type Batch = pigeonhub_node_core::Batch<Traveller>;

/// What the node knows of its mesh.
#[derive(Debug)]
pub struct Mesh {
    /// Never locked while a link, a queue or a shard is.
    membership: Mutex<Membership>,
    /// The ways to the nodes that can be reached.
    links: RwLock<HashMap<NodeId, Arc<Link>>>,
    /// Brings requests to other nodes.
    pub courier: Courier,
    /// Checks requests of other nodes.
    pub gate: Gate,
    strangers: Semaphore,
    relays: Semaphore,
}

impl Mesh {
    /// A mesh of which nobody was reached yet.
    pub fn new(membership: Membership, courier: Courier, gate: Gate) -> Self {
        Self {
            membership: Mutex::new(membership),
            links: RwLock::default(),
            courier,
            gate,
            strangers: Semaphore::new(STRANGERS),
            relays: Semaphore::new(RELAYS),
        }
    }

    /// The nodes as the core sees them.
    pub fn membership(&self) -> MutexGuard<'_, Membership> {
        self.membership.lock()
    }

    /// The nodes that can be reached.
    pub fn up(&self) -> Vec<NodeId> {
        self.links.read().keys().cloned().collect()
    }

    /// Whether everything that was for other nodes was brought.
    pub fn is_idle(&self) -> bool {
        self.links.read().values().all(|link| link.queue.is_idle())
    }

    fn link(&self, node: &NodeId) -> Option<Arc<Link>> {
        self.links.read().get(node).cloned()
    }

    fn links(&self) -> Vec<Arc<Link>> {
        self.links.read().values().cloned().collect()
    }
}

impl Host {
    /// Changes the membership, and does what follows from it. The lock is held for both, so that
    /// what follows is done in the order in which it happened.
    pub(crate) fn mesh_changes<E>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Membership) -> Result<Vec<MeshChange>, E>,
    ) -> Result<(), E> {
        let mut membership = self.mesh.membership.lock();
        let changes = change(&mut membership)?;
        for change in &changes {
            match change {
                MeshChange::Up(node) => {
                    let contact = membership.find(node);
                    let url = contact.map(|contact| contact.url.as_str()).unwrap_or_default();
                    let via = contact.and_then(|contact| contact.via.as_ref()).map(NodeId::as_str);
                    tracing::info!(%node, url, via, "node is up");
                    self.open_link(node);
                    tokio::spawn(Arc::clone(self).reconcile(node.clone()));
                }
                MeshChange::Down(node) => {
                    tracing::info!(%node, "node is down");
                    self.close_link(node);
                }
                MeshChange::Restarted(node) => {
                    tracing::info!(%node, "node starts anew");
                    self.close_link(node);
                }
            }
        }
        if !changes.is_empty() {
            self.store.set_nodes(self.mesh.up());
        }
        Ok(())
    }

    /// The same, for changes that are always possible.
    pub(crate) fn mesh_moves(self: &Arc<Self>, change: impl FnOnce(&mut Membership) -> Vec<MeshChange>) {
        let result: Result<(), std::convert::Infallible> = self.mesh_changes(|mesh| Ok(change(mesh)));
        let Ok(()) = result;
    }

    /// News for the node were lost: it has to be told everything anew.
    pub(crate) fn link_lost(self: &Arc<Self>, link: &Link) {
        let at = self.clock.moment();
        // Unless that happened meanwhile.
        if self.mesh.link(&link.node).is_some_and(|current| current.id == link.id) {
            self.mesh_moves(|mesh| mesh.lost(&link.node, at));
        }
    }
}
