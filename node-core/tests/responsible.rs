//! Which nodes keep a topic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use pigeonhub_node_core::records::{REPLICAS, responsible};
use pigeonhub_protocol::NodeId;

fn nodes(count: usize) -> Vec<NodeId> {
    (0..count).map(|number| format!("node-{number}").parse().unwrap()).collect()
}

/// The nodes that keep a topic, as the one at `index` sees it.
fn keepers(topic: &str, nodes: &[NodeId], index: usize) -> BTreeSet<NodeId> {
    let mut others = nodes.to_vec();
    let own = others.remove(index);
    others.reverse();
    responsible(topic, &own, &others).into_iter().collect()
}

#[test]
fn in_a_small_mesh_all_keep_everything() {
    let nodes = nodes(REPLICAS);
    assert_eq!(keepers("t", &nodes, 0).len(), REPLICAS);
}

#[test]
fn all_nodes_name_the_same() {
    let nodes = nodes(20);
    for topic in ["a", "b", "", "a topic/é"] {
        let first = keepers(topic, &nodes, 0);
        assert_eq!(first.len(), REPLICAS);
        (1..20).for_each(|index| assert_eq!(keepers(topic, &nodes, index), first));
    }
}

#[test]
fn a_node_that_goes_moves_its_own_share_only() {
    let (all, less) = (nodes(20), nodes(19));
    let gone = &all[19];
    let topics: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for topic in &topics {
        let (before, after) = (keepers(topic, &all, 0), keepers(topic, &less, 0));
        let stayed = before.intersection(&after).count();
        assert_eq!(stayed, REPLICAS - usize::from(before.contains(gone)), "{topic}");
    }
    // And everybody has a share: 200 topics, 8 of 20 nodes each, are 80 for each node.
    for node in &all {
        let share = topics.iter().filter(|topic| keepers(topic, &all, 0).contains(node)).count();
        assert!((50..110).contains(&share), "{node}: {share}");
    }
}
