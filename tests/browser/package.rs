//! The npm package in pages as its users write them.

use pigeonhub_tests::{Mesh, TestNode, fresh_id, one_browser_test_at_a_time};
use serde_json::json;

use crate::page::{Page, serve};
use crate::story::{assert_media_flows, assert_media_stops, assert_talk, join, join_with};

/// Three megabytes: many chunks, and more than one buffer of a data channel.
const LARGE: usize = 3_000_000;

#[tokio::test]
async fn two_browsers_on_two_nodes_talk_send_and_see_each_other_and_outlive_a_node() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(3).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let (ben, ben_id) = join(&server, &mesh.nodes[1], "Ben").await;
    assert_eq!(ada.until("data", [ben_id.as_str()]).await, json!({"name": "Ben"}));
    assert_eq!(ben.until("data", [ada_id.as_str()]).await, json!({"name": "Ada"}));

    ada.call("dial", json!([ben_id, true])).await;
    ben.until("state", [ada_id.as_str()]).await;
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "hello, Grüße, 鳩").await;
    for (from, to, from_id, to_id) in [(&ada, &ben, &ada_id, &ben_id), (&ben, &ada, &ben_id, &ada_id)] {
        let printed = from.call("sendBytes", json!([to_id, LARGE])).await;
        to.hears(from_id, printed.as_str().unwrap()).await;
    }
    // Media of the caller from the start, of the other one added to the link.
    assert_media_flows(&ben, &ada_id).await;
    ben.call("sendMedia", [ada_id.as_str()]).await;
    assert_media_flows(&ada, &ben_id).await;

    mesh.nodes[0].kill();
    mesh.nodes[1].sees(1).await;
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "that was Ada's only node").await;
    assert_media_flows(&ada, &ben_id).await;
    assert_media_flows(&ben, &ada_id).await;
    for (page, other) in [(&ada, &ben_id), (&ben, &ada_id)] {
        assert_eq!(page.call("state", [other.as_str()]).await, "connected");
    }
}

#[tokio::test]
async fn media_that_one_browser_stops_sending_stop_in_the_other_and_flow_again() {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let (ben, ben_id) = join(&server, &mesh.nodes[1], "Ben").await;
    ada.until("data", [ben_id.as_str()]).await;
    ada.call("dial", json!([ben_id, true])).await;
    ben.until("state", [ada_id.as_str()]).await;
    ben.call("sendMedia", [ada_id.as_str()]).await;
    assert_media_flows(&ada, &ben_id).await;

    for (from, from_id, to, to_id) in
        [(&ada, &ada_id, &ben, &ben_id), (&ben, &ben_id, &ada, &ada_id), (&ada, &ada_id, &ben, &ben_id)]
    {
        assert_media_flows(to, from_id).await;
        to.until("shows", json!([from_id, 2])).await;
        from.call("stopMedia", [to_id.as_str()]).await;
        assert_media_stops((to, to_id), (from, from_id)).await;
        to.until("shows", json!([from_id, 0])).await;
        from.call("sendMedia", [to_id.as_str()]).await;
        assert_media_flows(to, from_id).await;
        to.until("shows", json!([from_id, 2])).await;
    }
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "the link was there all the time").await;
}

#[tokio::test]
async fn the_browser_of_a_newcomer_reaches_everybody_after_a_node_died() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(3).await, serve().await);
    // Ada is told of two nodes and uses one; Ben is on another.
    let ada = Page::open(&server, "Ada", "hub.js").await;
    let nodes = [mesh.nodes[0].ws(), mesh.nodes[2].ws()];
    let ada_id = ada.call("join", json!([{"network": "room", "nodes": nodes, "sessions": 1}])).await;
    let ada_id = ada_id.as_str().unwrap();
    let (ben, ben_id) = join(&server, &mesh.nodes[1], "Ben").await;
    ada.until("data", [ben_id.as_str()]).await;
    ada.call("dial", [ben_id.as_str()]).await;

    mesh.nodes[0].kill();
    // Cleo knows a place where nodes are named, which here is a node itself.
    let found = json!({"discover": {"domains": [mesh.nodes[2].url("")]}});
    let (cleo, cleo_id) = join_with(&server, "Cleo", found).await;
    for (other, other_id) in [(&ada, ada_id), (&ben, ben_id.as_str())] {
        cleo.until("data", [other_id]).await;
        cleo.call("dial", [other_id]).await;
        assert_talk((&cleo, &cleo_id), (other, other_id), "hello from a newcomer").await;
    }
    assert_talk((&ada, ada_id), (&ben, &ben_id), "and we never parted").await;
}

#[tokio::test]
async fn errors_in_the_browser_are_typed_and_have_a_code() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let (page, own) = join(&server, &node, "Ada").await;
    // A port that nobody listens at: it was one a moment ago.
    let mut gone = TestNode::alone("gone").await;
    gone.kill();
    for (attempt, argument, code) in [
        ("dial", json!(fresh_id()), "peer-unavailable"),
        ("dial", json!(own), "target-self"),
        ("dial", json!("nobody"), "invalid-peer-id"),
        ("connect", json!({"nodes": [gone.ws()]}), "no-node"),
        ("connect", json!({"nodes": []}), "invalid-options"),
        ("connect", json!({"nodes": ["nonsense"]}), "invalid-url"),
        ("connect", json!({"nodes": [7, null]}), "invalid-url"),
        ("connect", json!({"nodes": [{"url": node.ws(), "transport": "pigeon"}]}), "invalid-options"),
        ("connect", json!({"nodes": [node.ws()], "network": "a\nb"}), "invalid-network"),
        ("connect", json!({"nodes": [node.ws()], "peerId": "x"}), "invalid-peer-id"),
        ("connect", json!({"nodes": [node.ws()], "data": "x"}), "invalid-profile"),
    ] {
        let error = page.call("failure", json!([attempt, argument])).await;
        assert_eq!(error["code"], code, "{attempt} {argument}: {error}");
        assert_eq!(error["typed"], true, "{error}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
    page.call("close", json!([])).await;
    let error = page.call("failure", json!(["dial", fresh_id()])).await;
    assert_eq!(error["code"], "closed", "{error}");
}
