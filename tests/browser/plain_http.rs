//! Pages on nodes without WebSockets: requests and a stream of events, to any node that has them.

use pigeonhub_tests::{Cable, Mesh, PageServer, TestNode, WirePeer, one_browser_test_at_a_time};
use serde_json::{Value, json};

use crate::page::{Page, serve};
use crate::story::{assert_media_flows, assert_talk, join, join_with};

/// How many peers come while the stream is cut again and again, and after how many it is cut.
const CROWD: usize = 40;
const CUT_AFTER: usize = 7;

/// A page that visits a node by this cable, and may go to another one when that is gone.
async fn visit(server: &PageServer, cable: &Cable, other: Option<&TestNode>) -> (Page, String) {
    let visited = json!({"url": cable.url(), "transport": "http"});
    let nodes: Vec<_> = [visited].into_iter().chain(other.map(|node| json!(node.ws()))).collect();
    let (page, id) = join_with(server, "Ada", json!({"nodes": nodes})).await;
    page.until("reached", ["http"]).await;
    (page, id)
}

/// They find each other, and one calls the other with sound and picture.
async fn they_call_each_other((ada, ada_id): (&Page, &str), (ben, ben_id): (&Page, &str)) {
    assert_eq!(ada.until("data", [ben_id]).await, json!({"name": "Ben"}));
    ben.until("data", [ada_id]).await;
    ada.call("dial", json!([ben_id, true])).await;
    ben.until("state", [ada_id]).await;
    assert_talk((ada, ada_id), (ben, ben_id), "by request and event").await;
    assert_media_flows(ben, ada_id).await;
}

/// Ada visits a node over plain HTTP, Ben is on a second one by WebSocket; the third is for when
/// Ada's dies.
async fn they_call_each_other_and_outlive_the_visited_node(visited: &mut TestNode, others: &[TestNode]) {
    let server = serve().await;
    let cable = Cable::to(visited.port).await;
    let (ada, ada_id) = visit(&server, &cable, Some(&others[1])).await;
    let (ben, ben_id) = join(&server, &others[0], "Ben").await;
    they_call_each_other((&ada, &ada_id), (&ben, &ben_id)).await;

    visited.kill();
    let (cleo, cleo_id) = join(&server, &others[1], "Cleo").await;
    cleo.until("data", [ada_id.as_str()]).await;
    cleo.call("dial", [ada_id.as_str()]).await;
    assert_talk((&cleo, &cleo_id), (&ada, &ada_id), "Ada is where I am now").await;
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "and we never parted").await;
    assert_media_flows(&ben, &ada_id).await;
    assert_eq!(ada.call("reached", ["websocket"]).await, true);
}

/// Peers come while the stream is cut: the page is told of each, once, and its session stands.
async fn nothing_is_lost_or_repeated_when_streams_are_cut(visited: &TestNode, other: &TestNode) {
    let server = serve().await;
    let cable = Cable::to(visited.port).await;
    let (ada, _) = visit(&server, &cable, None).await;
    let before = ada.call("nodeStates", json!([])).await;
    let mut crowd = Vec::new();
    for number in 1..=CROWD {
        crowd.push(WirePeer::join(other, "room").await);
        if number % CUT_AFTER == 0 {
            // So that it is not always the pause between two streams that is cut.
            ada.until("data", [crowd[number - CUT_AFTER].id.as_str()]).await;
            cable.cut();
        }
    }
    for peer in &crowd {
        ada.until("data", [peer.id.as_str()]).await;
    }
    let once: Value = crowd.iter().map(|peer| (peer.id.clone(), json!(1))).collect();
    assert_eq!(ada.call("timesTold", json!([])).await, once);
    assert_eq!(ada.call("nodeStates", json!([])).await, before, "the session stood all the time");
}

#[tokio::test]
async fn a_browser_that_visits_its_node_over_plain_http_calls_one_on_a_websocket() {
    let _turn = one_browser_test_at_a_time().await;
    let mut mesh = Mesh::patient(3).await;
    let others = mesh.nodes.split_off(1);
    they_call_each_other_and_outlive_the_visited_node(&mut mesh.nodes[0], &others).await;
}

