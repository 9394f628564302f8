//! What a serverless node does that a native one need not: a database that fails, nodes that hang
//! while a request waits, and as many streams as the platform bears.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pigeonhub_tests::{TestNode, Transport, WirePeer, fresh_id, http, meet};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use Transport::{Events, Socket};

/// A connection of our own to the node's database.
pub fn database(node: &TestNode) -> Connection {
    Connection::open(node.program.database().unwrap()).unwrap()
}

/// What a request is answered, but for what differs from node to node and from moment to moment.
async fn shape(node: &TestNode, method: &Method, path: &str, body: &str) -> Value {
    let request = http::request(method.clone(), node.url(path));
    let answer = http::send(request.header("origin", "https://app.example").body(body.to_owned())).await;
    let body = serde_json::from_str::<Value>(&answer.text).unwrap_or(Value::Null);
    let names: Option<BTreeSet<_>> = body.as_object().map(|body| body.keys().cloned().collect());
    json!({
        "status": answer.status, "type": answer.header("content-type"), "names": names,
        "code": body["code"], "error": body["error"], "allow": answer.header("allow"),
        "cors": answer.header("access-control-allow-origin"), "caching": answer.header("cache-control"),
    })
}

#[tokio::test]
async fn every_request_is_answered_as_by_a_native_node() {
    let (native, spin) = (TestNode::alone("node").await, TestNode::spin("node", &[], &[]).await);
    let get =
        ["/", "/health", "/health/", "/signaling", "/generate-peer-id", "/hubs", "/api/node", "/metrics"];
    let more = ["/peers", "/peers?network=x&limit=2", "/peers?limit=0", "/peers?cursor=x", "/nothing"];
    let known = ["/.well-known/pigeonhub-bootstrap", "/.well-known/peerpigeon.json"];
    let other = [known[0], known[1], "/api/find/topic", "/api/find/", "/signaling/events"];
    let get = get.iter().chain(&more).chain(&other).map(|path| (Method::GET, *path, ""));
    let wrong = ["/health", "/signaling/events", "/peers"].map(|path| (Method::POST, path, "{}"));
    let wrong_too = ["/signaling/exchange", "/api/meet"].map(|path| (Method::GET, path, ""));
    let deleted =
        [(Method::DELETE, "/api/publish", ""), (Method::PUT, "/demo/", ""), (Method::GET, "/demo/no", "")];
    let large = "x".repeat(2 << 20);
    let posted = ["/signaling/exchange", "/api/publish", "/api/meet", "/api/leave", "/api/announce-peer"];
    let bodies = ["", "{", "[]", "{}", r#"{"peerId":"x"}"#, r#"{"topic":"t","data":{"a":1}}"#, &large];
    let posts = posted.iter().flat_map(|path| bodies.iter().map(|body| (Method::POST, *path, *body)));
    for (method, path, body) in get.chain(wrong).chain(wrong_too).chain(deleted).chain(posts) {
        let (expected, answered) =
            (shape(&native, &method, path, body).await, shape(&spin, &method, path, body).await);
        assert_eq!(answered, expected, "{method} {path} {}", &body[..body.len().min(40)]);
    }
    let preflight = http::send(http::request(Method::OPTIONS, spin.url("/signaling/exchange"))).await;
    assert_eq!(preflight.header("access-control-allow-headers"), "content-type");
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
}

#[tokio::test]
async fn files_of_the_package_are_served_and_no_others() {
    let node = TestNode::spin("spin", &[], &[]).await;
    let file = http::get(node.url("/pkg/index.js")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(file.text.contains("PigeonHub"));
    for path in ["/pkg/", "/pkg/no-such-file", "/pkg/..%2f..%2fetc/passwd", "/pkg//etc/passwd"] {
        http::get(node.url(path)).await.assert_error(404, "not-found");
    }
}

#[tokio::test]
async fn a_node_is_where_it_was_first_reached_whatever_a_later_request_says() {
    let node = TestNode::spin("spin", &[], &[]).await;
    node.health().await;
    let elsewhere = http::request(Method::GET, node.url("/api/node")).header("host", "elsewhere.example");
    assert_eq!(http::send(elsewhere).await.ok()["u"], node.url(""));
}

#[tokio::test]
async fn a_database_that_is_busy_is_no_end_and_leaves_nothing_half_done() {
    let node = TestNode::spin("spin", &[], &[]).await;
    let mut here = WirePeer::join_by(Events, &node, "room").await;
    let mut late = WirePeer::visit_as(&node, &fresh_id()).await;
    let lock = database(&node);
    // Others may read, and cannot write.
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let announce = json!({"type": "announce", "networkName": "room", "data": {}});
    let offer = json!({"type": "offer", "targetPeerId": here.id, "data": {"sdp": "v=0"}});
    let said = [announce, offer];
    let (refused, read) = tokio::join!(late.post(&said), node.health());
    refused.assert_error(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(read["peers"], 1);
    lock.execute_batch("COMMIT").unwrap();
    // Nothing was done; the same again does it, once.
    here.fence().await;
    here.assert_none("peer-discovered");
    here.assert_none("offer");
    late.post(&said).await.ok();
    meet(&mut here, &mut late).await;
    here.fence().await;
    assert_eq!(here.take("offer").len(), 1);
}

#[tokio::test]
async fn a_database_that_fails_is_told_by_every_request_and_streams_go_on_afterwards() {
    let node = TestNode::spin("spin", &[], &[]).await;
    let (mut one, mut other) =
        (WirePeer::join_by(Events, &node, "room").await, WirePeer::join_by(Events, &node, "room").await);
    meet(&mut one, &mut other).await;
    let broken = database(&node);
    broken.execute_batch("ALTER TABLE presence RENAME TO lost").unwrap();
    let peers = node.url("/peers?network=room");
    let (health, peers) = tokio::join!(http::get(node.url("/health")), http::get(peers));
    for answer in [health, peers] {
        answer.assert_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    one.post(&[json!({"type": "offer", "targetPeerId": other.id, "data": {}})])
        .await
        .assert_error(503, "unavailable");
    broken.execute_batch("ALTER TABLE lost RENAME TO presence").unwrap();
    one.offer(&other.id, "are you still there?").await;
    other.expect("offer").await;
}

#[tokio::test]
async fn a_node_that_hangs_holds_no_request_past_its_limit() {
    let native = [TestNode::alone("n-1").await, TestNode::alone("n-2").await];
    let known: Vec<_> = native.iter().collect();
    let spin = TestNode::spin("spin", &known, &[("signaling-timeout", "1500")]).await;
    spin.sees(2).await;
    let mut far = WirePeer::join_by(Socket, &native[0], "room").await;
    let mut here = WirePeer::join_by(Events, &spin, "room").await;
    meet(&mut far, &mut here).await;
    native.iter().for_each(TestNode::pause);
    for target in [far.id.clone(), fresh_id()] {
        let begin = Instant::now();
        here.offer(&target, "into the silence").await;
        // Twice the limit, on a machine that is busy; without one it would be for ever.
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
    let begin = Instant::now();
    let mut late = WirePeer::join_by(Events, &spin, "room").await;
    meet(&mut late, &mut here).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    here.expect("error").await;
    here.expect("error").await;
    native.iter().for_each(TestNode::resume);
    // They are told everything that they missed.
    far.expect_peer(&late.id).await;
}

#[tokio::test]
async fn streams_are_bounded_and_who_finds_no_room_is_told_of_other_nodes() {
    let native = TestNode::alone("native").await;
    let spin = TestNode::spin("spin", &[&native], &[("max-streams", "2")]).await;
    spin.sees(1).await;
    let mut first = WirePeer::join_by(Events, &spin, "room").await;
    let mut second = WirePeer::join_by(Events, &spin, "room").await;
    meet(&mut first, &mut second).await;
    first.fence().await;
    second.fence().await;
    let mut third = WirePeer::visit_as(&spin, &fresh_id()).await;
    let announce = json!({"type": "announce", "networkName": "room", "data": {}});
    third.stop_listening();
    third.post(&[announce]).await.ok();
    third.stop_listening();
    let url = spin.url(&format!("/signaling/events?ticket={}", third.ticket()));
    let full = http::get(&url).await;
    full.assert_error(503, "node-full");
    assert_eq!(full.json()["nodes"], json!([native.ws()]));
    assert_eq!(full.header("retry-after"), "1");
    // It may still poll, and whoever has a stream may open it again.
    first.stop_listening();
    first.listen_again();
    third.offer(&first.id, "from far behind").await;
    first.expect("offer").await;
}

#[tokio::test]
async fn streams_that_end_by_themselves_lose_nothing() {
    let node = TestNode::spin("spin", &[], &[("stream-seconds", "1")]).await;
    let mut sender = WirePeer::join_by(Events, &node, "room").await;
    let mut target = WirePeer::join_by(Events, &node, "room").await;
    meet(&mut sender, &mut target).await;
    let begin = Instant::now();
    let mut number = 0;
    while begin.elapsed() < Duration::from_secs(4) {
        sender.signal("ice-candidate", &target.id, &json!({"candidate": number})).await;
        number += 1;
    }
    for number in 0..number {
        assert_eq!(target.expect("ice-candidate").await.json["data"]["candidate"], number);
    }
}

/// Two requests are two instances, and nothing keeps one of them waiting for the other.
#[tokio::test]
async fn two_who_announce_at_the_same_moment_learn_of_each_other() {
    let one = TestNode::spin("spin-1", &[], &[]).await;
    let other = TestNode::spin("spin-2", &[&one], &[]).await;
    other.sees(1).await;
    one.sees(1).await;
    for (here, there) in [(&one, &one), (&one, &other)] {
        for _ in 0..10 {
            let network = fresh_id();
            let mut a = WirePeer::connect_by(Events, here).await;
            let mut b = WirePeer::connect_by(Events, there).await;
            tokio::join!(a.announce(&network), b.announce(&network));
            meet(&mut a, &mut b).await;
        }
    }
}

#[tokio::test]
async fn two_hundred_peers_of_one_node_all_get_their_offers() {
    const PEERS: usize = 200;
    let node = TestNode::spin("spin", &[], &[]).await;
    let mut peers = Vec::new();
    // As many networks as make the fan-out of an announce small; the streams are what is many.
    for group in 0..PEERS / 10 {
        let network = format!("room-{group}");
        let joining = (0..10).map(|_| WirePeer::join_by(Events, &node, &network));
        peers.extend(join_all(joining).await);
    }
    let ids: Vec<_> = peers.iter().map(|peer| peer.id.clone()).collect();
    let offering = peers.iter_mut().enumerate().map(|(number, peer)| {
        let target = ids[number / 10 * 10 + (number + 1) % 10].clone();
        async move { peer.offer(&target, &format!("{number}")).await }
    });
    join_all(offering).await;
    for (number, peer) in peers.iter_mut().enumerate() {
        let from = number / 10 * 10 + (number + 9) % 10;
        let offer = peer.expect("offer").await.json;
        assert_eq!(
            [&offer["fromPeerId"], &offer["data"]["sdp"]],
            [&json!(ids[from]), &json!(format!("v=0\r\n{from}"))]
        );
        peer.assert_none("error");
    }
    assert_eq!(node.health().await["connections"], PEERS);
}
