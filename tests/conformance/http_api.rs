//! The HTTP API: what every route answers, and how it refuses.

use std::collections::BTreeSet;

use pigeonhub_tests::{Mesh, TestNode, WirePeer, http};
use reqwest::Method;
use serde_json::{Value, json};

fn assert_iso_8601(time: &Value) {
    let time = time.as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
}

#[tokio::test]
async fn health_has_every_field_that_was_ever_promised() {
    let node = TestNode::start("node-1", &[], &["--region", "eu-west"]).await;
    let _peer = WirePeer::connect(&node).await;
    let mut other = WirePeer::join(&node, "room").await;
    other.fence().await;
    let health = node.health().await;
    for (name, value) in [
        ("status", json!("healthy")),
        ("nodeId", json!("node-1")),
        ("port", json!(node.port)),
        ("connected", json!(false)),
        ("isBootstrapping", json!(false)),
        ("dhtReady", json!(false)),
        ("signalDirReady", json!(false)),
        ("connections", json!(2)),
        ("peers", json!(1)),
        ("networks", json!(1)),
        ("nodes", json!(0)),
        ("region", json!("eu-west")),
    ] {
        assert_eq!(health[name], value, "{name} in {health}");
    }
    assert!(health["uptime"].is_u64() && health["version"].is_string(), "{health}");
    assert_iso_8601(&health["timestamp"]);
}

#[tokio::test]
async fn signaling_says_where_and_how_to_connect() {
    let node = TestNode::alone("node-1").await;
    let mut peer = WirePeer::join(&node, "global").await;
    peer.fence().await;
    let answer = http::get(node.url("/signaling")).await.ok();
    assert_eq!(answer["nodeId"], "node-1");
    assert_eq!(answer["signalingPort"], node.port);
    assert_eq!(answer["wsUrl"], node.ws());
    assert!(answer["webrtcUrl"].is_string() && answer["instructions"].is_string(), "{answer}");
    assert_eq!(answer["generatePeerIdUrl"], node.url("/generate-peer-id"));
    assert_eq!(answer["totalConnections"], 1);
    assert!(answer["peerDataEntries"].is_u64(), "{answer}");
    assert!(answer["alternativeUrls"]["wsUrl127"].is_string(), "{answer}");
    assert!(answer["alternativeUrls"]["webrtcUrl127"].is_string(), "{answer}");
    assert_iso_8601(&answer["timestamp"]);
    let listed = &answer["connectedPeers"][0];
    assert_eq!(listed["fullPeerId"], peer.id);
    assert_eq!(listed["peerId"], format!("{}...", &peer.id[..8]));
    assert_eq!(listed["connected"], true);
    assert!(listed["timestamp"].is_u64(), "{answer}");
}

