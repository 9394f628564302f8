//! One script, over every transport and every pair of them: a peer must not notice on what node, and
//! in what way, another one is connected.

use std::time::{Duration, Instant};

use pigeonhub_tests::{TestNode, Transport, WirePeer, fresh_id, meet};
use serde_json::json;

use Transport::{Events, Socket};

/// How long a signal waits for a peer that was here a moment ago.
const HOLD: Duration = Duration::from_secs(10);

/// A way to a node.
type Place<'a> = (Transport, &'a TestNode);

/// Two nodes that know each other.
async fn mesh(one: TestNode, other: TestNode) -> (TestNode, TestNode) {
    // A serverless node sleeps until it is asked; it is the one that was told of the other.
    other.sees(1).await;
    one.sees(1).await;
    (one, other)
}

async fn native_and_spin() -> (TestNode, TestNode) {
    let native = TestNode::alone("native").await;
    let spin = TestNode::spin("spin", &[&native], &[]).await;
    mesh(native, spin).await
}

async fn play(one: Place<'_>, other: Place<'_>) {
    discovery_and_signals(one, other).await;
    refusals(one).await;
    refusals(other).await;
    absence(one, other).await;
    goodbyes(one, other).await;
    goodbyes(other, one).await;
}

async fn pair(one: Place<'_>, other: Place<'_>) -> (WirePeer, WirePeer) {
    let network = fresh_id();
    let mut one = WirePeer::join_by(one.0, one.1, &network).await;
    let mut other = WirePeer::join_by(other.0, other.1, &network).await;
    meet(&mut one, &mut other).await;
    (one, other)
}

/// Each learns of the other once; offers, answers and candidates arrive in order, untouched and
/// stamped by the node, whoever the sender says it is.
async fn discovery_and_signals(one: Place<'_>, other: Place<'_>) {
    let (mut one, mut other) = pair(one, other).await;
    let victim = fresh_id();
    let data = json!({"type": "offer", "sdp": "v=0\r\n \u{e9} \"quoted\" \\ / \u{2028}"});
    one.send(&json!({
        "type": "offer", "data": data, "targetPeerId": other.id, "networkName": "another",
        "fromPeerId": victim, "id": "the-first",
    }))
    .await;
    let heard = other.expect("offer").await.json;
    assert_eq!([&heard["fromPeerId"], &heard["targetPeerId"]], [&one.id, &other.id]);
    assert_eq!([&heard["networkName"], &heard["data"]], [&json!(one.network), &data]);
    assert_eq!(heard["id"], "the-first");
    other.signal("answer", &one.id, &json!({"type": "answer", "sdp": "v=0"})).await;
    assert_eq!(one.expect("answer").await.json["fromPeerId"], other.id);
    candidates(&mut one, &mut other).await;
    candidates(&mut other, &mut one).await;
    for peer in [&mut one, &mut other] {
        peer.fence().await;
        for nothing in ["offer", "answer", "ice-candidate", "error", "goodbye"] {
            peer.assert_none(nothing);
        }
    }
}

async fn candidates(from: &mut WirePeer, to: &mut WirePeer) {
    for number in 0..30 {
        from.signal("ice-candidate", &to.id, &json!({"candidate": number})).await;
    }
    for number in 0..30 {
        assert_eq!(to.expect("ice-candidate").await.json["data"]["candidate"], number);
    }
}

async fn refusals(place: Place<'_>) {
    let mut peer = WirePeer::connect_by(place.0, place.1).await;
    peer.offer(&fresh_id(), "too early").await;
    assert_eq!(peer.expect_error("not-announced").await.json["originalType"], "offer");
    peer.announce(&fresh_id()).await;
    let nobody = fresh_id();
    peer.offer(&nobody, "is there anybody?").await;
    let error = peer.expect_error("peer-unavailable").await.json;
    assert_eq!([&error["targetPeerId"], &error["originalType"]], [&nobody, "offer"]);
    let own = peer.id.clone();
    peer.offer(&own, "myself").await;
    peer.expect_error("target-self").await;
    for (frame, code) in [
        (json!({"type": "no such type", "data": {}}), "unknown-type"),
        (json!({"data": {}}), "malformed-message"),
        (json!({"type": "offer", "data": {}}), "target-missing"),
        (json!({"type": "offer", "data": {}, "targetPeerId": "12"}), "target-invalid"),
    ] {
        peer.send(&frame).await;
        peer.expect_error(code).await;
    }
}

