//! Two nodes cannot reach each other, and a third reaches both.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use pigeonhub_node_core::relay::Seal;
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::http_signature::{self, Request};
use pigeonhub_protocol::mesh::Relayed;
use pigeonhub_tests::http::{self, Answer};
use pigeonhub_tests::{Cable, PATIENCE, Program, TestNode, Transport, WirePeer, eventually, fresh_id, meet};
use reqwest::Method;
use serde_json::{Value, json};

/// Nodes `a` and `c`, which reach each other by cables, and `b`, which reaches both without.
struct Triangle {
    a: TestNode,
    b: TestNode,
    c: TestNode,
    to_a: Cable,
    to_c: Cable,
}

impl Triangle {
    async fn of(a: Program, b: Program, c: Program) -> Self {
        let (to_a, to_c) = (Cable::loose().await, Cable::loose().await);
        let a = TestNode::at(a, "a", &[], &to_a.url()).await;
        let c = TestNode::at(c, "c", &[], &to_c.url()).await;
        let b = TestNode::of(b, "b", &[&a, &c]).await;
        let triangle = Self { a, b, c, to_a, to_c };
        triangle.b.sees(2).await;
        triangle
    }

    async fn native() -> Self {
        Self::of(Program::Native, Program::Native, Program::Native).await
    }

    fn plug(&self) {
        self.to_a.plug(self.a.port);
        self.to_c.plug(self.c.port);
    }

    fn unplug(&self) {
        self.to_a.unplug();
        self.to_c.unplug();
    }

    /// Waits until both reach each other through this node, or directly.
    async fn reach_by(&self, via: Option<&str>) {
        reaches(&self.a, "c", via).await;
        reaches(&self.c, "a", via).await;
    }
}

async fn reaches(node: &TestNode, other: &str, via: Option<&str>) {
    let what = format!("{} reaches {other} by {via:?}", node.id);
    eventually(&what, PATIENCE, async || {
        let hubs = http::get(node.url("/hubs")).await.ok();
        let mut hubs = hubs["hubs"].as_array().unwrap().iter();
        let is_so = |hub: &Value| hub["state"] == "up" && hub["via"].as_str() == via;
        hubs.any(|hub| hub["nodeId"] == other && is_so(hub)).then_some(())
    })
    .await;
}

async fn talk(one: &mut WirePeer, other: &mut WirePeer, what: &str) {
    for number in 0..5 {
        one.offer(&other.id, &format!("{what} {number}")).await;
    }
    for number in 0..5 {
        let heard = other.expect("offer").await;
        assert_eq!(heard.json["data"]["sdp"], format!("v=0\r\n{what} {number}"));
    }
}

#[tokio::test]
async fn a_cut_between_two_nodes_is_bridged_by_a_third_and_nobody_notices() {
    let triangle = Triangle::native().await;
    triangle.plug();
    triangle.reach_by(None).await;
    let mut one = WirePeer::join(&triangle.a, "room").await;
    let mut other = WirePeer::join(&triangle.c, "room").await;
    meet(&mut one, &mut other).await;

    triangle.unplug();
    // Said into the cut.
    one.offer(&other.id, "at once").await;
    other.expect("offer").await;
    triangle.reach_by(Some("b")).await;
    talk(&mut one, &mut other, "there").await;
    talk(&mut other, &mut one, "and back").await;
    // Peers come and go as ever.
    let mut newcomer = WirePeer::join(&triangle.c, "room").await;
    meet(&mut one, &mut newcomer).await;
    newcomer.goodbye().await;
    for peer in [&mut one, &mut other] {
        peer.expect("goodbye").await;
        peer.expect("peer-disconnected").await;
    }

    triangle.plug();
    triangle.reach_by(None).await;
    talk(&mut one, &mut other, "directly").await;
    for peer in [&mut one, &mut other] {
        peer.fence().await;
        peer.assert_none("peer-disconnected");
        peer.assert_none("error");
    }
}

#[tokio::test]
async fn nodes_that_never_reached_each_other_serve_each_others_peers() {
    let triangle = Triangle::native().await;
    triangle.reach_by(Some("b")).await;
    let mut one = WirePeer::join(&triangle.a, "room").await;
    let mut other = WirePeer::join(&triangle.c, "room").await;
    meet(&mut one, &mut other).await;
    talk(&mut one, &mut other, "there").await;
    talk(&mut other, &mut one, "and back").await;
    triangle.plug();
    triangle.reach_by(None).await;
    talk(&mut one, &mut other, "directly").await;
}

#[tokio::test]
async fn without_the_third_node_they_are_apart() {
    let mut triangle = Triangle::native().await;
    triangle.reach_by(Some("b")).await;
    let mut one = WirePeer::join(&triangle.a, "room").await;
    let mut other = WirePeer::join(&triangle.c, "room").await;
    meet(&mut one, &mut other).await;
    triangle.b.kill();
    triangle.a.sees(0).await;
    one.expect("peer-disconnected").await;
    one.offer(&other.id, "anybody there?").await;
    one.expect_error("peer-unavailable").await;
    triangle.b.restart().await;
    triangle.reach_by(Some("b")).await;
    talk(&mut other, &mut one, "again").await;
}

