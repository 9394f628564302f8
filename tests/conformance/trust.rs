//! What nodes say to each other is proven; who is no node has no say.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use pigeonhub_protocol::http_signature::{self, Request};
use pigeonhub_protocol::{Millis, Record, raw_json};
use pigeonhub_tests::http::{self, Answer};
use pigeonhub_tests::{TestNode, WirePeer, fresh_id, meet};
use reqwest::Method;
use serde_json::{Value, json};

/// The key of node `b`, so that a test can speak as this node.
const KEY: [u8; 32] = [7; 32];

/// What nodes say of records. Those prove themselves, so it matters only that a node says it.
const OF_RECORDS: [&str; 3] = ["/api/replicate", "/api/records", "/api/reconcile"];
/// A version of a record that nobody has.
const UNHEARD_OF: &str = "00112233445566778899aabbccddeeff";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What is wrong with a proof, and how it becomes so.
type Forgery = (&'static str, fn(&mut Proof));

/// A proof in the making; a test changes one thing of it.
struct Proof {
    key: SigningKey,
    node: &'static str,
    created: u64,
    nonce: String,
    path: String,
    body: Option<Value>,
}

impl Proof {
    fn good(path: &str) -> Self {
        let key = SigningKey::from_bytes(&KEY);
        Self { key, node: "b", created: now(), nonce: fresh_id(), path: path.into(), body: None }
    }

    /// Sends a request with the proof.
    async fn send(&self, node: &TestNode, path: &str, body: &Value) -> Answer {
        let signed = self.body.as_ref().unwrap_or(body).to_string();
        let authority = format!("127.0.0.1:{}", node.port);
        let request = Request {
            method: "POST",
            authority: &authority,
            path: &self.path,
            query: "?",
            body: signed.as_bytes(),
        };
        let headers = http_signature::sign(&self.key, self.node, &request, self.created, &self.nonce);
        let request = http::request(Method::POST, node.url(path))
            .header("content-type", "application/json")
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body.to_string());
        http::send(request).await
    }
}

/// Two nodes that know each other, a peer at each, and what node `b` could say.
struct Stage {
    a: TestNode,
    _b: TestNode,
    here: WirePeer,
    there: WirePeer,
}

impl Stage {
    async fn set() -> Self {
        let a = TestNode::alone("a").await;
        let key: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        let b = TestNode::start("b", &[&a], &["--node-key", &key]).await;
        a.sees(1).await;
        b.sees(1).await;
        let mut here = WirePeer::join(&a, "room").await;
        let mut there = WirePeer::join(&b, "room").await;
        meet(&mut here, &mut there).await;
        Self { a, _b: b, here, there }
    }

    /// What a peer of node `b` would say to the one here.
    fn signal(&self) -> (&'static str, Value) {
        let (here, there) = (&self.here.id, &self.there.id);
        (
            "/api/route-signal",
            json!({"type": "offer", "fromPeerId": there, "targetPeerId": here, "networkName": "room", "data": {"sdp": "forged"}}),
        )
    }

    /// Each route between nodes, with something that would have an effect, or an answer that is for nodes.
    fn requests(&self) -> Vec<(&'static str, Value)> {
        let there = &self.there.id;
        let record = Record::unsigned("forged".into(), raw_json("x"), 1, 600, Millis(now() * 1000));
        vec![
            (
                "/api/announce-peer",
                json!({"type": "peer-announcement", "peerId": "f".repeat(40), "nodeId": "b", "networkName": "room", "data": {}, "fromNode": "b"}),
            ),
            (
                "/api/withdraw-peer",
                json!({"peerId": there, "nodeId": "b", "networkName": "room", "departure": "goodbye", "data": {}}),
            ),
            self.signal(),
            ("/api/interest", json!({"nodeId": "b", "networkName": "room", "answer": true})),
            ("/api/leave", json!({"nodeId": "b"})),
            ("/api/replicate", json!({"records": [record.signed(&SigningKey::from_bytes(&[9; 32]))]})),
            ("/api/records", json!({"topic": "forged", "limit": 10})),
            ("/api/reconcile", json!({"digests": [], "offers": [UNHEARD_OF]})),
        ]
    }

    /// Nobody was told anything, nothing was kept, and the mesh is as it was.
    async fn assert_no_effect(&mut self) {
        self.here.fence_from(&mut self.there).await;
        for kind in ["peer-discovered", "peer-disconnected", "goodbye", "offer"] {
            self.here.assert_none(kind);
        }
        assert_eq!(http::get(self.a.url("/api/find/forged")).await.ok()["count"], 0);
        assert_eq!(self.a.health().await["nodes"], 1);
    }
}

fn assert_denied(answer: &Answer, what: &str) {
    assert!([401, 403].contains(&answer.status), "{what}: {answer:?}");
    assert!(answer.json()["code"].is_string(), "{what}: {answer:?}");
}

