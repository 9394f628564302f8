//! Bad input: an `error` with a code, and the connection is none the worse for it.

use pigeonhub_tests::{TestNode, WirePeer, fresh_id, meet};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const LIMIT: usize = 1024 * 1024;

/// The frame is refused with this code, and what was wrong is said back.
async fn assert_refused(peer: &mut WirePeer, frame: &Value, code: &str) {
    peer.send(frame).await;
    let error = peer.expect_error(code).await.json;
    if frame["type"].is_string() {
        assert_eq!(error["originalType"], frame["type"], "{error}");
    }
    assert!(error["timestamp"].is_u64(), "{error}");
    peer.fence().await;
    peer.assert_none("error");
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    for text in ["", "{", "hello", r#"{"type":"ping""#, "{'type':'ping'}"] {
        peer.send_text(text).await;
        peer.expect_error("malformed-json").await;
    }
    for frame in [
        json!([]),
        json!(1),
        json!("ping"),
        json!(null),
        json!({}),
        json!({"type": 1}),
        json!({"type": null}),
    ] {
        assert_refused(&mut peer, &frame, "malformed-message").await;
    }
    let nobody = fresh_id();
    for frame in [
        json!({"type": "offer", "targetPeerId": nobody}),
        json!({"type": "announce", "networkName": "x".repeat(129), "data": {}}),
        json!({"type": "announce", "networkName": "a\nb", "data": {}}),
        json!({"type": "announce", "networkName": "room", "data": []}),
    ] {
        assert_refused(&mut peer, &frame, "malformed-message").await;
    }
    assert_refused(&mut peer, &json!({"type": "nonsense"}), "unknown-type").await;
    assert_refused(&mut peer, &json!({"type": ""}), "unknown-type").await;
    let deep = "[".repeat(100_000);
    peer.send_text(deep).await;
    peer.expect("error").await;
    peer.fence().await;
}

#[tokio::test]
async fn a_signal_needs_a_target() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    let itself = peer.id.clone();
    for kind in ["offer", "answer", "ice-candidate"] {
        let to =
            |target: &str| json!({"type": kind, "data": {}, "networkName": "room", "targetPeerId": target});
        assert_refused(&mut peer, &json!({"type": kind, "data": {}}), "target-missing").await;
        assert_refused(&mut peer, &to("abc"), "target-invalid").await;
        assert_refused(&mut peer, &to(""), "target-invalid").await;
        assert_refused(&mut peer, &to(&itself), "target-self").await;
        assert_refused(&mut peer, &to(&fresh_id()), "peer-unavailable").await;
    }
    peer.assert_none("offer");
}

#[tokio::test]
async fn who_has_not_announced_itself_is_answered_but_cannot_signal() {
    let node = TestNode::alone("node").await;
    let other = WirePeer::join(&node, "global").await;
    let mut peer = WirePeer::connect(&node).await;
    peer.fence().await;
    assert_refused(
        &mut peer,
        &json!({"type": "offer", "data": {}, "targetPeerId": other.id}),
        "not-announced",
    )
    .await;
    peer.goodbye().await;
    peer.fence().await;
    peer.assert_none("error");
}

#[tokio::test]
async fn a_pong_tells_the_time() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::connect(&node).await;
    peer.send(&json!({"type": "ping", "data": {"timestamp": 1}})).await;
    let pong = peer.expect("pong").await.json;
    assert!(pong["data"]["timestamp"].is_u64() && pong["timestamp"].is_u64(), "{pong}");
    peer.send(&json!({"type": "ping"})).await;
    peer.expect("pong").await;
}

#[tokio::test]
async fn a_rejected_connection_is_not_passed_on() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut peer, &mut other).await;
    for reason in ["initiator_role_conflict", "max_peers_reached"] {
        let frame = json!({
            "type": "connection-rejected", "targetPeerId": other.id, "networkName": "room",
            "data": {"reason": reason, "details": "…", "shouldInitiate": false},
        });
        assert_refused(&mut peer, &frame, "not-routed").await;
    }
    other.fence_from(&mut peer).await;
    other.assert_none("connection-rejected");
}

#[tokio::test]
async fn cleanup_is_swallowed() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut peer, &mut other).await;
    let data = json!({"peerId": peer.id, "targetPeerId": other.id, "timestamp": 1, "reason": "connection_established"});
    peer.send(&json!({"type": "cleanup", "data": data, "networkName": "room", "targetPeerId": other.id}))
        .await;
    peer.send(&json!({"type": "cleanup-all", "data": data})).await;
    peer.fence().await;
    peer.assert_none("error");
    other.fence_from(&mut peer).await;
    other.assert_none("cleanup");
}

#[tokio::test]
async fn binary_frames_are_refused() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    peer.send_message(Message::binary(br#"{"type":"ping"}"#.to_vec())).await;
    peer.expect_error("binary-frame").await;
    peer.fence().await;
}

#[tokio::test]
async fn a_profile_that_is_too_large_is_refused() {
    let node = TestNode::alone("node").await;
    let mut other = WirePeer::join(&node, "room").await;
    let mut peer = WirePeer::connect(&node).await;
    let frame = json!({"type": "announce", "networkName": "room", "data": {"name": "x".repeat(16 * 1024)}});
    assert_refused(&mut peer, &frame, "profile-too-large").await;
    other.fence().await;
    other.assert_none("peer-discovered");
    peer.announce("room").await;
    other.expect_peer(&peer.id).await;
}

#[tokio::test]
async fn a_message_of_one_mebibyte_passes_and_a_larger_one_hurts_only_its_sender() {
    let node = TestNode::alone("node").await;
    let mut peer = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut peer, &mut other).await;
    let frame = |length: usize| {
        let of = |text: &str| json!({"type": "offer", "data": text, "targetPeerId": other.id}).to_string();
        of(&"x".repeat(length - of("").len()))
    };
    let (fits, exceeds) = (frame(LIMIT), frame(LIMIT + 1));
    assert_eq!((fits.len(), exceeds.len()), (LIMIT, LIMIT + 1));
    peer.send_text(fits).await;
    other.expect("offer").await;
    peer.send_text(exceeds).await;
    // The wire leaves the choice between an error and the close with 1009; this node closes.
    assert_eq!(peer.closed().await.code, 1009);
    other.fence().await;
    other.assert_none("offer");
}
