//! Signals that cannot be delivered at once: held for who returns, refused honestly, and never at
//! the cost of others.

use std::time::{Duration, Instant};

use pigeonhub_tests::{
    Heard, Mesh, PATIENCE, TestNode, Transport, WirePeer, eventually, fresh_id, http, meet,
};
use serde_json::json;

use Transport::{Events, Socket};

/// How long a signal waits for its target's return.
const HOLD: Duration = Duration::from_secs(10);

/// Clearly less than the hold, on a machine that is busy.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn lose(peer: WirePeer, node: &TestNode, left: usize) -> String {
    let id = peer.id.clone();
    peer.lose();
    // Until the node has noticed, a frame may still go into the broken connection.
    eventually("the node notices the loss", PATIENCE, async || {
        (node.health().await["connections"] == left).then_some(())
    })
    .await;
    id
}

#[tokio::test]
async fn a_signal_to_nobody_is_refused_at_once() {
    let mesh = Mesh::of(3).await;
    let mut peer = WirePeer::join(&mesh.nodes[0], "room").await;
    for kind in ["offer", "answer", "ice-candidate"] {
        let (nobody, begin) = (fresh_id(), Instant::now());
        peer.signal(kind, &nobody, &serde_json::json!({"type": kind})).await;
        let error = peer.expect_error("peer-unavailable").await.json;
        assert_eq!(error["originalType"], kind);
        assert_eq!(error["targetPeerId"], nobody);
        assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    }
}

/// A peer is lost, is sent an offer and candidates, and comes back at this node of two.
async fn assert_held_until_return_to(index: usize) {
    let mesh = Mesh::of(2).await;
    let mut callers =
        [WirePeer::join(&mesh.nodes[0], "room").await, WirePeer::join(&mesh.nodes[1], "room").await];
    let target = WirePeer::join(&mesh.nodes[0], "room").await;
    for caller in &mut callers {
        caller.expect_peer(&target.id).await;
    }
    let id = lose(target, &mesh.nodes[0], 1).await;
    // Until the other node knows, signals may be on their way to the first, and come back behind
    // those that wait.
    eventually("the other node knows", PATIENCE, async || {
        let peers = http::get(mesh.nodes[1].url("/peers?network=room")).await;
        (!peers.text.contains(&id)).then_some(())
    })
    .await;
    for caller in &mut callers {
        caller.offer(&id, "are you back?").await;
        for number in 0..20 {
            caller.signal("ice-candidate", &id, &serde_json::json!({"candidate": number})).await;
        }
        caller.fence().await;
    }
    let mut target = WirePeer::join_as(&mesh.nodes[index], "room", &id).await;
    for caller in &mut callers {
        let from_caller = |kind: &'static str| {
            let caller = caller.id.clone();
            move |heard: &Heard| heard.kind() == kind && heard.json["fromPeerId"] == *caller
        };
        target.expect_that("the offer", from_caller("offer")).await;
        for number in 0..20 {
            let heard = target.expect_that("a candidate", from_caller("ice-candidate")).await;
            assert_eq!(heard.json["data"]["candidate"], number);
        }
        caller.fence().await;
        caller.assert_none("error");
    }
}

#[tokio::test]
async fn a_signal_waits_for_who_was_lost_and_returns() {
    assert_held_until_return_to(0).await;
}

#[tokio::test]
async fn a_signal_follows_who_was_lost_and_returns_at_another_node() {
    assert_held_until_return_to(1).await;
}

#[tokio::test]
async fn a_signal_to_who_was_lost_and_does_not_return_is_refused_after_the_hold() {
    let mesh = Mesh::of(2).await;
    let mut callers =
        [WirePeer::join(&mesh.nodes[0], "room").await, WirePeer::join(&mesh.nodes[1], "room").await];
    let target = WirePeer::join(&mesh.nodes[0], "room").await;
    for caller in &mut callers {
        caller.expect_peer(&target.id).await;
    }
    let id = lose(target, &mesh.nodes[0], 1).await;
    let begin = Instant::now();
    for caller in &mut callers {
        caller.offer(&id, "are you back?").await;
    }
    for caller in &mut callers {
        let error = caller.expect_error("peer-unavailable").await.json;
        assert_eq!(error["originalType"], "offer");
        assert_eq!(error["targetPeerId"], id);
        let waited = begin.elapsed();
        assert!(waited > HOLD / 2 && waited < HOLD + HOLD / 2, "{waited:?}");
    }
}

