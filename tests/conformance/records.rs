//! Records: published at one node, found at all, and over when they say so.

use std::collections::BTreeSet;

use pigeonhub_tests::{Mesh, PATIENCE, TestNode, eventually, http};
use serde_json::{Value, json};

async fn find(node: &TestNode, topic: &str) -> Value {
    http::get(node.url(&format!("/api/find/{topic}"))).await.ok()
}

/// Waits until a node finds this many.
async fn found(node: &TestNode, topic: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{} finds {count} of {topic}", node.id), PATIENCE, async || {
        let found = find(node, topic).await;
        (found["count"] == count).then(|| found["records"].as_array().unwrap().clone())
    })
    .await
}

#[tokio::test]
async fn what_is_published_at_one_node_is_found_at_all() {
    let mesh = Mesh::of(3).await;
    let data = json!({"any": ["json", 1.5, null], "text": "é"});
    let receipt =
        http::post(mesh.nodes[0].url("/api/publish"), &json!({"topic": "a topic/é", "data": data, "w": 3}))
            .await
            .ok();
    assert_eq!(receipt["success"], true);
    assert_eq!(receipt["topic"], "a topic/é");
    assert_eq!(receipt["nodeId"], "node-a");
    assert_eq!(receipt["method"], "http-replication");
    assert_eq!(receipt["totalNodes"], 3);
    assert_eq!((&receipt["replicatedTo"], &receipt["stored"]), (&json!(2), &json!(3)));
    for node in &mesh.nodes {
        let records = found(node, "a%20topic%2F%C3%A9", 1).await;
        let record = &records[0];
        assert_eq!(record["id"], receipt["recordId"]);
        assert_eq!(record["topic"], "a topic/é");
        assert_eq!(record["data"], data);
        assert_eq!(record["nodeId"], "node-a", "the publisher's");
        assert_eq!(record["expiresAt"], receipt["expiresAt"], "the same everywhere");
        assert_eq!(record["expiresAt"].as_u64().unwrap() - record["timestamp"].as_u64().unwrap(), 300_000);
        if node.id != "node-a" {
            assert_eq!(record["replicated"], true);
        }
    }
}

#[tokio::test]
async fn a_topic_keeps_every_record() {
    let mesh = Mesh::of(3).await;
    for (number, node) in mesh.nodes.iter().enumerate() {
        http::post(node.url("/api/publish"), &json!({"topic": "t", "data": {"n": number}})).await.ok();
    }
    for node in &mesh.nodes {
        let records = found(node, "t", 3).await;
        let numbers: BTreeSet<_> =
            records.iter().map(|record| record["data"]["n"].as_u64().unwrap()).collect();
        assert_eq!(numbers, BTreeSet::from([0, 1, 2]));
    }
}

#[tokio::test]
async fn a_record_is_over_everywhere_after_its_ttl() {
    let mesh = Mesh::of(2).await;
    let publish = mesh.nodes[0].url("/api/publish");
    http::post(&publish, &json!({"topic": "t", "data": "short", "ttl": 1})).await.ok();
    http::post(&publish, &json!({"topic": "t", "data": "long", "ttl": 60})).await.ok();
    for node in &mesh.nodes {
        assert_eq!(found(node, "t", 1).await[0]["data"], "long");
    }
}

#[tokio::test]
async fn nothing_found_is_an_empty_list() {
    let node = TestNode::alone("node").await;
    let answer = find(&node, "nothing").await;
    assert_eq!(answer["count"], 0);
    assert_eq!(answer["records"], json!([]));
    assert_eq!(answer["topic"], "nothing");
    assert_eq!(answer["nodeId"], "node");
    assert_eq!(answer["source"], "local-dht");
}

#[tokio::test]
async fn what_lacks_a_topic_or_data_is_refused_and_not_kept() {
    let node = TestNode::alone("node").await;
    let publish = node.url("/api/publish");
    for body in [
        json!({}),
        json!({"topic": "t"}),
        json!({"data": "d"}),
        json!({"topic": "", "data": "d"}),
        json!({"topic": "t", "data": null}),
        json!({"topic": "t", "data": ""}),
        json!({"topic": "t", "data": 0}),
        json!({"topic": "t", "data": false}),
        json!({"topic": "x".repeat(257), "data": "d"}),
        json!({"topic": "t", "data": "d", "ttl": 0}),
        json!({"topic": "t", "data": "d", "ttl": -1}),
        json!({"topic": 1, "data": "d"}),
        json!([]),
    ] {
        http::post(&publish, &body).await.assert_error(400, "invalid-request");
    }
    http::post(&publish, &json!({"topic": "t", "data": "x".repeat(64 * 1024)}))
        .await
        .assert_error(413, "message-too-large");
    assert_eq!(find(&node, "t").await["count"], 0);
}

#[tokio::test]
async fn a_flood_of_publications_is_refused_and_nothing_refused_is_kept() {
    let node = TestNode::start("node-a", &[], &["--publish-limit", "1"]).await;
    let url = node.url("/api/publish");
    let publish = async |number: usize| http::post(&url, &json!({"topic": "t", "data": {"n": number}})).await;

    let mut kept = 0;
    let refused = loop {
        let answer = publish(kept).await;
        if answer.status != 200 {
            break answer;
        }
        kept += 1;
        assert!(kept < 100, "one per second, in bursts of five");
    };
    assert!(kept >= 5, "a burst of five passes, of which {kept} did");
    assert_eq!(refused.header("retry-after"), "1");
    refused.assert_error(429, "rate-limited");
    found(&node, "t", kept).await;
    eventually("it is heard again", PATIENCE, async || (publish(kept).await.status == 200).then_some(()))
        .await;
}
