//! Peers that prove who they are, records that prove whose they are: in pages, with the browser's own keys.

use pigeonhub_protocol::proof::{Claim, UNCOVERED, split};
use pigeonhub_protocol::{Millis, NetworkName, RawJson, Record};
use pigeonhub_tests::{
    Mesh, PATIENCE, TestNode, WirePeer, eventually, fresh_id, http, one_browser_test_at_a_time,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::page::serve;
use crate::story::{join, join_with};

/// Signatures that everybody makes alike, and the key that they are made with.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../protocol/vectors/proofs.json")).unwrap()
}

#[tokio::test]
async fn two_browsers_on_two_nodes_prove_who_they_are_and_a_third_does_not() {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let (ben, ben_id) = join(&server, &mesh.nodes[1], "Ben").await;
    for (page, other) in [(&ada, &ben_id), (&ben, &ada_id)] {
        assert_eq!(page.until("verified", [other.as_str()]).await, true);
    }
    ada.call("dial", [ben_id.as_str()]).await;
    for (page, other) in [(&ada, &ben_id), (&ben, &ada_id)] {
        page.until("state", [other.as_str()]).await;
        assert_eq!(page.call("linkVerified", [other.as_str()]).await, true);
    }

    // Whose id is given has no key.
    let given = fresh_id();
    let options = json!({"nodes": [mesh.nodes[0].ws()], "peerId": given});
    let (cleo, cleo_id) = join_with(&server, "Cleo", options).await;
    assert_eq!((&cleo_id, cleo.call("exportKey", json!([])).await), (&given, Value::Null));
    assert_eq!(ada.until("verified", [given.as_str()]).await, false);
    for (option, value, code) in
        [("requireVerified", json!(true), "no-identity"), ("key", json!("AQEB"), "invalid-options")]
    {
        let mut options = json!({"nodes": [mesh.nodes[0].ws()], "peerId": given});
        options[option] = value;
        assert_eq!(cleo.call("failure", json!(["connect", options])).await["code"], code);
    }
    let bad = json!(["connect", {"nodes": [mesh.nodes[0].ws()], "key": "AQEB"}]);
    assert_eq!(cleo.call("failure", bad).await["code"], "invalid-key");
}

#[tokio::test]
async fn a_browser_keeps_its_key_over_a_reload_and_a_key_moves_to_another() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let options = json!({"nodes": [node.ws()], "persist": true});
    let (ada, id) = join_with(&server, "Ada", options.clone()).await;
    let key = ada.call("exportKey", json!([])).await;

    ada.leave(&server.url("/?again")).await;
    let mut again = options;
    (again["network"], again["sessions"]) = (json!("room"), json!(1));
    assert_eq!(ada.call("join", json!([again])).await, json!(id));
    assert_eq!(ada.call("exportKey", json!([])).await, key);

    ada.call("close", json!([])).await;
    let (_other, other_id) = join_with(&server, "Ada2", json!({"nodes": [node.ws()], "key": key})).await;
    assert_eq!(other_id, id);
}

#[tokio::test]
async fn a_browser_signs_and_checks_as_everybody_does() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server, vectors) = (TestNode::alone("node").await, serve().await, vectors());
    let id = vectors["peerId"].as_str().unwrap();
    let mut listener = WirePeer::join(&node, "room").await;
    // Names and numbers that tempt to write them otherwise.
    let data = vectors["proofs"][0]["claim"]["data"].clone();
    let options = json!({"nodes": [node.ws()], "key": vectors["seed"], "data": data});
    let (ada, ada_id) = join_with(&server, "Ada", options).await;
    assert_eq!(ada_id, id);
    assert_eq!(ada.call("publicKey", json!([])).await, vectors["publicKey"]);
    // By JavaScript's means and by the module's.
    assert_eq!(ada.call("wrongVectors", json!([vectors, node.ws()])).await, json!([]));

    // The module's announce, as a node passes it on, is checked here.
    #[derive(Deserialize)]
    struct Announce {
        data: RawJson,
    }
    let heard = listener.expect_peer(id).await;
    let announce: Announce = serde_json::from_str(&heard.text).unwrap();
    let (words, proof) = split(&announce.data, &UNCOVERED);
    let proof = proof.expect("it is signed");
    let (network, from) = ("room".parse::<NetworkName>().unwrap(), id.parse().unwrap());
    let timestamp = proof.timestamp;
    let claim =
        Claim { kind: "announce", from, target: None, network: &network, id: None, timestamp, data: &words };
    assert!(claim.is_proven_by(&proof), "{}", heard.text);

    // And so is what it publishes.
    ada.call("publish", json!(["notes", data, {"salt": "one", "ttl": 60, "w": 1}])).await;
    let found = http::get(node.url("/api/find/notes")).await.ok();
    let record: Record = serde_json::from_value(found["records"][0].clone()).unwrap();
    let now = Millis(u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
    record.check(now).unwrap();
    assert_eq!(
        (record.publisher.as_str(), record.salt.as_str()),
        (vectors["publicKey"].as_str().unwrap(), "one")
    );
}

#[tokio::test]
async fn browsers_publish_find_and_watch_across_nodes_and_believe_no_node() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(3).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let options = json!({"nodes": [mesh.nodes[1].ws(), mesh.nodes[2].ws()]});
    let (ben, _) = join_with(&server, "Ben", options).await;
    ben.call("watch", ["board"]).await;

    ada.call("publish", json!(["board", {"text": "hello"}, {"salt": "a", "w": "majority"}])).await;
    let seen = ben.until("watched", json!(["record", "hello"])).await;
    assert_eq!((&seen["verified"], &seen["peerId"]), (&json!(true), &json!(ada_id)));
    // Nobody signed this but a node.
    http::post(mesh.nodes[0].url("/api/publish"), &json!({"topic": "board", "data": {"text": "who"}}))
        .await
        .ok();
    assert_eq!(ben.until("watched", json!(["record", "who"])).await["verified"], false);
    let found = ben.call("find", ["board"]).await;
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    // What is altered on the way is left out.
    assert_eq!(ben.call("findAltered", json!(["board", "hello"])).await, json!(["who"]));

    // The watcher's node dies; it goes on at another, and is told nothing twice.
    mesh.nodes[1].kill();
    mesh.nodes[2].sees(1).await;
    ada.call("publish", json!(["board", {"text": "again"}, {"salt": "a"}])).await;
    ben.until("watched", json!(["record", "again"])).await;
    ada.call("unpublish", json!(["board", "a"])).await;
    ben.until("watched", json!(["gone", "again"])).await;
    eventually("all is told once", PATIENCE, async || {
        let texts = ben.call("timesWatched", json!([])).await;
        (texts == json!({"record hello": 1, "record who": 1, "record again": 1, "gone again": 1}))
            .then_some(())
    })
    .await;

    // Where an app's signaling endpoints are, by region.
    let endpoint =
        |url: &str, region: &str| json!([{"appId": "app", "urls": url, "region": region, "priority": 2}]);
    ada.call("publishSignal", endpoint("wss://eu.example", "eu")).await;
    ben.call(
        "publishSignal",
        json!([{"appId": "app", "urls": "wss://us.example", "region": "us", "priority": 1}]),
    )
    .await;
    for (wanted, urls) in [
        (json!({"appId": "app"}), ["wss://us.example", "wss://eu.example"]),
        (json!({"appId": "app", "region": "eu"}), ["wss://eu.example", "wss://us.example"]),
    ] {
        eventually("both are found, best first", PATIENCE, async || {
            (ada.call("findSignals", json!([wanted])).await == json!(urls)).then_some(())
        })
        .await;
    }
}
