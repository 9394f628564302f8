//! The DHT: nodes and records that nobody told of, with libtorrent beside us in a DHT on this machine.
//!
//! Names and keys are made here once more, as `docs/dht.md` has them.

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::sign;
use pigeonhub_protocol::{Millis, Record, raw_json};
use pigeonhub_tests::{DocumentServer, PATIENCE, TestDht, TestNode, Torrent, eventually, http};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

const SLOTS: usize = 8;

fn now() -> Millis {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Millis(u64::try_from(now).unwrap())
}

fn infohash(name: &str) -> [u8; 20] {
    Sha1::digest(name).into()
}

/// The key of a board.
fn board(name: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(format!("pigeonhub-dht-v1\n{name}")).into())
}

async fn join(dht: [&str; 4], id: &str, more: &[&str]) -> TestNode {
    let node = TestNode::start(id, &[], &[&dht, more].concat()).await;
    eventually("the DHT answers", PATIENCE, async || (node.health().await["dhtReady"] == true).then_some(()))
        .await;
    node
}

async fn publish(node: &TestNode, topic: &str, data: &str) {
    let body = json!({"topic": topic, "data": data, "ttl": 600});
    http::post(node.url("/api/publish"), &body).await.ok();
}

async fn texts(node: &TestNode, topic: &str) -> Vec<String> {
    let found = http::get(node.url(&format!("/api/find/{topic}"))).await.ok();
    let records = found["records"].as_array().unwrap();
    let mut texts: Vec<_> = records.iter().map(|one| one["data"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

async fn finds(node: &TestNode, topic: &str, expected: &[&str]) {
    eventually(&format!("{} finds {topic}", node.id), 2 * PATIENCE, async || {
        (texts(node, topic).await == expected).then_some(())
    })
    .await;
}

/// The first note of a board that libtorrent reads.
async fn note(torrent: &mut Torrent, name: &str, salt: &str) -> Value {
    let key = board(name);
    for slot in (0..SLOTS).cycle().take(4 * SLOTS) {
        let found = torrent.get(key.verifying_key().as_bytes(), &format!("{salt}{slot}")).await;
        if let Some(text) = found {
            return serde_json::from_slice(&text).unwrap();
        }
    }
    panic!("libtorrent reads nothing on the board {name}");
}

async fn put(torrent: &mut Torrent, name: &str, slot: &str, value: &Value) {
    eventually(&format!("somebody takes {slot}"), 2 * PATIENCE, async || {
        (torrent.put(&board(name), slot, value.to_string().as_bytes()).await > 0).then_some(())
    })
    .await;
}

async fn has_announced(torrent: &mut Torrent, name: &str, port: u16) {
    let place = format!("127.0.0.1:{port}");
    eventually(&format!("libtorrent finds {place}"), PATIENCE, async || {
        torrent.peers(&infohash(name)).await.contains(&place).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nodes_of_an_app_find_each_other_by_the_dht_alone_and_health_says_when_it_answers() {
    let dht = TestDht::start().await;
    let without = TestNode::alone("without").await;
    let dead = ["--dht", "on", "--dht-bootstrap", "127.0.0.1:9"];
    let lonely = TestNode::start("lonely", &[], &dead).await;
    let nodes = [
        join(dht.flags(), "a", &[]).await,
        join(dht.flags(), "b", &[]).await,
        join(dht.flags(), "c", &[]).await,
    ];
    let stranger = join(dht.flags(), "stranger", &["--app-id", "another"]).await;
    for node in &nodes {
        node.sees(2).await;
    }
    assert_eq!(stranger.health().await["nodes"], 0);
    for node in [&without, &lonely] {
        assert_eq!(node.health().await["dhtReady"], false);
        assert!(texts(node, "t").await.is_empty(), "a dead DHT is in nobody's way");
    }
}

#[tokio::test]
async fn what_is_published_is_found_by_who_shares_the_dht_only() {
    let dht = TestDht::start().await;
    let a = join(dht.flags(), "a", &["--app-id", "one"]).await;
    let b = join(dht.flags(), "b", &["--app-id", "two"]).await;
    let large = "x".repeat(2000);
    publish(&a, "small", "hi").await;
    publish(&a, "large", &large).await;
    finds(&b, "small", &["hi"]).await;
    finds(&b, "large", &[&large]).await;
    assert_eq!(b.health().await["nodes"], 0, "they are not of one mesh");
}

#[tokio::test]
async fn what_is_small_is_found_after_the_death_of_its_node() {
    let dht = TestDht::start().await;
    let a = join(dht.flags(), "a", &["--app-id", "one"]).await;
    let b = join(dht.flags(), "b", &["--app-id", "two"]).await;
    publish(&a, "t", "hi").await;
    publish(&a, "large", &"x".repeat(2000)).await;
    // It is there as soon as somebody finds it.
    finds(&b, "t", &["hi"]).await;
    finds(&b, "large", &[&"x".repeat(2000)]).await;
    drop((a, b));
    let late = join(dht.flags(), "late", &["--app-id", "three"]).await;
    finds(&late, "t", &["hi"]).await;
    assert!(texts(&late, "large").await.is_empty(), "that was at the node only");
}

#[tokio::test]
async fn a_node_that_was_restarted_posts_again_what_was_published_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let kept = ["--data-dir", folder.path().to_str().unwrap(), "--app-id", "one"];
    let (before, after) = (TestDht::start().await, TestDht::start().await);
    let node = join(before.flags(), "node", &kept).await;
    let reader = join(before.flags(), "reader", &["--app-id", "two"]).await;
    publish(&node, "t", "hi").await;
    finds(&reader, "t", &["hi"]).await;
    drop(node);
    // In a DHT that has never heard of it.
    let _node = join(after.flags(), "node", &kept).await;
    let reader = join(after.flags(), "reader", &["--app-id", "two"]).await;
    finds(&reader, "t", &["hi"]).await;
}

#[tokio::test]
async fn libtorrent_reads_what_a_node_writes() {
    let mut torrent = Torrent::start().await;
    let node = join(torrent.flags(), "node", &[]).await;
    publish(&node, "t", "hi").await;
    has_announced(&mut torrent, "record:t", node.port).await;
    has_announced(&mut torrent, "signal:pigeonhub-mesh", node.port).await;
    let record: Record = serde_json::from_value(note(&mut torrent, "topic:t", "record-").await).unwrap();
    assert_eq!((record.check(now()), record.data.get()), (Ok(()), "\"hi\""));
    let own = note(&mut torrent, "app:pigeonhub-mesh", "bootstrap-peer-").await;
    assert_eq!(own, http::get(node.url("/api/node")).await.ok());
}

#[tokio::test]
async fn a_node_reads_what_libtorrent_writes_and_believes_nothing_that_is_forged() {
    let mut torrent = Torrent::start().await;
    let node = join(torrent.flags(), "node", &[]).await;
    let key = SigningKey::from_bytes(&[7; 32]);
    let signed =
        |topic: &str, text: &str| Record::unsigned(topic.into(), raw_json(text), 1, 600, now()).signed(&key);
    let json = |record: &Record| serde_json::to_value(record).unwrap();
    // Forged in every slot but the last.
    let altered = Record { data: raw_json("altered"), ..signed("t", "x") };
    let stolen = Record {
        publisher: json(&node_record(&node).await)["publisher"].as_str().unwrap().into(),
        ..signed("t", "x")
    };
    let elsewhere = signed("other", "of another topic");
    let expired = Record { timestamp: Millis(now().0 - 700_000), ..signed("t", "x") }.signed(&key);
    // A server that is no node, and gives a forged record.
    let liar = DocumentServer::with("/api/find/t", &json!({"records": [json(&altered)]})).await;
    let mut pointer = json!({"t": "http", "u": liar.url});
    sign(&mut pointer, &key, now(), 60);
    for (slot, note) in
        [json(&altered), json(&stolen), json(&elsewhere), json(&expired), pointer, json!("junk")]
            .iter()
            .enumerate()
    {
        put(&mut torrent, "topic:t", &format!("record-{slot}"), note).await;
    }
    // The expired one is of the same publisher, so it is for the sequence to say which one counts.
    let good = Record { seq: 2, ..signed("t", "good") }.signed(&key);
    put(&mut torrent, "topic:t", "record-7", &json(&good)).await;
    finds(&node, "t", &["good"]).await;
    assert!(texts(&node, "other").await.is_empty(), "what is found under one topic is of that topic");
}

async fn node_record(node: &TestNode) -> Record {
    publish(node, "own", "own").await;
    let found = http::get(node.url("/api/find/own")).await.ok();
    serde_json::from_value(found["records"][0].clone()).unwrap()
}

#[tokio::test]
async fn an_address_that_anybody_announces_is_asked_and_used_only_if_it_proves_itself() {
    const APP: &str = "signal:pigeonhub-mesh";
    let mut torrent = Torrent::start().await;
    let known = TestNode::alone("known").await;
    let other = TestNode::start("other", &[], &["--app-id", "another"]).await;
    // Names a node, but nobody signed it; a forged one; and one that nobody wrote to a board.
    let path = "/.well-known/pigeonhub-bootstrap";
    let decoy = TestNode::alone("decoy").await;
    let unsigned = json!({"app": "pigeonhub-mesh", "peers": [{"t": "ws", "u": decoy.ws()}]});
    let liar = DocumentServer::with(path, &unsigned).await;
    let mut forged = json!({"t": "ws", "u": decoy.ws()});
    sign(&mut forged, &SigningKey::from_bytes(&[7; 32]), now(), 60);
    forged["region"] = json!("eu-west");
    put(&mut torrent, "app:pigeonhub-mesh", "bootstrap-peer-0", &forged).await;
    let port = |url: &str| url.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    for place in [port(&liar.url), other.port, 9] {
        torrent.announce(&infohash(APP), place).await;
        has_announced(&mut torrent, APP, place).await;
    }
    let node = join(torrent.flags(), "node", &[]).await;
    eventually("the liar is not believed", PATIENCE, async || {
        let text = http::get(node.url("/metrics")).await.text;
        let counts = |reason: &str| {
            let name = format!("pigeonhub_bootstrap_refused_total{{reason=\"{reason}\"}} ");
            text.lines().any(|line| line.strip_prefix(&name).is_some_and(|count| count != "0"))
        };
        (counts("forged") && counts("other-app")).then_some(())
    })
    .await;
    assert_eq!(node.health().await["nodes"], 0);
    torrent.announce(&infohash(APP), known.port).await;
    // It has no DHT and was told of nobody: it was found.
    eventually("they meet", 2 * PATIENCE, async || (node.health().await["nodes"] == 1).then_some(())).await;
    known.sees(1).await;
    for node in [&decoy, &other] {
        assert_eq!(node.health().await["nodes"], 0);
    }
}
