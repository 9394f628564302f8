//! Those who read too slowly or say too much are stopped, and others do not notice.

use futures_util::StreamExt;
use pigeonhub_tests::{PATIENCE, StalledPeer, TestNode, WirePeer, eventually, meet};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_slow_reader_is_closed_with_1013_and_others_are_undisturbed() {
    let node = TestNode::start("node", &[], &["--rate-limit", "0"]).await;
    let mut slow = StalledPeer::join(&node, "room").await;
    let mut sender = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    sender.expect_peer(&slow.id).await;
    meet(&mut sender, &mut other).await;

    // More than sockets buffer: from then on it waits at the node, up to a bound.
    let large = "x".repeat(256 * 1024);
    let mut refused = false;
    for _ in 0..400 {
        sender.offer(&slow.id, &large).await;
        sender.fence().await;
        if let Some(error) = sender.take("error").first() {
            assert_eq!(error.json["code"], "mailbox-full", "{}", error.text);
            refused = true;
            break;
        }
    }
    assert!(refused, "the node takes more and more for a peer that reads nothing");
    // News are not refused; they fill what is left.
    let mut news = 0;
    while node.health().await["connections"] == 3 {
        let profile = json!({"news": news, "text": "x".repeat(15 * 1024)});
        sender.send(&json!({"type": "announce", "networkName": "room", "data": profile})).await;
        news += 1;
        assert!(news < 500, "the slow reader is never closed");
    }
    let mut last = None;
    while let Some(Ok(message)) = slow.socket.next().await {
        last = Some(message);
    }
    let Some(Message::Close(Some(close))) = last else { panic!("no close frame, but {:?}", last.is_some()) };
    assert_eq!(u16::from(close.code), 1013, "{close:?}");
    // Everybody else goes on.
    sender.offer(&other.id, "did you notice?").await;
    other.expect("offer").await;
}

#[tokio::test]
async fn who_says_too_much_is_refused_and_others_are_undisturbed() {
    let node = TestNode::start("node", &[], &["--rate-limit", "10"]).await;
    let mut loud = WirePeer::join(&node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut loud, &mut other).await;
    for _ in 0..100 {
        loud.send(&json!({"type": "ping"})).await;
    }
    let error = loud.expect_error("rate-limited").await;
    assert!(error.json["timestamp"].is_u64(), "{}", error.text);
    other.fence().await;
    // It may go on after a while.
    eventually("it is heard again", PATIENCE, async || {
        loud.take("pong");
        loud.take("error");
        loud.send(&json!({"type": "ping"})).await;
        let answer = loud.expect_that("an answer", |heard| ["pong", "error"].contains(&heard.kind())).await;
        (answer.kind() == "pong").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_closed() {
    let node = TestNode::start("node", &[], &["--rate-limit", "1"]).await;
    let mut loud = WirePeer::connect(&node).await;
    let mut other = WirePeer::connect(&node).await;
    for _ in 0..200 {
        if !loud.try_send_text(r#"{"type":"ping"}"#).await {
            break;
        }
    }
    assert_eq!(loud.closed().await.code, 1008);
    other.fence().await;
}