#[tokio::test]
async fn unsigned_requests_between_nodes_have_no_effect() {
    let mut stage = Stage::set().await;
    for (path, body) in stage.requests() {
        http::post(stage.a.url(path), &body).await.assert_error(401, "unauthorized");
    }
    stage.assert_no_effect().await;
}

#[tokio::test]
async fn forged_requests_between_nodes_have_no_effect() {
    let mut stage = Stage::set().await;
    for (path, body) in stage.requests() {
        let forgeries: [Forgery; 6] = [
            ("another key", |proof| proof.key = SigningKey::from_bytes(&[8; 32])),
            ("an unknown node", |proof| proof.node = "c"),
            ("long ago", |proof| proof.created -= 3600),
            ("to come", |proof| proof.created += 3600),
            ("another route", |proof| proof.path = "/api/other".into()),
            ("another body", |proof| proof.body = Some(json!({}))),
        ];
        for (what, forge) in forgeries {
            let mut proof = Proof::good(path);
            forge(&mut proof);
            assert_denied(&proof.send(&stage.a, path, &body).await, &format!("{path}, {what}"));
        }
    }
    stage.assert_no_effect().await;
}

#[tokio::test]
async fn a_node_speaks_only_for_itself_and_its_own_peers() {
    let mut stage = Stage::set().await;
    for (path, mut body) in stage.requests().into_iter().filter(|(path, _)| !OF_RECORDS.contains(path)) {
        for name in ["nodeId", "fromNode"] {
            if body.get(name).is_some() {
                body[name] = json!("somebody-else");
            }
        }
        if path == "/api/route-signal" {
            // A peer that is at home at node `a`.
            let mut near = WirePeer::join(&stage.a, "room").await;
            near.expect_peer(&stage.here.id).await;
            stage.here.expect_peer(&near.id).await;
            body["fromPeerId"] = json!(near.id);
            let answer = Proof::good(path).send(&stage.a, path, &body).await.ok();
            assert_eq!(answer["routed"], false, "{answer}");
            continue;
        }
        Proof::good(path).send(&stage.a, path, &body).await.assert_error(403, "forbidden");
    }
    stage.here.fence().await;
    stage.here.take("peer-disconnected");
    stage.assert_no_effect().await;
}

#[tokio::test]
async fn a_request_between_nodes_is_heard_once() {
    let mut stage = Stage::set().await;
    let (path, body) = stage.signal();
    let proof = Proof::good(path);
    // So the forgeries above would be heard if they were none.
    let answer = proof.send(&stage.a, path, &body).await.ok();
    assert_eq!(answer["routed"], true, "{answer}");
    stage.here.expect("offer").await;
    assert_denied(&proof.send(&stage.a, path, &body).await, "a replay");
    stage.assert_no_effect().await;
}

/// So what is said of records above would be heard if it were no forgery.
#[tokio::test]
async fn what_a_node_says_of_records_is_heard() {
    let stage = Stage::set().await;
    for (path, body) in stage.requests().into_iter().filter(|(path, _)| OF_RECORDS.contains(path)) {
        let answer = Proof::good(path).send(&stage.a, path, &body).await.ok();
        match path {
            "/api/replicate" => assert_eq!(answer["kept"], 1, "{answer}"),
            "/api/records" => assert_eq!(answer["records"][0]["topic"], "forged", "{answer}"),
            _ => assert_eq!(answer["wanted"], json!([UNHEARD_OF]), "{answer}"),
        }
    }
    assert_eq!(http::get(stage.a.url("/api/find/forged")).await.ok()["count"], 1);
}

#[tokio::test]
async fn only_signals_pass_between_nodes() {
    let mut stage = Stage::set().await;
    let (path, body) = stage.signal();
    for kind in ["peer-discovered", "goodbye", "connected", "error", "announce", "nonsense"] {
        let mut body = body.clone();
        body["type"] = json!(kind);
        let answer = Proof::good(path).send(&stage.a, path, &body).await;
        assert_eq!(answer.status, 400, "{kind}: {answer:?}");
    }
    stage.here.fence().await;
    stage.here.assert_none("error");
    stage.assert_no_effect().await;
}

#[tokio::test]
async fn a_mesh_with_a_secret_lets_nobody_else_in() {
    let secret = ["--mesh-secret", "of ours"];
    let a = TestNode::start("a", &[], &secret).await;
    let b = TestNode::start("b", &[&a], &secret).await;
    let _stranger = TestNode::start("stranger", &[&a], &[]).await;
    let _wrong = TestNode::start("wrong", &[&a], &["--mesh-secret", "of theirs"]).await;
    // A third node of ours is let in after the strangers had their try.
    let c = TestNode::start("c", &[&b], &secret).await;
    for node in [&a, &b, &c] {
        node.sees(2).await;
    }
}
