//! What the page makes of the nodes' answers.

use super::*;
use serde_json::json;

fn at(port: u16) -> NodeAddress {
    NodeAddress::parse(&format!("http://localhost:{port}")).unwrap()
}

/// Answers of node `n` (at port `n`), which knows `others` as up and has `peers`.
fn answers(n: u16, others: &[u16], peers: &[(&str, u16)]) -> Answers {
    let nodes: Vec<_> = others
        .iter()
        .map(|o| json!({ "nodeId": format!("node-{o}"), "u": format!("ws://localhost:{o}"), "state": "up" }))
        .collect();
    let peers: Vec<_> = peers
        .iter()
        .map(|(id, node)| json!({ "fullPeerId": id, "nodeId": format!("node-{node}"), "data": { "name": " Ada " } }))
        .collect();
    Answers {
        health: serde_json::from_value(json!({ "nodeId": format!("node-{n}") })).unwrap(),
        signaling: serde_json::from_value(json!({ "nodes": nodes })).unwrap(),
        peers: serde_json::from_value(json!({ "peers": peers })).unwrap(),
    }
}

fn mesh() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.add(at(1));
    mesh.answered(&at(1), answers(1, &[2, 3], &[("aa", 1), ("bb", 2)]));
    mesh.answered(&at(2), answers(2, &[1, 3], &[("aa", 2), ("bb", 2)]));
    mesh
}

fn standings(mesh: &Mesh) -> Vec<(String, Standing)> {
    mesh.nodes().into_iter().map(|n| (n.name, n.standing)).collect()
}

#[test]
fn nodes_lead_to_other_nodes() {
    let mesh = mesh();
    assert_eq!(mesh.addresses(), [at(1), at(2), at(3)]);
    // node-3 was never asked, but two nodes that answer vouch for it.
    let all = ["node-1", "node-2", "node-3"].map(|n| (n.to_owned(), Standing::Up));
    assert_eq!(standings(&mesh), all);
    assert_eq!(mesh.edges().len(), 3);
    assert!(mesh.edges().iter().all(|(_, _, alive)| *alive));
}

#[test]
fn a_node_that_answered_and_stops_is_down_at_once_when_refused() {
    let mut mesh = mesh();
    mesh.silent(&at(2), true);
    assert_eq!(mesh.standing(&at(2)), Standing::Down);
    let alive: Vec<_> = mesh.edges().into_iter().filter(|e| e.2).map(|e| (e.0, e.1)).collect();
    assert_eq!(alive, [("node-1".to_owned(), "node-3".to_owned())]);
    mesh.answered(&at(2), answers(2, &[], &[]));
    assert_eq!(mesh.standing(&at(2)), Standing::Up);
}

#[test]
fn a_slow_node_gets_more_chances() {
    let mut mesh = mesh();
    mesh.silent(&at(2), true);
    mesh.silent(&at(1), false);
    mesh.silent(&at(1), false);
    assert_eq!(mesh.standing(&at(1)), Standing::Up);
    mesh.silent(&at(1), false);
    assert_eq!(mesh.standing(&at(1)), Standing::Down);
}

#[test]
fn a_slow_node_is_up_while_another_says_so() {
    let mut mesh = mesh();
    (0..9).for_each(|_| mesh.silent(&at(1), false));
    assert_eq!(mesh.standing(&at(1)), Standing::Up);
}

#[test]
fn a_busy_page_believes_its_own_sessions() {
    let mut mesh = mesh();
    mesh.hold([at(2)]);
    for _ in 0..9 {
        [1, 2, 3].iter().for_each(|n| mesh.silent(&at(*n), false));
    }
    assert!(mesh.nodes().iter().all(|node| node.standing == Standing::Up), "node-2 vouches for the others");
    mesh.silent(&at(2), true);
    assert_eq!(mesh.standing(&at(2)), Standing::Down);
}

#[test]
fn one_node_at_two_addresses_is_drawn_once() {
    let mut mesh = mesh();
    let other = NodeAddress::parse("http://127.0.0.1:1").unwrap();
    mesh.add(other.clone());
    mesh.answered(&other, answers(1, &[2], &[]));
    assert_eq!(standings(&mesh).len(), 3);
}

#[test]
fn a_peer_at_two_nodes_is_one_dot() {
    let dots = mesh().dots();
    assert_eq!(dots.len(), 2);
    assert_eq!(dots[0].nodes, ["node-1", "node-2"]);
    assert_eq!(dots[0].name.as_deref(), Some("Ada"));
    assert_eq!(dots[1].nodes, ["node-2"]);
}

#[test]
fn peers_of_a_dead_node_are_not_believed() {
    let mut mesh = mesh();
    mesh.silent(&at(1), true);
    mesh.silent(&at(2), true);
    assert!(mesh.dots().is_empty());
}

#[test]
fn missing_fields_are_unknown_not_wrong() {
    let mut mesh = Mesh::default();
    mesh.add(at(1));
    mesh.answered(&at(1), Answers::default());
    assert_eq!(standings(&mesh), [("localhost:1".to_owned(), Standing::Up)]);
    assert!(mesh.dots().is_empty() && mesh.edges().is_empty());
}

#[test]
fn a_large_mesh_is_drawn_in_part() {
    let mut mesh = Mesh::default();
    (1..100).for_each(|n| mesh.add(at(n)));
    assert_eq!(mesh.addresses().len(), MOST_NODES);
}
