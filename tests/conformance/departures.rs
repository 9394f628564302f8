//! How peers go: with a goodbye, without one, and back again.

use pigeonhub_tests::{Mesh, PATIENCE, WirePeer, eventually, meet};

/// Somebody who watches: one peer of the network at each node, and one of another network.
struct Watch {
    mesh: Mesh,
    same: Vec<WirePeer>,
    elsewhere: Vec<WirePeer>,
}

impl Watch {
    async fn start() -> Self {
        let mesh = Mesh::of(2).await;
        let (mut same, mut elsewhere) = (Vec::new(), Vec::new());
        for node in &mesh.nodes {
            // More than five: old nodes told only so many.
            for _ in 0..4 {
                same.push(WirePeer::join(node, "room").await);
            }
            elsewhere.push(WirePeer::join(node, "global").await);
        }
        mesh.nodes[0].knows("room", same.len()).await;
        mesh.nodes[1].knows("room", same.len()).await;
        Self { mesh, same, elsewhere }
    }

    /// A peer that all know.
    async fn newcomer(&mut self) -> WirePeer {
        let peer = WirePeer::join(&self.mesh.nodes[0], "room").await;
        for other in &mut self.same {
            other.expect_peer(&peer.id).await;
        }
        peer
    }

    /// Nobody has anything more to tell, here or at another node.
    async fn settle(&mut self) {
        let mut marker = self.newcomer().await;
        for other in self.same.iter_mut().chain(&mut self.elsewhere) {
            other.fence().await;
        }
        for other in &mut self.same {
            other.fence_from(&mut marker).await;
        }
        marker.goodbye().await;
        for other in &mut self.same {
            other
                .expect_that("the marker's goodbye", |heard| {
                    heard.kind() == "goodbye" && heard.json["fromPeerId"] == marker.id
                })
                .await;
            other
                .expect_that("the marker's departure", |heard| {
                    heard.kind() == "peer-disconnected" && heard.json["data"]["peerId"] == marker.id
                })
                .await;
        }
    }

    /// All of the network heard of one goodbye (or none) and of one departure, others of nothing.
    async fn assert_departed(&mut self, id: &str, goodbyes: usize) {
        for other in &mut self.same {
            let gone = other.expect("peer-disconnected").await.json;
            assert_eq!(gone["data"]["peerId"], id);
            assert_eq!(gone["networkName"], "room");
        }
        self.settle().await;
        for other in &mut self.same {
            other.assert_none("peer-disconnected");
            let heard = other.take("goodbye");
            assert_eq!(heard.len(), goodbyes, "{heard:#?}");
            for goodbye in heard {
                assert_eq!(goodbye.json["fromPeerId"], id);
                assert_eq!(goodbye.json["networkName"], "room");
                assert_eq!(goodbye.json["data"]["peerId"], id);
            }
        }
        for other in &mut self.elsewhere {
            other.assert_none("peer-disconnected");
            other.assert_none("goodbye");
        }
    }
}

#[tokio::test]
async fn a_goodbye_and_the_close_after_it_are_told_once_to_the_whole_network() {
    let mut watch = Watch::start().await;
    let mut leaver = watch.newcomer().await;
    let id = leaver.id.clone();
    leaver.goodbye().await;
    leaver.close().await;
    watch.assert_departed(&id, 1).await;
}

#[tokio::test]
async fn the_goodbye_of_an_unloaded_page_is_told_once_in_its_own_network() {
    let mut watch = Watch::start().await;
    let mut leaver = watch.newcomer().await;
    let id = leaver.id.clone();
    leaver.unload().await;
    leaver.fence().await;
    leaver.assert_none("error");
    leaver.lose();
    watch.assert_departed(&id, 1).await;
}

#[tokio::test]
async fn a_close_without_goodbye_is_a_departure_and_no_goodbye_is_made_up() {
    let mut watch = Watch::start().await;
    let leaver = watch.newcomer().await;
    let id = leaver.id.clone();
    leaver.close().await;
    watch.assert_departed(&id, 0).await;
}

#[tokio::test]
async fn a_broken_connection_is_a_departure_and_no_goodbye_is_made_up() {
    let mut watch = Watch::start().await;
    let leaver = watch.newcomer().await;
    let id = leaver.id.clone();
    leaver.lose();
    watch.assert_departed(&id, 0).await;
}

#[tokio::test]
async fn after_its_goodbye_a_peer_is_not_there_until_it_announces_itself_again() {
    let mesh = Mesh::of(2).await;
    let mut other = WirePeer::join(&mesh.nodes[1], "room").await;
    let mut ghost = WirePeer::join(&mesh.nodes[0], "room").await;
    meet(&mut other, &mut ghost).await;
    ghost.goodbye().await;
    other.expect("goodbye").await;

    ghost.fence().await;
    ghost.offer(&other.id, "boo").await;
    ghost.expect_error("not-announced").await;
    other.offer(&ghost.id, "where are you?").await;
    other.expect_error("peer-unavailable").await;

    ghost.announce("room").await;
    meet(&mut other, &mut ghost).await;
    ghost.offer(&other.id, "back again").await;
    other.expect("offer").await;
    other.offer(&ghost.id, "welcome").await;
    let heard = ghost.expect("offer").await;
    assert_eq!(heard.json["data"]["sdp"], "v=0\r\nwelcome", "and nothing of what came in between");
}

#[tokio::test]
async fn who_comes_back_with_the_same_id_is_discovered_again() {
    let mesh = Mesh::of(2).await;
    let mut other = WirePeer::join(&mesh.nodes[1], "room").await;
    for returning_to in [0, 1, 0] {
        let mut peer = WirePeer::join_as(&mesh.nodes[returning_to], "room", &"0".repeat(40)).await;
        meet(&mut other, &mut peer).await;
        other.offer(&peer.id, "hello").await;
        peer.expect("offer").await;
        peer.goodbye().await;
        peer.close().await;
        other.expect("goodbye").await;
        other.expect("peer-disconnected").await;
        eventually("the id is free", PATIENCE, async || {
            let health = mesh.nodes[returning_to].health().await;
            (health["connections"] == returning_to).then_some(())
        })
        .await;
    }
}