#[tokio::test]
async fn a_node_that_is_down_costs_others_no_waiting() {
    // So long that any wait for the silent node would show, however busy the machine is.
    let mesh = Mesh::with(3, &["--signaling-timeout", "20000"]).await;
    let [a, b, c] = mesh.nodes.as_slice() else { unreachable!() };
    let mut one = WirePeer::join(a, "room").await;
    let mut other = WirePeer::join(b, "room").await;
    let mut far = WirePeer::join(c, "room").await;
    meet(&mut one, &mut other).await;
    meet(&mut one, &mut far).await;
    c.pause();
    let begin = Instant::now();
    one.offer(&far.id, "into the silence").await;
    one.offer(&fresh_id(), "to nobody: every node is asked").await;
    for number in 0..10 {
        one.offer(&other.id, &format!("{number}")).await;
        let heard = other.expect("offer").await;
        assert_eq!(heard.json["data"]["sdp"], format!("v=0\r\n{number}"));
    }
    let mut late = WirePeer::join(b, "room").await;
    meet(&mut one, &mut late).await;
    a.health().await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_home_that_hangs_is_not_waited_for_if_the_target_has_another() {
    let homes = [TestNode::alone("n-1").await, TestNode::alone("n-2").await];
    let known: Vec<_> = homes.iter().collect();
    // So long that any wait for the silent home would show, however busy the machine is.
    let native = TestNode::start("native", &known, &["--signaling-timeout", "20000"]).await;
    let spin = TestNode::spin("spin", &known, &[("signaling-timeout", "20000")]).await;
    // The serverless one first: it does nothing until it is asked something.
    for node in [&spin, &native].into_iter().chain(&homes) {
        node.sees(3).await;
    }
    let mut senders =
        [WirePeer::join_by(Socket, &native, "room").await, WirePeer::join_by(Events, &spin, "room").await];
    let mut target = [WirePeer::join(&homes[0], "room").await, WirePeer::connect(&homes[1]).await];
    target[1] = WirePeer::join_as(&homes[1], "room", &target[0].id).await;
    for sender in &mut senders {
        meet(&mut target[0], sender).await;
        target[1].expect_peer(&sender.id).await;
    }
    // Whichever is asked first, it hangs once.
    for (hanging, other) in [(0, 1), (1, 0)] {
        homes[hanging].pause();
        for sender in &mut senders {
            let begin = Instant::now();
            let text = format!("past-{}", homes[hanging].id);
            let offer =
                json!({"type": "offer", "targetPeerId": target[0].id, "id": text, "data": {"sdp": text}});
            sender.send(&offer).await;
            // What was held up before may come late, again.
            let this =
                |heard: &Heard| heard.json["data"]["sdp"] == text && heard.json["fromPeerId"] == sender.id;
            target[other].expect_that(&text, this).await;
            sender.fence().await;
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
            sender.assert_none("error");
        }
        homes[hanging].resume();
        homes[hanging].sees(3).await;
        target[hanging].fence().await;
    }
}

#[tokio::test]
async fn a_signal_to_a_node_that_does_not_answer_is_refused() {
    let mesh = Mesh::of(2).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut far = WirePeer::join(&mesh.nodes[1], "room").await;
    meet(&mut one, &mut far).await;
    mesh.nodes[1].pause();
    one.offer(&far.id, "into the silence").await;
    let error = one.expect("error").await.json;
    assert_eq!(error["originalType"], "offer");
    assert_eq!(error["targetPeerId"], far.id);
    assert!(["node-unreachable", "peer-unavailable"].contains(&error["code"].as_str().unwrap()), "{error}");
}
