//! Who gets in: paths, peer ids, one socket for each id.

use pigeonhub_tests::{Closed, StalledPeer, TestNode, Transport, WirePeer, fresh_id, http, meet};
use reqwest::Method;
use serde_json::json;

/// Refused after the upgrade, for browsers see nothing of what comes before it.
async fn assert_refused(url: &str, reason: &str) {
    let mut peer = WirePeer::open(url).await;
    assert_eq!(peer.closed().await, Closed { code: 1008, reason: reason.into() }, "{url}");
}

#[tokio::test]
async fn any_path_and_any_other_parameter_will_do() {
    let node = TestNode::alone("node").await;
    for path in ["", "/", "/ws", "/some/path/of/old", "/?room=1&", "/ws?a=b&"] {
        let id = fresh_id();
        let mark = if path.contains('?') { "" } else { "?" };
        let mut peer = WirePeer::open(&format!("{}{path}{mark}peerId={id}&z=1", node.ws())).await;
        assert_eq!(peer.expect("connected").await.json["peerId"], id, "{path}");
    }
}

#[tokio::test]
async fn the_greeting_comes_first_and_names_the_peer_in_both_places() {
    let node = TestNode::alone("node").await;
    let id = "ABCDEFabcdef0123456789ABCDEFabcdef012345";
    let mut peer = WirePeer::open(&format!("{}/?peerId={id}", node.ws())).await;
    // The client does not wait for the greeting.
    peer.announce("room").await;
    let greeting = peer.expect_that("anything", |_| true).await;
    assert_eq!(greeting.kind(), "connected");
    assert_eq!(greeting.json["peerId"], id);
    assert_eq!(greeting.json["data"]["peerId"], id);
    assert!(greeting.json["timestamp"].is_u64(), "{}", greeting.text);
}

#[tokio::test]
async fn ids_that_differ_in_case_are_two_peers() {
    let node = TestNode::alone("node").await;
    let (upper, lower) = ("A".repeat(40), "a".repeat(40));
    let mut one = WirePeer::join_as(&node, "room", &upper).await;
    let mut other = WirePeer::join_as(&node, "room", &lower).await;
    meet(&mut one, &mut other).await;
    one.offer(&lower, "hello").await;
    assert_eq!(other.expect("offer").await.json["fromPeerId"], upper);
    one.fence().await;
    one.assert_none("offer");
}

#[tokio::test]
async fn what_is_not_40_hexadecimal_digits_is_closed_with_1008() {
    let node = TestNode::alone("node").await;
    for query in [
        String::new(),
        "?".into(),
        "?peerId=".into(),
        format!("?peerid={}", fresh_id()),
        format!("?peerId={}", "a".repeat(39)),
        format!("?peerId={}", "a".repeat(41)),
        format!("?peerId={}", "g".repeat(40)),
        format!("?peerId={}%20", "a".repeat(40)),
        format!("?peerId={}", "%C3%A4".repeat(20)),
    ] {
        assert_refused(&format!("{}/{query}", node.ws()), "Invalid peerId format").await;
    }
}

#[tokio::test]
async fn a_second_socket_for_a_live_peer_is_refused_and_the_first_stays() {
    let node = TestNode::alone("node").await;
    let mut first = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut first, &mut other).await;
    assert_refused(&format!("{}/?peerId={}", node.ws(), first.id), "Peer already connected").await;
    other.offer(&first.id, "still there").await;
    first.expect("offer").await;
    other.assert_none("peer-disconnected");
}

#[tokio::test]
async fn a_second_socket_for_a_dead_peer_replaces_the_first_for_good() {
    let node = TestNode::alone("node").await;
    let dead = StalledPeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    other.expect_peer(&dead.id).await;

    let mut newcomer = WirePeer::join_as(&node, "room", &dead.id).await;
    newcomer.expect_peer(&other.id).await;
    // The end of the old socket, now or later, is not the end of the new session.
    drop(dead);
    newcomer.fence().await;
    other.offer(&newcomer.id, "to the new one").await;
    newcomer.expect("offer").await;
    newcomer.offer(&other.id, "from the new one").await;
    other.expect("offer").await;
}

/// A client whose network changed: the node thinks that the old socket lives, and maybe it does.
#[tokio::test]
async fn who_shows_the_ticket_of_the_last_socket_takes_its_place_at_once() {
    let node = TestNode::alone("node").await;
    let mut other = WirePeer::join(&node, "room").await;
    let id = fresh_id();
    let mut first = WirePeer::open(&format!("{}/?peerId={id}&resume=", node.ws())).await;
    let ticket = first.expect("connected").await.json["data"]["ticket"].as_str().unwrap().to_owned();
    first.announce("room").await;
    other.expect_peer(&id).await;

    let url = format!("{}/?peerId={id}&resume={ticket}", node.ws());
    let mut second = WirePeer::open(&url).await;
    let greeting = second.expect("connected").await;
    assert_ne!(greeting.json["data"]["ticket"], ticket, "every session has its own");
    assert_eq!(first.closed().await, Closed { code: 4001, reason: "Session taken over".into() });
    // What comes before the peer has announced itself again waits for that.
    other.offer(&id, "held").await;
    other.fence().await;
    second.announce("room").await;
    second.expect("offer").await;
    second.fence().await;
    other.assert_none("peer-disconnected");

    assert_refused(&url, "Peer already connected").await;
    second.fence().await;
}

#[tokio::test]
async fn who_does_not_ask_for_a_ticket_gets_none() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::open(&format!("{}/?peerId={}", node.ws(), fresh_id())).await;
    assert_eq!(peer.expect("connected").await.json["data"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_node_says_so() {
    let node = TestNode::start("node", &[], &["--max-connections", "1"]).await;
    let _first = WirePeer::connect(&node).await;
    assert_refused(&format!("{}/?peerId={}", node.ws(), fresh_id()), "Maximum connections reached").await;
}

#[tokio::test]
async fn a_node_full_of_visitors_names_others() {
    let other = TestNode::alone("other").await;
    let node = TestNode::start("node", &[&other], &["--max-connections", "1"]).await;
    node.sees(1).await;
    let _first = WirePeer::join_by(Transport::Events, &node, "room").await;
    let second = json!({"peerId": fresh_id(), "messages": [{"type": "announce", "networkName": "room"}]});
    let request = http::request(Method::POST, node.url("/signaling/exchange")).json(&second);
    let answer = http::send(request).await;
    answer.assert_error(503, "node-full");
    assert_eq!(answer.json()["nodes"], json!([other.ws()]));
    // It is not there by half.
    assert_eq!(node.health().await["peers"], 1);
}
