//! Those who read too slowly or say too much are stopped, and others do not notice.

use futures_util::StreamExt;
use pigeonhub_tests::{PATIENCE, StalledPeer, TestNode, Transport, WirePeer, eventually, http, meet};
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;
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

#[tokio::test]
async fn a_visitor_who_says_too_much_is_refused_and_others_are_undisturbed() {
    let node = TestNode::start("node", &[], &["--rate-limit", "10"]).await;
    let mut loud = WirePeer::join_by(Transport::Events, &node, "room").await;
    let mut other = WirePeer::join(&node, "room").await;
    meet(&mut loud, &mut other).await;
    let pings = vec![json!({"type": "ping"}); 100];
    let answer = loud.post(&pings).await.ok();
    let replies = answer["messages"].as_array().unwrap();
    let heard = replies.iter().take_while(|reply| reply["type"] == "pong").count();
    // A burst of fifty, and what a busy machine lets pass meanwhile.
    assert!((1..90).contains(&heard) && replies.len() == 100, "{heard} of {}", replies.len());
    for refused in &replies[heard..] {
        assert_eq!([&refused["type"], &refused["code"]], ["error", "rate-limited"], "{refused}");
        assert!(refused["timestamp"].is_u64(), "{refused}");
    }
    // Of a request for which not one message is left nothing is done, so that it can be said again.
    let early = eventually("a request comes too soon", PATIENCE, async || {
        let answer = loud.post(&pings[..20]).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    early.assert_error(429, "rate-limited");
    assert_eq!(early.header("retry-after"), "1");
    other.fence().await;
    other.assert_none("peer-disconnected");
    // It may go on after a while, and is who it was.
    eventually("it is heard again", PATIENCE, async || {
        let answer = loud.post(&pings[..1]).await;
        (answer.status == 200 && answer.json()["messages"][0]["type"] == "pong").then_some(())
    })
    .await;
    other.offer(&loud.id, "still there?").await;
    loud.expect("offer").await;
}

#[tokio::test]
async fn a_visit_that_is_a_flood_is_ended() {
    let node = TestNode::start("node", &[], &["--rate-limit", "1"]).await;
    let mut other = WirePeer::join(&node, "room").await;
    let mut loud = WirePeer::join_by(Transport::Events, &node, "room").await;
    other.expect_peer(&loud.id).await;
    loud.stop_listening();
    let url = node.url(&format!("/signaling/events?ticket={}", loud.ticket()));
    let mut stream = http::endless(Method::GET, url).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let flood = vec![json!({"type": "ping"}); 200];
    loud.post(&flood).await.assert_error(429, "rate-limited");
    assert_eq!(node.health().await["peers"], 1);
    // Not even by leaving and coming back with the same ticket is more heard.
    loud.post(&flood).await.assert_error(429, "rate-limited");
    let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
    timeout(PATIENCE, ends).await.expect("the stream of a visit that is over ends");
    // The peer may come again, in whatever way.
    let back = WirePeer::join_as(&node, "room", &loud.id).await;
    other.expect_peer(&back.id).await;
    other.fence().await;
}
