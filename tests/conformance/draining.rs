//! Nodes that are told to end: nobody is let in, nothing is lost, and everybody knows where to go.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use pigeonhub_protocol::Close;
use pigeonhub_tests::{Mesh, PATIENCE, StalledPeer, TestNode, WirePeer, eventually, fresh_id, http, meet};
use reqwest::Method;
use serde_json::json;

/// Nodes `a`, `b` and `c`; somebody at `a` and `c` who wants to reach somebody who was lost at `b`, so
/// that a signal waits at `a`.
struct Waiting {
    mesh: Mesh,
    at_a: WirePeer,
    at_c: WirePeer,
    lost: String,
}

impl Waiting {
    async fn with(more: &[&str]) -> Self {
        let mesh = Mesh::with(3, more).await;
        let mut at_a = WirePeer::join(&mesh.nodes[0], "room").await;
        let mut at_c = WirePeer::join_as(&mesh.nodes[2], "room", &at_a.id).await;
        let mut lost = WirePeer::join(&mesh.nodes[1], "room").await;
        meet(&mut at_a, &mut lost).await;
        at_c.expect_peer(&lost.id).await;
        let id = lost.id.clone();
        lost.lose();
        mesh.nodes[0].knows("room", 1).await;
        at_a.offer(&id, "wait for me").await;
        at_a.fence().await;
        at_a.assert_none("error");
        Self { mesh, at_a, at_c, lost: id }
    }

    async fn drain(&self) {
        drain(&self.mesh.nodes[0]).await;
    }
}

async fn drain(node: &TestNode) {
    node.terminate();
    eventually("it drains", PATIENCE, async || {
        let health = http::get(node.url("/health")).await;
        (health.status == 503).then(|| assert_eq!(health.json()["status"], "draining"))
    })
    .await;
}

#[tokio::test]
async fn a_node_that_drains_lets_nobody_in_and_names_others() {
    let mut waiting = Waiting::with(&[]).await;
    waiting.drain().await;
    let others: Vec<_> = waiting.mesh.nodes[1..].iter().map(TestNode::ws).collect();
    let closed = waiting.at_a.closed().await;
    let url = format!("{}/?peerId={}", waiting.mesh.nodes[0].ws(), fresh_id());
    let newcomer = WirePeer::open(&url).await.closed().await;
    for closed in [closed, newcomer] {
        assert_eq!(closed.code, 1012);
        let mut hints: Vec<_> = Close::hints(&closed.reason).collect();
        hints.sort_unstable();
        let mut others: Vec<_> = others.iter().map(String::as_str).collect();
        others.sort_unstable();
        assert_eq!(hints, others, "{closed:?}");
    }
    let exchange = http::request(Method::POST, waiting.mesh.nodes[0].url("/signaling/exchange"));
    let refused = http::send(exchange.json(&json!({"peerId": fresh_id()}))).await;
    refused.assert_error(503, "draining");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["nodes"].as_array().unwrap().len(), others.len());

    // What waited in vain comes back to its sender, where that is now.
    let error = waiting.at_c.expect_error("peer-unavailable").await;
    assert_eq!(error.json["targetPeerId"], waiting.lost);
    assert!(waiting.mesh.nodes[0].ended().await.success());
}

#[tokio::test]
async fn what_waits_follows_its_target_to_where_it_turns_up() {
    let mut waiting = Waiting::with(&["--drain-timeout", "60000"]).await;
    waiting.drain().await;
    let mut back = WirePeer::join_as(&waiting.mesh.nodes[2], "room", &waiting.lost).await;
    back.expect("offer").await;
    // Then there is nothing left to do.
    assert!(waiting.mesh.nodes[0].ended().await.success());
    waiting.at_c.fence().await;
    waiting.at_c.assert_none("error");
}

/// Somebody at `b`, and somebody at `c` and at `a` who takes no note of it that `a` goes.
#[tokio::test]
async fn what_another_node_brings_goes_to_another_home_of_its_target_while_a_node_drains() {
    let mesh = Mesh::of(3).await;
    let mut sender = WirePeer::join(&mesh.nodes[1], "room").await;
    let StalledPeer { id: target, socket: _open } = StalledPeer::join(&mesh.nodes[0], "room").await;
    sender.expect_peer(&target).await;
    let mut at_c = WirePeer::join_as(&mesh.nodes[2], "room", &target).await;
    meet(&mut at_c, &mut sender).await;
    drain(&mesh.nodes[0]).await;
    sender.offer(&target, "where are you?").await;
    at_c.expect("offer").await;
    sender.fence().await;
    sender.assert_none("error");
}

