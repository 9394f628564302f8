//! Nodes come, go, crash and return; their peers with them.

use std::process::Command;
use std::time::{Duration, Instant};

use pigeonhub_tests::{Closed, Mesh, TestNode, WirePeer, http, meet, node_binary};

/// How soon an orderly stop is known to all.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_chain_of_bootstrap_peers_ends_as_a_full_mesh() {
    let mesh = Mesh::of(4).await;
    for node in &mesh.nodes {
        let hubs = http::get(node.url("/hubs")).await.ok();
        let up = hubs["hubs"].as_array().unwrap().iter().filter(|hub| hub["state"] == "up").count();
        assert_eq!(up, 3, "{hubs}");
        assert_eq!(node.health().await["connected"], true);
    }
}

#[tokio::test]
async fn the_peers_of_a_killed_node_are_gone_and_return_with_it() {
    let mut mesh = Mesh::of(3).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut other = WirePeer::join(&mesh.nodes[2], "room").await;
    let mut lost = WirePeer::join(&mesh.nodes[1], "room").await;
    meet(&mut one, &mut lost).await;
    meet(&mut other, &mut lost).await;
    meet(&mut one, &mut other).await;

    mesh.nodes[1].kill();
    for survivor in [&mut one, &mut other] {
        let gone = survivor.expect("peer-disconnected").await;
        assert_eq!(gone.json["data"]["peerId"], lost.id);
        assert_eq!(gone.json["networkName"], "room");
    }
    mesh.nodes[0].sees(1).await;
    mesh.nodes[2].sees(1).await;
    mesh.nodes[0].knows("room", 2).await;
    one.offer(&other.id, "we are still here").await;
    other.expect("offer").await;

    mesh.nodes[1].restart().await;
    mesh.whole().await;
    let mut back = WirePeer::join_as(&mesh.nodes[1], "room", &lost.id).await;
    meet(&mut one, &mut back).await;
    meet(&mut other, &mut back).await;
    back.offer(&one.id, "so am I").await;
    one.expect("offer").await;
    for survivor in [&mut one, &mut other] {
        survivor.fence().await;
        survivor.assert_none("peer-disconnected");
        survivor.assert_none("goodbye");
    }
}

#[tokio::test]
async fn a_node_that_stops_in_an_orderly_way_closes_its_sockets_and_tells_the_others() {
    let mut mesh = Mesh::of(3).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut leaving = WirePeer::join(&mesh.nodes[1], "room").await;
    let mut unannounced = WirePeer::connect(&mesh.nodes[1]).await;
    meet(&mut one, &mut leaving).await;

    mesh.nodes[1].terminate();
    let begin = Instant::now();
    for peer in [&mut leaving, &mut unannounced] {
        let Closed { code, reason } = peer.closed().await;
        assert!(code == 1012 && reason.starts_with("Server shutting down"), "{code} {reason}");
    }
    mesh.nodes[0].sees(1).await;
    mesh.nodes[2].sees(1).await;
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert!(mesh.nodes[1].ended().await.success());

    // Its peers move to another node, and are reached there.
    let mut moved = WirePeer::join_as(&mesh.nodes[2], "room", &leaving.id).await;
    moved.expect_peer(&one.id).await;
    one.offer(&moved.id, "there you are").await;
    moved.expect("offer").await;
    one.fence().await;
    one.assert_none("goodbye");
}

#[tokio::test]
async fn a_node_that_was_paused_is_found_again() {
    let mesh = Mesh::of(2).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut other = WirePeer::join(&mesh.nodes[1], "room").await;
    meet(&mut one, &mut other).await;
    mesh.nodes[1].pause();
    mesh.nodes[0].sees(0).await;
    assert_eq!(one.expect("peer-disconnected").await.json["data"]["peerId"], other.id);
    mesh.nodes[1].resume();
    mesh.whole().await;
    one.expect_peer(&other.id).await;
    one.offer(&other.id, "welcome back").await;
    other.expect("offer").await;
    other.offer(&one.id, "was I away?").await;
    one.expect("offer").await;
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let node = TestNode::alone("node").await;
    let output = Command::new(node_binary())
        .args(["--host", "127.0.0.1", "--port", &node.port.to_string()])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&node.port.to_string()), "{said}");
}
