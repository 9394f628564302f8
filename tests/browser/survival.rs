//! Calls in real pages that survive the nodes that they were made through, and a laptop that sleeps.

use std::time::Duration;

use pigeonhub_tests::{Mesh, TestNode, one_browser_test_at_a_time};
use serde_json::json;
use tokio::time::sleep;

use crate::page::serve;
use crate::story::{assert_media_flows, assert_talk, join, join_with};

/// How long the lid stays closed.
const LID: Duration = Duration::from_secs(60);

/// These nodes, in this order; on two at once.
fn on_two(nodes: &[&TestNode]) -> serde_json::Value {
    let urls: Vec<_> = nodes.iter().map(|node| node.ws()).collect();
    json!({"nodes": urls, "sessions": 2})
}

#[tokio::test]
async fn a_call_of_two_browsers_connects_though_a_node_dies_between_offer_and_answer() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(3).await, serve().await);
    // Both are on the first node, and it carries what they say first.
    let [a, b, c] = [&mesh.nodes[0], &mesh.nodes[1], &mesh.nodes[2]];
    let (ada, ada_id) = join_with(&server, "Ada", on_two(&[a, b])).await;
    let (ben, ben_id) = join_with(&server, "Ben", on_two(&[a, c])).await;
    ada.until("isOn", [2]).await;
    ben.until("isOn", [2]).await;
    ada.until("data", [ben_id.as_str()]).await;

    ben.call("holdAnswers", json!([])).await;
    ada.call("begin", [ben_id.as_str()]).await;
    ben.until("isAsked", json!([])).await;
    mesh.nodes[0].kill();
    ben.call("answer", json!([])).await;
    for (page, other) in [(&ada, &ben_id), (&ben, &ada_id)] {
        page.until("state", [other.as_str()]).await;
    }
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "nobody noticed").await;
}

#[tokio::test]
async fn a_call_of_two_browsers_goes_on_while_all_nodes_but_one_die_and_a_newcomer_reaches_both() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(4).await, serve().await);
    let [a, b, c, d] = [&mesh.nodes[0], &mesh.nodes[1], &mesh.nodes[2], &mesh.nodes[3]];
    let (ada, ada_id) = join_with(&server, "Ada", on_two(&[a, b, c, d])).await;
    let (ben, ben_id) = join_with(&server, "Ben", on_two(&[b, c, d, a])).await;
    ada.until("data", [ben_id.as_str()]).await;
    ada.call("dial", json!([ben_id, true])).await;
    ben.until("state", [ada_id.as_str()]).await;
    for dead in 0..3 {
        mesh.nodes[dead].kill();
        mesh.nodes[3].sees(2 - dead).await;
        assert_talk((&ada, &ada_id), (&ben, &ben_id), &format!("{dead} is dead")).await;
        assert_media_flows(&ben, &ada_id).await;
    }
    let (cleo, cleo_id) = join(&server, &mesh.nodes[3], "Cleo").await;
    for (other, other_id) in [(&ada, &ada_id), (&ben, &ben_id)] {
        cleo.until("data", [other_id.as_str()]).await;
        cleo.call("dial", [other_id.as_str()]).await;
        assert_talk((&cleo, &cleo_id), (other, other_id), "one node is enough").await;
    }
    assert_media_flows(&ben, &ada_id).await;
    for (page, other) in [(&ada, &ben_id), (&ben, &ada_id)] {
        assert_eq!(page.call("state", [other.as_str()]).await, "connected");
    }
}

#[tokio::test]
async fn a_browser_whose_laptop_slept_is_back_by_itself() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(3).await, serve().await);
    let (ada, ada_id) = join_with(&server, "Ada", on_two(&[&mesh.nodes[0], &mesh.nodes[1]])).await;
    let (ben, ben_id) = join(&server, &mesh.nodes[2], "Ben").await;
    ada.until("isOn", [2]).await;
    ben.until("data", [ada_id.as_str()]).await;

    let lid = ada.close_lid().await;
    // Her nodes do not wait for her: they are restarted, and know nothing of her. Others do: she said that
    // she would be silent.
    for node in &mut mesh.nodes[..2] {
        node.restart().await;
    }
    ben.until("isAway", json!([ada_id, true])).await;
    sleep(LID).await;
    ben.until("isAway", json!([ada_id, true])).await;
    lid.open().await;

    ben.until("isAway", json!([ada_id, false])).await;
    ada.until("isOn", [2]).await;
    ben.call("dial", [ada_id.as_str()]).await;
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "good morning").await;
}