#[tokio::test]
async fn a_browser_loses_nothing_when_its_stream_is_cut() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(2).await;
    nothing_is_lost_or_repeated_when_streams_are_cut(&mesh.nodes[0], &mesh.nodes[1]).await;
}

/// A serverless node, and a native one that it knows.
async fn serverless_and_native() -> (TestNode, TestNode) {
    let native = TestNode::start("native", &[], &["--signaling-timeout", "15000"]).await;
    let serverless = TestNode::spin("serverless", &[&native], &[("signaling-timeout", "15000")]).await;
    // It sleeps until it is asked.
    serverless.sees(1).await;
    native.sees(1).await;
    (serverless, native)
}

#[tokio::test]
async fn a_browser_on_a_serverless_node_calls_one_on_a_native_node() {
    let _turn = one_browser_test_at_a_time().await;
    let ((serverless, native), server) = (serverless_and_native().await, serve().await);
    let cable = Cable::to(serverless.port).await;
    let (ada, ada_id) = visit(&server, &cable, None).await;
    let (ben, ben_id) = join(&server, &native, "Ben").await;
    they_call_each_other((&ada, &ada_id), (&ben, &ben_id)).await;
}

#[tokio::test]
async fn a_browser_on_a_serverless_node_loses_nothing_when_its_stream_is_cut() {
    let _turn = one_browser_test_at_a_time().await;
    let (serverless, native) = serverless_and_native().await;
    nothing_is_lost_or_repeated_when_streams_are_cut(&serverless, &native).await;
}

#[tokio::test]
async fn a_browser_that_goes_away_says_goodbye_over_plain_http_too() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let mut wire = WirePeer::join(&node, "room").await;
    let cable = Cable::to(node.port).await;
    let (ada, ada_id) = visit(&server, &cable, None).await;
    wire.expect_peer(&ada_id).await;
    assert_eq!(node.health().await["connections"], 1, "the socket of the other peer");
    ada.leave(&server.url("/")).await;
    let goodbye = wire.expect("goodbye").await;
    assert_eq!(goodbye.json["fromPeerId"], ada_id);
}

#[tokio::test]
async fn a_browser_that_gives_up_a_node_is_gone_there_at_once_without_a_goodbye() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let mut wire = WirePeer::join(&node, "room").await;
    let cable = Cable::to(node.port).await;
    let (ada, ada_id) = visit(&server, &cable, None).await;
    wire.expect_peer(&ada_id).await;
    ada.call("removeNode", [cable.url()]).await;
    let gone = wire.expect("peer-disconnected").await;
    assert_eq!(gone.json["data"]["peerId"], ada_id);
    wire.fence().await;
    wire.assert_none("goodbye");
}

#[tokio::test]
async fn a_browser_asks_a_node_how_to_reach_it_and_finds_a_way_where_no_websocket_passes() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let mut wire = WirePeer::join(&node, "room").await;
    let (free, barred) = (Cable::to(node.port).await, Cable::without_websockets(node.port).await);
    for (cable, transport) in [(free, "websocket"), (barred, "http")] {
        let (page, id) = join_with(&server, "Ada", json!({"nodes": [cable.url()]})).await;
        page.until("reached", [transport]).await;
        wire.expect_peer(&id).await;
        page.until("data", [wire.id.as_str()]).await;
    }
}

#[tokio::test]
async fn a_browser_is_back_when_the_node_that_it_visits_was_restarted() {
    let _turn = one_browser_test_at_a_time().await;
    // Its key stays, and with it the tickets; what it knew of peers does not.
    let key = "01".repeat(32);
    let (mut node, server) = (TestNode::start("node", &[], &["--node-key", &key]).await, serve().await);
    let cable = Cable::to(node.port).await;
    let (ada, ada_id) = visit(&server, &cable, None).await;
    node.restart().await;
    let mut wire = WirePeer::join(&node, "room").await;
    wire.expect_peer(&ada_id).await;
    ada.until("data", [wire.id.as_str()]).await;
}