#[tokio::test]
async fn told_twice_a_node_ends_at_once() {
    let mut waiting = Waiting::with(&["--drain-timeout", "600000"]).await;
    waiting.drain().await;
    waiting.mesh.nodes[0].terminate();
    assert!(waiting.mesh.nodes[0].ended().await.success());
}

/// A client that is on two nodes.
struct Client {
    id: String,
    on: Vec<(usize, WirePeer)>,
    before: Vec<WirePeer>,
}

impl Client {
    async fn join(mesh: &Mesh, nodes: [usize; 2]) -> Self {
        let id = fresh_id();
        let mut on = Vec::new();
        for node in nodes {
            on.push((node, WirePeer::join_as(&mesh.nodes[node], "room", &id).await));
        }
        Self { id, on, before: Vec::new() }
    }

    /// Goes from a node that ends to one that it names.
    async fn leave(&mut self, mesh: &Mesh, node: usize) {
        let Some(place) = self.on.iter().position(|(on, _)| *on == node) else { return };
        let (_, mut wire) = self.on.remove(place);
        let closed = wire.closed().await;
        assert_eq!(closed.code, 1012);
        self.before.push(wire);
        let hinted = |other: &usize| Close::hints(&closed.reason).any(|url| url == mesh.nodes[*other].ws());
        let is_new = |other: &usize| self.on.iter().all(|(on, _)| on != other);
        let other = (0..mesh.nodes.len()).find(|other| is_new(other) && hinted(other)).expect("a hint");
        self.on.push((other, WirePeer::join_as(&mesh.nodes[other], "room", &self.id).await));
    }
}

/// These say something to everybody else, on each of their sockets that takes it.
async fn chatter(clients: &mut [Client], who: Range<usize>, said: &mut BTreeMap<String, bool>) {
    let ids: Vec<_> = clients.iter().map(|client| client.id.clone()).collect();
    for client in &mut clients[who] {
        for to in ids.iter().filter(|id| **id != client.id) {
            for (_, wire) in &mut client.on {
                let id = fresh_id();
                let frame = json!({
                    "type": "ice-candidate", "targetPeerId": to, "id": id, "networkName": "room",
                    "data": {"candidate": id},
                });
                if wire.try_send_text(&frame.to_string()).await {
                    said.insert(id, false);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_rolling_restart_under_traffic_loses_no_message() {
    let mut mesh = Mesh::of(3).await;
    let (mut clients, mut said) = (Vec::new(), BTreeMap::new());
    for number in 0..6 {
        clients.push(Client::join(&mesh, [number % 3, (number + 1) % 3]).await);
    }
    for node in &mesh.nodes {
        node.knows("room", clients.len()).await;
    }
    let all = 0..clients.len();
    for node in 0..3 {
        chatter(&mut clients, all.clone(), &mut said).await;
        mesh.nodes[node].terminate();
        chatter(&mut clients, all.clone(), &mut said).await;
        for client in all.clone() {
            clients[client].leave(&mesh, node).await;
            chatter(&mut clients, client..client + 1, &mut said).await;
        }
        chatter(&mut clients, all.clone(), &mut said).await;
        assert!(mesh.nodes[node].ended().await.success());
        chatter(&mut clients, all.clone(), &mut said).await;
        mesh.nodes[node].restart().await;
        mesh.whole().await;
    }
    let begin = Instant::now();
    while said.values().any(|has_arrived| !has_arrived) {
        let open: Vec<_> = said.iter().filter(|(_, has_arrived)| !**has_arrived).map(|(id, _)| id).collect();
        assert!(begin.elapsed() < PATIENCE, "{} of {} are lost: {open:?}", open.len(), said.len());
        for client in &mut clients {
            for (_, wire) in &mut client.on {
                wire.fence().await;
            }
            for wire in client.on.iter_mut().map(|(_, wire)| wire).chain(&mut client.before) {
                let errors = wire.take("error");
                assert!(errors.is_empty(), "its target only moved: {}", errors[0].text);
                for heard in wire.take("ice-candidate") {
                    let id = heard.json["id"].as_str().expect("the id that it was given");
                    *said.get_mut(id).expect("somebody said it") = true;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
