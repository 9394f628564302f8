//! How nodes find each other that were not told of each other: documents of a domain, DNS, a cache.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{Check, Refusal, Trust, read_document, seed_bundle, sign};
use pigeonhub_protocol::Millis;
use pigeonhub_tests::{DnsServer, DocumentServer, PATIENCE, TestNode, eventually, http};
use serde_json::{Value, json};

pub const OURS: &str = "/.well-known/pigeonhub-bootstrap";
const LEGACY: &str = "/.well-known/peerpigeon.json";
const APP: &str = "pigeonhub-mesh";

pub fn now() -> Millis {
    Millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap())
}

/// A signed descriptor of the node at this URL.
pub fn signed(url: &str, timestamp: u64) -> Value {
    let mut descriptor = json!({ "t": "ws", "u": url });
    sign(&mut descriptor, &SigningKey::from_bytes(&[5; 32]), Millis(timestamp), 60);
    descriptor
}

pub fn document(peers: &[Value]) -> Value {
    json!({ "app": APP, "peers": peers })
}

pub fn unsigned(node: &TestNode) -> Value {
    json!({ "t": "ws", "u": node.ws() })
}

/// A figure of a node.
pub async fn figure(node: &TestNode, name: &str) -> u64 {
    let text = http::get(node.url("/metrics")).await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

pub async fn refused(node: &TestNode, reason: &str) -> u64 {
    figure(node, &format!("pigeonhub_bootstrap_refused_total{{reason=\"{reason}\"}}")).await
}

async fn looking_at(id: &str, domain: &str, more: &[&str]) -> TestNode {
    TestNode::start(id, &[], &[&["--bootstrap-domains", domain], more].concat()).await
}

#[tokio::test]
async fn a_node_that_knows_only_a_url_meets_all_that_are_named_there() {
    let a = TestNode::alone("a").await;
    let b = TestNode::start("b", &[&a], &[]).await;
    let server = DocumentServer::with(OURS, &document(&[unsigned(&a)])).await;
    let c = looking_at("c", &server.url, &[]).await;
    // Another node is such a URL, too.
    let d = looking_at("d", &c.url(""), &[]).await;
    for node in [&a, &b, &c, &d] {
        node.sees(3).await;
    }
}

#[tokio::test]
async fn a_node_names_itself_and_the_nodes_that_it_has_reached_each_with_its_own_signature() {
    let a = TestNode::alone("a").await;
    let b = TestNode::start("b", &[&a], &["--region", "eu-west"]).await;
    a.sees(1).await;
    let text = http::get(a.url(OURS)).await.text;
    let check = Check { app: APP, pins: &[], is_local: true, now: now() };
    let found = read_document(&text, &check);
    let peers: Vec<_> = found.peers.iter().map(|(peer, trust)| (peer.u.clone(), *trust)).collect();
    assert_eq!(peers, [(a.ws(), Trust::Community), (b.ws(), Trust::Community)], "{text}");
    let keys: Vec<_> = found.peers.iter().map(|(peer, _)| peer.public_key.clone().unwrap()).collect();
    assert_ne!(keys[0], keys[1]);
    let b_says = http::get(b.url("/api/node")).await.ok();
    assert_eq!(b_says["publicKey"], keys[1]);
    assert_eq!(found.peers[1].0.json(), b_says, "passed on as b has signed it");
    let other = read_document(&text, &Check { app: "other", ..check });
    assert_eq!(other.refused, [Refusal::OtherApp]);

    // The same for existing programs.
    let text = http::get(a.url(LEGACY)).await.text;
    let pins = [keys[0].clone()];
    let found = read_document(&text, &Check { pins: &pins, ..check });
    let peers: Vec<_> = found.peers.iter().map(|(peer, trust)| (peer.u.clone(), *trust)).collect();
    assert_eq!(peers, [(a.ws(), Trust::Project), (b.ws(), Trust::Project)], "{text}");
}

#[tokio::test]
async fn what_is_forged_expired_or_of_the_future_is_refused_and_counted() {
    let good = TestNode::alone("good").await;
    let bait = TestNode::alone("bait").await;
    let mut forged = signed("ws://127.0.0.1:9", now().0);
    forged["u"] = json!(bait.ws());
    let peers = [
        forged,
        signed(&bait.ws(), now().0 - 61_000),
        signed(&bait.ws(), now().0 + 3_600_000),
        json!({ "t": "wss", "u": bait.ws() }),
        signed(&good.ws(), now().0),
    ];
    let server = DocumentServer::with(OURS, &document(&peers)).await;
    let other = json!({ "app": "another", "peers": [unsigned(&bait)] });
    let elsewhere = DocumentServer::with(OURS, &other).await;
    let domains = format!("{},{}", elsewhere.url, server.url);
    let node = looking_at("node", &domains, &[]).await;
    node.sees(1).await;
    good.sees(1).await;
    for reason in ["forged", "expired", "future", "invalid"] {
        assert!(refused(&node, reason).await >= 1, "{reason}");
    }
    eventually("the other mesh is refused", PATIENCE, async || {
        (refused(&node, "other-app").await >= 1).then_some(())
    })
    .await;
    assert_eq!(refused(&node, "replayed").await, 0);
    assert!(figure(&node, "pigeonhub_bootstrap_found_total").await >= 1);
    // The bait was not even dialled.
    let hubs = http::get(node.url("/hubs")).await.ok();
    assert_eq!((&hubs["totalHubs"], &hubs["hubs"][0]["u"]), (&json!(1), &json!(good.ws())), "{hubs}");
    assert_eq!(bait.health().await["nodes"], 0);
}

#[tokio::test]
async fn an_older_descriptor_than_the_last_one_is_refused() {
    let (time, nobody) = (now().0, "ws://127.0.0.1:9");
    let server = DocumentServer::with(OURS, &document(&[signed(nobody, time)])).await;
    let node = looking_at("node", &server.url, &[]).await;
    let counts = async |what: &str, name: &str| {
        eventually(what, PATIENCE, async || (figure(&node, name).await > 0).then_some(())).await;
    };
    counts("the first is found", "pigeonhub_bootstrap_found_total").await;
    assert_eq!(refused(&node, "replayed").await, 0);
    server.put(OURS, &document(&[signed(nobody, time - 1)]));
    counts("the older one is refused", "pigeonhub_bootstrap_refused_total{reason=\"replayed\"}").await;
}

#[tokio::test]
async fn the_seed_bundle_of_existing_nodes_is_understood_and_pinned_keys_are_demanded() {
    let a = TestNode::alone("a").await;
    let key = SigningKey::from_bytes(&[6; 32]);
    let bundle = seed_bundle(&key, APP, &[a.ws()], now(), 60);
    let server = DocumentServer::with(LEGACY, &bundle).await;
    let node = looking_at("node", &server.url, &[]).await;
    let pin = bundle["pk"].as_str().unwrap();
    let pinned = looking_at("pinned", &server.url, &["--bootstrap-keys", pin]).await;
    for node in [&a, &node, &pinned] {
        node.sees(2).await;
    }
    let other = http::get(a.url("/api/node")).await.ok()["publicKey"].as_str().unwrap().to_owned();
    let strict = looking_at("strict", &server.url, &["--bootstrap-keys", &other]).await;
    eventually("another key is refused", PATIENCE, async || {
        (refused(&strict, "unknown-key").await > 0).then_some(())
    })
    .await;
    assert_eq!(strict.health().await["nodes"], 0);
}

#[tokio::test]
async fn a_node_that_knows_only_a_domain_finds_the_others_by_dns() {
    let [a, b] = [TestNode::alone("a").await, TestNode::alone("b").await];
    let dns = DnsServer::start().await;
    let resolver = dns.address.to_string();
    let records = "_pigeonhub-bootstrap.mesh.test.";
    dns.add(records, &format!("v=pigeonhub1; u={}; region=local; priority=1", a.ws()));
    dns.add(records, &signed(&b.ws(), now().0).to_string());
    let mut forged = signed("ws://127.0.0.1:9", now().0);
    forged["u"] = json!("ws://127.0.0.1:10");
    dns.add(records, &forged.to_string());
    let by_txt = looking_at("by-txt", "mesh.test", &["--dns-resolver", &resolver]).await;
    // The server is asked for addresses, too.
    let url = format!("http://names.test:{}", by_txt.port);
    let by_name = looking_at("by-name", &url, &["--dns-resolver", &resolver]).await;
    for node in [&a, &b, &by_txt, &by_name] {
        node.sees(3).await;
    }
    assert!(refused(&by_txt, "forged").await >= 1);
}

#[tokio::test]
async fn what_was_found_survives_a_restart_when_its_source_is_gone() {
    let mut a = TestNode::alone("a").await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let kept = ["--data-dir", data.to_str().unwrap()];
    let server = DocumentServer::with(OURS, &document(&[signed(&a.ws(), now().0)])).await;
    let source = server.url.clone();
    let mut first = looking_at("first", &source, &kept).await;
    first.sees(1).await;

    // Nobody remembers anybody: the source is gone, and so is what `a` knew.
    first.kill();
    drop(server);
    a.restart().await;
    let second = looking_at("second", &source, &kept).await;
    second.sees(1).await;
    a.sees(1).await;

    // What somebody wrote into the cache is not believed.
    let file = data.join("bootstrap.json");
    let cache = std::fs::read_to_string(&file).unwrap();
    let touched = cache.replace(&a.ws(), "ws://127.0.0.1:9");
    assert_ne!(cache, touched);
    std::fs::write(&file, touched).unwrap();
    let third = looking_at("third", &source, &kept).await;
    eventually("the cache is refused", PATIENCE, async || {
        (refused(&third, "forged").await > 0).then_some(())
    })
    .await;
    assert_eq!(http::get(third.url("/hubs")).await.ok()["totalHubs"], 0);
}