/// A peer is away for a moment: what is for it waits, and arrives once and in order; if it does not
/// come back, the sender hears so.
async fn absence(one: Place<'_>, other: Place<'_>) {
    let (mut one, other_peer) = pair(one, other).await;
    let mut away = Away::go(other_peer, other).await;
    for number in 0..5 {
        one.offer(&away.id, &format!("are you back? {number}")).await;
    }
    one.fence().await;
    let mut back = away.come_back().await;
    for number in 0..5 {
        let heard = back.expect("offer").await.json;
        assert_eq!(heard["data"]["sdp"], format!("v=0\r\nare you back? {number}"));
    }
    back.fence().await;
    back.assert_none("offer");
    one.assert_none("error");

    away = Away::go(back, other).await;
    let begin = Instant::now();
    one.offer(&away.id, "will you ever come back?").await;
    let error = one.expect_error("peer-unavailable").await.json;
    assert_eq!([&error["targetPeerId"], &error["originalType"]], [&away.id, "offer"]);
    let waited = begin.elapsed();
    assert!(waited > HOLD / 2 && waited < HOLD * 2, "{waited:?}");
}

/// A peer that nobody hears of for a moment.
struct Away<'a> {
    id: String,
    network: String,
    place: Place<'a>,
    /// Over plain HTTP it keeps its ticket.
    peer: Option<WirePeer>,
}

impl<'a> Away<'a> {
    async fn go(mut peer: WirePeer, place: Place<'a>) -> Self {
        let (id, network) = (peer.id.clone(), peer.network.clone());
        let peer = match place.0 {
            Socket => {
                let connections = place.1.health().await["connections"].as_u64().unwrap();
                peer.lose();
                // Until the node has noticed, a frame may still go into the broken connection.
                pigeonhub_tests::eventually("the loss is noticed", pigeonhub_tests::PATIENCE, async || {
                    (place.1.health().await["connections"] == connections - 1).then_some(())
                })
                .await;
                None
            }
            Events => {
                peer.stop_listening();
                // What was on its way to the stream when it was cut was taken by nobody.
                Some(peer)
            }
        };
        Self { id, network, place, peer }
    }

    async fn come_back(self) -> WirePeer {
        match self.peer {
            Some(mut peer) => {
                peer.listen_again();
                peer
            }
            None => WirePeer::join_as(self.place.1, &self.network, &self.id).await,
        }
    }
}

async fn goodbyes(leaver: Place<'_>, other: Place<'_>) {
    let (mut leaver, mut other) = pair(leaver, other).await;
    leaver.goodbye().await;
    assert_eq!(other.expect("goodbye").await.json["fromPeerId"], leaver.id);
    other.offer(&leaver.id, "are you gone?").await;
    other.expect_error("peer-unavailable").await;
    // And it may come again.
    let network = leaver.network.clone();
    leaver.announce(&network).await;
    meet(&mut leaver, &mut other).await;
}

#[tokio::test]
async fn sockets_at_a_native_node() {
    let node = TestNode::alone("node").await;
    play((Socket, &node), (Socket, &node)).await;
}

#[tokio::test]
async fn events_at_a_native_node() {
    let node = TestNode::alone("node").await;
    play((Events, &node), (Events, &node)).await;
}

#[tokio::test]
async fn a_socket_and_events_at_a_native_node() {
    let node = TestNode::alone("node").await;
    play((Socket, &node), (Events, &node)).await;
    absence((Events, &node), (Socket, &node)).await;
}

#[tokio::test]
async fn events_at_a_spin_node() {
    let node = TestNode::spin("spin", &[], &[]).await;
    play((Events, &node), (Events, &node)).await;
}

#[tokio::test]
async fn a_socket_at_a_native_node_and_events_at_a_spin_node() {
    let (native, spin) = native_and_spin().await;
    play((Socket, &native), (Events, &spin)).await;
    absence((Events, &spin), (Socket, &native)).await;
}

#[tokio::test]
async fn events_at_a_native_node_and_at_a_spin_node() {
    let (native, spin) = native_and_spin().await;
    play((Events, &native), (Events, &spin)).await;
    absence((Events, &spin), (Events, &native)).await;
}

#[tokio::test]
async fn events_at_two_spin_nodes() {
    let one = TestNode::spin("spin-1", &[], &[]).await;
    let other = TestNode::spin("spin-2", &[&one], &[]).await;
    let (one, other) = mesh(one, other).await;
    play((Events, &one), (Events, &other)).await;
}
