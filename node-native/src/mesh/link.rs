//! The way to one node that can be reached: a queue and its worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pigeonhub_protocol::NodeId;

use super::Parcel;
use super::queue::Queue;
use crate::clock::now;
use crate::host::Host;
use crate::pace::Pace;

/// Requests of one node that are passed on to others per second, in bursts of five times as many.
const RELAYED: u32 = 100;

/// The way to a node, from its coming up to its going down.
#[derive(Debug)]
pub struct Link {
    /// No two links have the same, so that what happened to an old one does no harm to the next.
    pub id: u64,
    /// The node.
    pub node: NodeId,
    /// What waits for it.
    pub queue: Queue,
    /// How fast it may have its requests passed on to others.
    pub pace: Mutex<Pace>,
}

static LAST: AtomicU64 = AtomicU64::new(0);

impl Host {
    /// A node is up: it is told in which networks there are peers here, before anything else.
    pub(super) fn open_link(self: &Arc<Self>, node: &NodeId) {
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let pace = Mutex::new(Pace::of(RELAYED, now()));
        let link = Arc::new(Link { id, node: node.clone(), queue: Queue::default(), pace });
        // Whoever has something for the node from here on waits for the lock, and comes after.
        let mut queue = link.queue.start();
        let old = self.mesh.links.write().insert(node.clone(), Arc::clone(&link));
        for network in self.store.inhabited().flatten() {
            queue.push_first(Parcel::Interest(self.node.interest(network, true)));
        }
        drop(queue);
        if let Some(old) = old {
            self.give_back(&old);
        }
        tokio::spawn(Arc::clone(self).work(link));
    }

    /// A node is down, or has forgotten what it was told: its peers are away.
    pub(super) fn close_link(self: &Arc<Self>, node: &NodeId) {
        let link = self.mesh.links.write().remove(node);
        self.store.node_lost(node, self.node.absence(now()));
        if let Some(link) = link {
            self.give_back(&link);
        }
    }
}
