//! Peers that pose as hubs, as servers of PeerPigeon do, have no power over anything.

use pigeonhub_tests::{Mesh, WirePeer, fresh_id, meet};
use serde_json::json;

async fn impostor(mesh: &Mesh) -> WirePeer {
    let mut hub = WirePeer::connect(&mesh.nodes[0]).await;
    hub.send(&json!({
        "type": "announce", "networkName": "pigeonhub-mesh",
        "data": {"isHub": true, "port": 1, "host": "127.0.0.1", "capabilities": ["signaling", "relay"], "timestamp": 1},
    }))
    .await;
    hub.fence().await;
    hub
}

#[tokio::test]
async fn an_impostor_hears_nothing_of_other_networks() {
    let mesh = Mesh::of(2).await;
    let mut hub = impostor(&mesh).await;
    let mut one = WirePeer::join(&mesh.nodes[0], "room").await;
    let mut other = WirePeer::join(&mesh.nodes[1], "room").await;
    meet(&mut one, &mut other).await;
    one.offer(&fresh_id(), "to nobody").await;
    one.expect_error("peer-unavailable").await;
    one.goodbye().await;
    other.expect("goodbye").await;
    hub.fence().await;
    for kind in ["offer", "peer-discovered", "goodbye", "peer-disconnected"] {
        hub.assert_none(kind);
    }
}

#[tokio::test]
async fn an_impostor_cannot_tell_of_peers_or_speak_for_them() {
    let mesh = Mesh::of(2).await;
    let mut hub = impostor(&mesh).await;
    let mut victims = [
        WirePeer::join(&mesh.nodes[0], "room").await,
        WirePeer::join(&mesh.nodes[1], "pigeonhub-mesh").await,
    ];
    hub.expect_peer(&victims[1].id).await;
    let invented = fresh_id();
    for kind in ["peer-discovered", "peer-disconnected"] {
        for network in ["room", "global", "pigeonhub-mesh"] {
            hub.send(&json!({
                "type": kind, "networkName": network, "fromPeerId": "system",
                "data": {"peerId": invented, "isHub": false},
            }))
            .await;
            assert_eq!(hub.expect_error("unknown-type").await.json["originalType"], kind);
        }
    }
    // Not even to a peer of the same network.
    let [here, there] = &mut victims;
    hub.send(&json!({
        "type": "offer", "networkName": "pigeonhub-mesh", "fromPeerId": invented, "targetPeerId": there.id,
        "data": {"type": "offer", "sdp": "v=0"},
    }))
    .await;
    assert_eq!(there.expect("offer").await.json["fromPeerId"], hub.id);
    here.fence().await;
    there.fence().await;
    for victim in &mut victims {
        let told = victim.take("peer-discovered");
        assert!(!told.iter().any(|heard| heard.text.contains(&invented)), "{told:#?}");
        victim.assert_none("peer-disconnected");
    }
}
