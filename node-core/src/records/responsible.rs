//! Which nodes keep a topic: rendezvous hashing, so that a node that comes or goes moves only its own
//! share.

use alloc::vec::Vec;

use pigeonhub_protocol::NodeId;
use sha2::{Digest, Sha256};

/// How many nodes keep each topic. In a mesh of no more, all keep everything.
pub const REPLICAS: usize = 8;

/// The nodes among these that keep a topic, the same whoever asks.
#[must_use]
pub fn responsible(topic: &str, own: &NodeId, others: &[NodeId]) -> Vec<NodeId> {
    let mut nodes: Vec<&NodeId> = others.iter().chain([own]).collect();
    if nodes.len() > REPLICAS {
        nodes.sort_by_cached_key(|node| (score(topic, node), node.as_str().len()));
        nodes.truncate(REPLICAS);
    }
    nodes.into_iter().cloned().collect()
}

fn score(topic: &str, node: &NodeId) -> [u8; 8] {
    let mut hash = Sha256::new();
    // Topics come last: they alone may hold any character.
    hash.update(node.as_str());
    hash.update([0]);
    hash.update(topic);
    let hash = hash.finalize();
    core::array::from_fn(|index| hash[index])
}
