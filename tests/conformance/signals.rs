//! Signals on their way: in order, untouched, stamped by the node, and inside one network.

use pigeonhub_tests::{Mesh, TestNode, WirePeer, meet};
use serde_json::json;

/// Two peers of a network that know each other.
async fn pair(one: &TestNode, other: &TestNode) -> (WirePeer, WirePeer) {
    let mut one = WirePeer::join(one, "room").await;
    let mut other = WirePeer::join(other, "room").await;
    meet(&mut one, &mut other).await;
    (one, other)
}

/// Data that any parsing and printing would change: spaces, escapes, number forms, repeated names.
fn odd_data(number: usize) -> String {
    format!(
        r#"{{"candidate":"candidate:{number} \u00e9\/é \"q\"", "sdpMLineIndex" : 0,  "n":[1.0, 1e+2,-0, 12345678901234567890123],"n":null }}"#,
    )
}

async fn assert_in_order_and_untouched(sender: &mut WirePeer, target: &mut WirePeer) {
    const CANDIDATES: usize = 500;
    for number in 0..CANDIDATES {
        let (data, id) = (odd_data(number), &target.id);
        let text = format!(
            r#"{{"type":"ice-candidate","data":{data},"maxPeers":3,"networkName":"room","targetPeerId":"{id}"}}"#,
        );
        sender.send_text(text).await;
    }
    for number in 0..CANDIDATES {
        let heard = target.expect("ice-candidate").await;
        assert_eq!(heard.data_text(), odd_data(number), "candidate {number}");
    }
    sender.fence().await;
    sender.assert_none("error");
}

#[tokio::test]
async fn candidates_stay_in_order_and_untouched_on_one_node() {
    let node = TestNode::alone("node").await;
    let (mut one, mut other) = pair(&node, &node).await;
    assert_in_order_and_untouched(&mut one, &mut other).await;
}

#[tokio::test]
async fn candidates_stay_in_order_and_untouched_between_nodes() {
    let mesh = Mesh::of(2).await;
    let (mut one, mut other) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    assert_in_order_and_untouched(&mut one, &mut other).await;
}

async fn assert_repeats_arrive(sender: &mut WirePeer, target: &mut WirePeer) {
    const REPEATS: usize = 32;
    for _ in 0..REPEATS {
        sender.signal("ice-candidate", &target.id, &json!({"candidate": "the same"})).await;
    }
    target.fence_from(sender).await;
    assert_eq!(target.take("ice-candidate").len(), REPEATS);
}

#[tokio::test]
async fn identical_repeats_are_all_delivered() {
    let mesh = Mesh::of(2).await;
    let (mut one, mut other) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    assert_repeats_arrive(&mut one, &mut other).await;
    let (mut one, mut other) = pair(&mesh.nodes[0], &mesh.nodes[0]).await;
    assert_repeats_arrive(&mut one, &mut other).await;
}

#[tokio::test]
async fn every_kind_of_signal_is_stamped_by_the_node() {
    let mesh = Mesh::of(2).await;
    let (mut here, mut there) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    let mut near = WirePeer::join(&mesh.nodes[0], "room").await;
    near.expect_peer(&here.id).await;
    for target in [&mut near, &mut there] {
        for kind in ["offer", "answer", "ice-candidate", "renegotiation-offer", "renegotiation-answer"] {
            here.signal(kind, &target.id, &json!({"of": kind})).await;
            let heard = target.expect(kind).await.json;
            assert_eq!(heard["fromPeerId"], here.id);
            assert_eq!(heard["targetPeerId"], target.id);
            assert_eq!(heard["networkName"], "room");
            assert_eq!(heard["data"], json!({"of": kind}));
            assert!(heard["timestamp"].is_u64(), "{heard}");
        }
    }
}

#[tokio::test]
async fn a_forged_sender_has_no_effect() {
    let mesh = Mesh::of(2).await;
    let (mut forger, mut target) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    let victim = WirePeer::join(&mesh.nodes[0], "room").await;
    target.expect_peer(&victim.id).await;
    forger
        .send(&json!({
            "type": "offer", "fromPeerId": victim.id, "targetPeerId": target.id, "networkName": "room",
            "from": victim.id, "peerId": victim.id, "data": {"type": "offer", "sdp": "v=0"},
        }))
        .await;
    let heard = target.expect("offer").await;
    assert_eq!(heard.json["fromPeerId"], forger.id);
    assert!(!heard.text.contains(&victim.id), "{}", heard.text);
}

#[tokio::test]
async fn a_claimed_network_has_no_effect() {
    let mesh = Mesh::of(2).await;
    let (mut one, mut friend) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    for node in &mesh.nodes {
        let mut stranger = WirePeer::join(node, "other").await;
        node.knows("other", 1).await;
        // Not into another network, although it is named …
        one.network = "other".into();
        one.offer(&stranger.id, "into your network").await;
        let error = one.expect_error("peer-unavailable").await;
        assert_eq!(error.json["targetPeerId"], stranger.id);
        stranger.fence().await;
        stranger.assert_none("offer");
        // … and still inside one's own, although another is named.
        one.offer(&friend.id, "hello").await;
        assert_eq!(friend.expect("offer").await.json["networkName"], "room");
        stranger.close().await;
        node.knows("other", 0).await;
    }
}

#[tokio::test]
async fn an_unannounced_peer_is_not_reached() {
    let mesh = Mesh::of(2).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "global").await;
    for node in &mesh.nodes {
        let mut silent = WirePeer::connect(node).await;
        one.offer(&silent.id, "hello").await;
        one.expect_error("peer-unavailable").await;
        silent.fence().await;
        silent.assert_none("offer");
        silent.assert_none("peer-discovered");
    }
}

#[tokio::test]
async fn a_large_signal_arrives_at_another_node() {
    let mesh = Mesh::of(2).await;
    let (mut one, mut other) = pair(&mesh.nodes[0], &mesh.nodes[1]).await;
    let text = "x".repeat(900_000);
    one.offer(&other.id, &text).await;
    let heard = other.expect("offer").await;
    assert_eq!(heard.json["data"]["sdp"].as_str().map(str::len), Some(text.len() + 5));
}