#[tokio::test]
async fn a_serverless_node_is_a_bridge_like_any_other() {
    let triangle = Triangle::of(Program::Native, Program::spin(), Program::Native).await;
    triangle.reach_by(Some("b")).await;
    let mut one = WirePeer::join(&triangle.a, "room").await;
    let mut other = WirePeer::join(&triangle.c, "room").await;
    meet(&mut one, &mut other).await;
    talk(&mut one, &mut other, "there").await;
    talk(&mut other, &mut one, "and back").await;
}

/// As behind a firewall: `a` cannot be dialled by `c`, which it can dial.
#[tokio::test]
async fn a_cut_in_one_direction_is_bridged_in_that_direction() {
    for program in [Program::Native, Program::spin()] {
        let to_a = Cable::loose().await;
        let a = TestNode::at(Program::Native, "a", &[], &to_a.url()).await;
        let b = TestNode::start("b", &[&a], &[]).await;
        let c = TestNode::of(program, "c", &[&b]).await;
        let transport = if c.program.database().is_some() { Transport::Events } else { Transport::Socket };
        let mut other = WirePeer::join_by(transport, &c, "room").await;
        reaches(&c, "a", Some("b")).await;
        reaches(&a, "c", None).await;
        let mut one = WirePeer::join(&a, "room").await;
        meet(&mut one, &mut other).await;
        talk(&mut one, &mut other, "there").await;
        talk(&mut other, &mut one, "and back").await;
    }
}

/// Speaks as a node whose key it knows.
struct Speaker {
    key: SigningKey,
    id: NodeId,
}

impl Speaker {
    fn new(id: &str, key: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[key; 32]), id: id.parse().unwrap() }
    }

    fn wrap(&self, to: &str, path: &str, body: &Value) -> Relayed {
        let seal = Seal { key: &self.key, node: &self.id, secret: None };
        seal.wrap(&to.parse().unwrap(), path, body.to_string().as_bytes(), seconds(), &fresh_id()).unwrap()
    }

    async fn asks(&self, node: &TestNode, relayed: &Relayed) -> Answer {
        let body = serde_json::to_string(relayed).unwrap();
        let (authority, query) = (format!("127.0.0.1:{}", node.port), format!("?to={}", node.id));
        let request = Request {
            method: "POST",
            authority: &authority,
            path: "/api/relay",
            query: &query,
            body: body.as_bytes(),
        };
        let headers = http_signature::sign(&self.key, self.id.as_str(), &request, seconds(), &fresh_id());
        let request = http::request(Method::POST, node.url(&format!("/api/relay{query}")))
            .header("content-type", "application/json")
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body);
        http::send(request).await
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_node_passes_on_for_the_nodes_of_its_mesh_and_nothing_else() {
    let key = "07".repeat(32);
    for bridge in [Program::Native, Program::spin()] {
        let hub = TestNode::of(bridge, "hub", &[]).await;
        let _speaker = TestNode::start("b", &[&hub], &["--node-key", &key]).await;
        let target = TestNode::start("c", &[&hub], &[]).await;
        hub.sees(2).await;
        let (known, stranger) = (Speaker::new("b", 7), Speaker::new("x", 8));
        let leave = |node: &str| json!({"nodeId": node});
        let good = known.wrap("c", "/api/leave", &leave("b"));

        http::post(hub.url("/api/relay"), &serde_json::to_value(&good).unwrap())
            .await
            .assert_error(401, "unauthorized");
        let own = stranger.wrap("c", "/api/leave", &leave("x"));
        stranger.asks(&hub, &own).await.assert_error(401, "unauthorized");
        // What somebody else said, and what is for nodes that are not there, or not of the mesh.
        known.asks(&hub, &own).await.assert_error(403, "forbidden");
        for (path, to, status, code) in [
            ("/signaling/exchange", "c", 403, "forbidden"),
            ("/api/publish", "c", 403, "forbidden"),
            ("/api/relay", "c", 403, "forbidden"),
            ("/api/leave", "nobody", 502, "node-unreachable"),
            ("/api/leave", "hub", 403, "forbidden"),
        ] {
            let relayed = known.wrap(to, path, &leave("b"));
            known.asks(&hub, &relayed).await.assert_error(status, code);
        }
        // The target believes the sender only, and it once.
        let mut altered = known.wrap("c", "/api/leave", &leave("b"));
        altered.path = "/api/route-signal".into();
        assert_eq!(known.asks(&hub, &altered).await.ok()["status"], 401);
        target.sees(2).await;
        assert_eq!(known.asks(&hub, &good).await.ok()["status"], 200);
        assert_eq!(known.asks(&hub, &good).await.ok()["status"], 401);
    }
}
