//! Who hears of whom: both sides of every pair, on all nodes, and nobody else.

use std::collections::BTreeSet;

use pigeonhub_tests::{Mesh, TestNode, WirePeer, meet};
use serde_json::json;

/// The peers that this one was told of; each once.
fn heard_of(peer: &mut WirePeer) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for heard in peer.take("peer-discovered") {
        let id = heard.json["data"]["peerId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id), "{} was told twice of {}", peer.id, heard.text);
    }
    ids
}

/// Early and late joiners, taking turns at the nodes.
async fn assert_all_meet(nodes: &[&TestNode]) {
    const PEERS: usize = 6;
    let mut peers: Vec<WirePeer> = Vec::new();
    for node in nodes.iter().cycle().take(PEERS) {
        let newcomer = WirePeer::join(node, "room").await;
        peers.push(newcomer);
    }
    let ids: BTreeSet<String> = peers.iter().map(|peer| peer.id.clone()).collect();
    for peer in &mut peers {
        for other in &ids {
            if *other == peer.id {
                continue;
            }
            let heard = peer.expect_peer(other).await;
            assert_eq!(heard.json["networkName"], "room");
            assert_eq!(heard.json["data"]["isHub"], false);
        }
        peer.fence().await;
        assert_eq!(heard_of(peer), BTreeSet::new(), "nobody twice, and never oneself");
    }
}

#[tokio::test]
async fn early_and_late_joiners_of_one_node_hear_of_each_other_once() {
    let node = TestNode::alone("node").await;
    assert_all_meet(&[&node]).await;
}

