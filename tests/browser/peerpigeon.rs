//! The npm package `peerpigeon` 1.1.3, unchanged, on our nodes.

use pigeonhub_tests::{Mesh, PageServer, one_browser_test_at_a_time};
use serde_json::json;

use crate::page::{Page, serve};

/// Who has the greater id offers, so both are tried.
const SMALLER: &str = "1111111111111111111111111111111111111111";
const GREATER: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

async fn pigeon(server: &PageServer, name: &'static str) -> Page {
    Page::open(server, name, "pigeon.js").await
}

/// Both are connected, and each hears what the other says.
async fn assert_talk(small: &Page, great: &Page, about: &str) {
    small.until("isConnected", [GREATER]).await;
    great.until("isConnected", [SMALLER]).await;
    for (page, other, own) in [(small, great, SMALLER), (great, small, GREATER)] {
        let text = format!("{about}, says {own}");
        page.until("send", [text.as_str()]).await;
        other.hears(own, &text).await;
    }
}

#[tokio::test]
async fn two_browsers_with_peerpigeon_meet_across_nodes_part_and_meet_again() {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    let (small, great) = (pigeon(&server, "smaller").await, pigeon(&server, "greater").await);
    // A network of its own, and the one of those who name none.
    for network in ["room", "global"] {
        small.call("join", json!([mesh.nodes[0].ws(), network, SMALLER])).await;
        great.call("join", json!([mesh.nodes[1].ws(), network, GREATER])).await;
        assert_talk(&small, &great, network).await;

        // Back with the same, smaller id: without the relay of its goodbye they would not meet.
        small.call("leave", json!([])).await;
        small.call("join", json!([mesh.nodes[0].ws(), network, SMALLER])).await;
        assert_talk(&small, &great, &format!("{network} again")).await;
        small.call("leave", json!([])).await;
        great.call("leave", json!([])).await;
    }
}

#[tokio::test]
async fn two_browsers_with_peerpigeon_see_each_other_across_nodes() {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    // What changes is said in the data channel, or through the nodes if that does not take it.
    for in_channel in [true, false] {
        let (small, great) = (pigeon(&server, "smaller").await, pigeon(&server, "greater").await);
        small.call("join", json!([mesh.nodes[0].ws(), "room", SMALLER])).await;
        great.call("join", json!([mesh.nodes[1].ws(), "room", GREATER])).await;
        assert_talk(&small, &great, "before").await;
        for (page, other, id) in [(&small, &great, GREATER), (&great, &small, SMALLER)] {
            if !in_channel {
                page.call("refuseSignaling", json!([])).await;
                other.call("refuseSignaling", json!([])).await;
            }
            other.call("allowMedia", json!([])).await;
            page.until("sendMedia", [id]).await;
            other.until("sees", json!([])).await;
            for (page, what) in [(page, "renegotiation-offer"), (other, "renegotiation-answer")] {
                let times = page.call("timesSaid", [what]).await;
                assert_eq!(times == 0, in_channel, "{what}: {times} times through the node");
            }
        }
        assert_talk(&small, &great, "after").await;
        small.call("leave", json!([])).await;
        great.call("leave", json!([])).await;
    }
}

#[tokio::test]
async fn a_browser_with_peerpigeon_and_one_with_ours_meet_across_nodes() {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    for (ours, theirs) in [(SMALLER, GREATER), (GREATER, SMALLER)] {
        let pigeon = pigeon(&server, "PeerPigeon").await;
        let hub = Page::open(&server, "ours", "hub.js").await;
        let nodes = [mesh.nodes[0].ws()];
        hub.call("join", json!([{"network": "room", "nodes": nodes, "sessions": 1, "peerId": ours}])).await;
        pigeon.call("join", json!([mesh.nodes[1].ws(), "room", theirs])).await;
        hub.until("data", [theirs]).await;
        hub.call("dial", [theirs]).await;
        pigeon.until("isConnected", [ours]).await;

        // What we send is read there if it has the form of their gossip.
        let gossip = json!({
            "id": format!("from {ours}"), "type": "gossip", "subtype": "chat", "content": "hello", "from": ours,
            "networkName": "room", "timestamp": 1, "ttl": 40, "path": [ours],
        });
        hub.call("send", json!([theirs, gossip.to_string()])).await;
        pigeon.hears(ours, "hello").await;
        pigeon.until("send", ["coo"]).await;
        hub.until("heardGossip", [theirs, "coo"]).await;
    }
}