#[tokio::test]
async fn a_generated_peer_id_is_good_for_a_connection() {
    let node = TestNode::alone("node-1").await;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let answer = http::get(node.url("/generate-peer-id")).await.ok();
        let id = answer["peerId"].as_str().unwrap();
        assert!(
            id.len() == 40 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{id}"
        );
        assert_eq!(answer["length"], 40);
        assert_eq!(answer["nodeId"], "node-1");
        for text in ["description", "example", "alternativeExample"] {
            assert!(answer["usage"][text].is_string(), "{answer}");
        }
        let mut peer = WirePeer::open(answer["wsUrl"].as_str().unwrap()).await;
        assert_eq!(peer.expect("connected").await.json["peerId"], id);
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn peers_are_listed_page_by_page_for_one_network() {
    let mesh = Mesh::of(2).await;
    let mut peers = Vec::new();
    for number in 0..7 {
        peers.push(WirePeer::join(&mesh.nodes[number % 2], "a room").await);
    }
    let _stranger = WirePeer::join(&mesh.nodes[0], "other").await;
    mesh.nodes[0].knows("a%20room", 7).await;
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for expected in [3, 3, 1] {
        let url = mesh.nodes[0].url(&format!("/peers?network=a+room&limit=3&cursor={cursor}"));
        let page = http::get(url).await.ok();
        assert_eq!(page["nodeId"], "node-a");
        assert_eq!(page["count"], expected, "{page}");
        assert_iso_8601(&page["timestamp"]);
        for peer in page["peers"].as_array().unwrap() {
            assert_eq!(peer["connected"], true);
            assert!(peer["data"].is_object() && peer["timestamp"].is_u64(), "{peer}");
            listed.push(peer["fullPeerId"].as_str().unwrap().to_owned());
        }
        cursor = page["next"].as_str().unwrap_or_default().into();
    }
    assert_eq!(cursor, "", "there is nothing more");
    let joined: BTreeSet<_> = peers.iter().map(|peer| peer.id.clone()).collect();
    assert_eq!(listed.len(), joined.len());
    assert_eq!(BTreeSet::from_iter(listed), joined);
    http::get(mesh.nodes[0].url("/peers?limit=x")).await.assert_error(400, "invalid-request");
    http::get(mesh.nodes[0].url("/peers?cursor=x")).await.assert_error(400, "invalid-request");
}

#[tokio::test]
async fn hubs_lists_the_other_nodes() {
    let mesh = Mesh::of(2).await;
    let answer = http::get(mesh.nodes[0].url("/hubs")).await.ok();
    assert_eq!(answer["totalHubs"], 1);
    assert_eq!(answer["hubs"][0]["nodeId"], "node-b");
    assert_eq!(answer["hubs"][0]["state"], "up");
    assert_iso_8601(&answer["timestamp"]);
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let node = TestNode::alone("node").await;
    let origin = "https://app.example";
    for path in ["/health", "/peers", "/api/find/x", "/no-such-route"] {
        let answer = http::send(http::request(Method::GET, node.url(path)).header("origin", origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    let preflight = http::request(Method::OPTIONS, node.url("/api/publish"))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = http::send(preflight).await;
    assert!((200..300).contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("POST"), "{answer:?}");
    assert!(
        answer.header("access-control-allow-headers").to_lowercase().contains("content-type"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn only_chosen_origins_may_ask_if_some_are_chosen() {
    let node = TestNode::start("node", &[], &["--cors-origin", "https://good.example"]).await;
    for (origin, allowed) in [("https://good.example", "https://good.example"), ("https://bad.example", "")] {
        let request = http::request(Method::GET, node.url("/health")).header("origin", origin);
        assert_eq!(http::send(request).await.header("access-control-allow-origin"), allowed);
    }
}

#[tokio::test]
async fn refusals_are_json_with_a_code() {
    let node = TestNode::alone("node").await;
    for path in ["/no-such-route", "/api", "/api/no-such-route", "/proxy/http://example.com", "/healthy"] {
        http::get(node.url(path)).await.assert_error(404, "not-found");
    }
    for (method, path) in [
        (Method::POST, "/health"),
        (Method::DELETE, "/peers"),
        (Method::GET, "/api/publish"),
        (Method::PUT, "/api/publish"),
        (Method::POST, "/api/find/topic"),
        (Method::GET, "/api/announce-peer"),
        (Method::GET, "/api/route-signal"),
    ] {
        let answer = http::send(http::request(method, node.url(path))).await;
        answer.assert_error(405, "method-not-allowed");
        assert!(!answer.header("allow").is_empty(), "{path}");
    }
    for body in ["", "{", "nonsense"] {
        let request = http::request(Method::POST, node.url("/api/publish")).body(body);
        http::send(request).await.assert_error(400, "malformed-json");
    }
    let large = format!(r#"{{"topic":"t","data":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    let request = http::request(Method::POST, node.url("/api/publish")).body(large);
    http::send(request).await.assert_error(413, "message-too-large");
    http::get(node.url("/health")).await.ok();
}