#[tokio::test]
async fn early_and_late_joiners_of_several_nodes_hear_of_each_other_once() {
    let mesh = Mesh::of(3).await;
    assert_all_meet(&mesh.nodes.iter().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_node_that_joins_late_learns_of_peers_that_were_there_before() {
    let first = TestNode::alone("first").await;
    let mut early = WirePeer::join(&first, "room").await;
    let second = TestNode::start("second", &[&first], &[]).await;
    second.sees(1).await;
    let mut late = WirePeer::join(&second, "room").await;
    meet(&mut early, &mut late).await;
}

#[tokio::test]
async fn the_profile_of_an_announce_is_handed_on() {
    let mesh = Mesh::of(2).await;
    let profile = json!({"name": "My App", "capabilities": ["video"], "version": "1.0.0"});
    let mut others =
        [WirePeer::join(&mesh.nodes[0], "global").await, WirePeer::join(&mesh.nodes[1], "global").await];
    let mut app = WirePeer::connect(&mesh.nodes[0]).await;
    // As raw programs announce: no network, a free profile.
    app.send(&json!({"type": "announce", "data": profile})).await;
    for other in &mut others {
        let heard = other.expect_peer(&app.id).await;
        assert_eq!(heard.json["networkName"], "global");
        for (name, value) in profile.as_object().expect("an object") {
            assert_eq!(heard.json["data"][name], *value);
        }
    }
}

#[tokio::test]
async fn a_profile_cannot_announce_somebody_else() {
    let mesh = Mesh::of(2).await;
    let mut here = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut there = WirePeer::join(&mesh.nodes[1], "room").await;
    meet(&mut here, &mut there).await;
    let mut forger = WirePeer::connect(&mesh.nodes[0]).await;
    let victim = "f".repeat(40);
    forger
        .send_text(format!(
            r#"{{"type":"announce","networkName":"room","fromPeerId":"{victim}","data":{{"peerId":"{victim}","isHub":true,"nodeId":"x","peer\u0049d":"{victim}"}}}}"#,
        ))
        .await;
    for other in [&mut here, &mut there] {
        let heard = other.expect_peer(&forger.id).await;
        assert_eq!(heard.json["data"]["isHub"], false);
        assert_eq!(heard.json["data"]["nodeId"], "node-a");
        assert!(!heard.text.contains(&victim), "{}", heard.text);
    }
}

#[tokio::test]
async fn networks_do_not_see_each_other() {
    let mesh = Mesh::of(2).await;
    let mut peers = Vec::new();
    for network in ["room", "Room", " room", "room ", "global"] {
        peers.push(WirePeer::join(&mesh.nodes[peers.len() % 2], network).await);
    }
    // An empty name is `global`: the one pair that may meet.
    let mut unnamed = WirePeer::join(&mesh.nodes[0], "").await;
    let mut global = peers.pop().expect("the last one");
    meet(&mut unnamed, &mut global).await;
    for peer in &mut peers {
        // Whatever the other node had to tell is told before what its newest peer says.
        let mut witness = WirePeer::join(&mesh.nodes[1], &peer.network).await;
        peer.expect_peer(&witness.id).await;
        peer.fence_from(&mut witness).await;
        assert_eq!(heard_of(peer), BTreeSet::new());
        witness.expect_peer(&peer.id).await;
        witness.fence().await;
        assert_eq!(heard_of(&mut witness), BTreeSet::new());
    }
}

#[tokio::test]
async fn announcing_in_another_network_leaves_the_first() {
    let mesh = Mesh::of(2).await;
    let mut old = WirePeer::join(&mesh.nodes[1], "old").await;
    let mut new = WirePeer::join(&mesh.nodes[1], "new").await;
    let mut mover = WirePeer::join(&mesh.nodes[0], "old").await;
    meet(&mut old, &mut mover).await;
    mover.announce("new").await;
    meet(&mut new, &mut mover).await;
    let left = old.expect("peer-disconnected").await;
    assert_eq!(left.json["data"]["peerId"], mover.id);
    assert_eq!(left.json["networkName"], "old");
    mesh.nodes[0].knows("old", 1).await;
    mesh.nodes[1].knows("old", 1).await;
    // It is not reached from there any more.
    old.offer(&mover.id, "are you still there?").await;
    old.fence().await;
    mover.fence_from(&mut new).await;
    mover.assert_none("offer");
    old.assert_none("goodbye");
}

#[tokio::test]
async fn a_peer_at_two_nodes_is_one_peer() {
    let mesh = Mesh::of(2).await;
    let mut other = WirePeer::join(&mesh.nodes[1], "room").await;
    let mut here = WirePeer::join(&mesh.nodes[0], "room").await;
    meet(&mut other, &mut here).await;
    let mut there = WirePeer::join_as(&mesh.nodes[1], "room", &here.id).await;
    there.expect_peer(&other.id).await;
    // What the nodes had to say of it was said before what they say of later ones.
    let mut later =
        [WirePeer::join(&mesh.nodes[0], "room").await, WirePeer::join(&mesh.nodes[1], "room").await];
    for same in [&mut here, &mut there] {
        same.expect_peer(&later[0].id).await;
        same.expect_peer(&later[1].id).await;
        assert!(!heard_of(same).contains(&same.id), "told of oneself");
    }
    // It is gone when it is gone from both, not before.
    here.close().await;
    other.fence_from(&mut later[0]).await;
    other.offer(&there.id, "still there").await;
    there.expect("offer").await;
    other.fence().await;
    other.assert_none("peer-disconnected");
    let id = there.id.clone();
    there.close().await;
    assert_eq!(other.expect("peer-disconnected").await.json["data"]["peerId"], id);
}

#[tokio::test]
async fn in_a_large_network_an_announce_is_told_to_some_and_these_are_told_of() {
    const MOST: usize = 4;
    let mesh = Mesh::with(2, &["--discovery", "4"]).await;
    let mut crowd = Vec::new();
    for number in 0..10 {
        crowd.push(WirePeer::join(&mesh.nodes[number % 2], "crowd").await);
        // A node knows of a network when somebody is there.
        for node in mesh.nodes.iter().take(number + 1) {
            node.knows("crowd", number + 1).await;
        }
    }
    for peer in &mut crowd {
        peer.fence().await;
        peer.take("peer-discovered");
    }
    let mut newcomer = WirePeer::join(&mesh.nodes[0], "crowd").await;
    newcomer.fence().await;
    let told_of = heard_of(&mut newcomer);
    assert!((1..=MOST).contains(&told_of.len()), "{told_of:?}");
    for id in told_of {
        let known = crowd.iter_mut().find(|peer| peer.id == id).expect("somebody of the crowd");
        known.expect_peer(&newcomer.id).await;
    }
}
