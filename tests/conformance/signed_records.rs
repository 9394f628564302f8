//! Signed records: nobody needs to be trusted to keep them, and nothing that was acknowledged is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::{Millis, Record, raw_json};
use pigeonhub_tests::{Mesh, PATIENCE, TestNode, eventually, http};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// How long nodes wait for an answer of another one.
const HUNG: Duration = Duration::from_secs(2);

fn now() -> Millis {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Millis(u64::try_from(now).unwrap())
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn unsigned(topic: &str, seq: u64, text: &str) -> Record {
    Record::unsigned(topic.into(), raw_json(text), seq, 600, now())
}

fn record(topic: &str, publisher: u8, seq: u64, text: &str) -> Record {
    unsigned(topic, seq, text).signed(&key(publisher))
}

fn body(record: &Record) -> Value {
    serde_json::to_value(record).unwrap()
}

/// The same, to be kept by as many nodes before there is an answer.
fn wanting(record: &Record, w: Value) -> Value {
    let mut body = body(record);
    body["w"] = w;
    body
}

async fn publish(node: &TestNode, record: &Record) -> http::Answer {
    http::post(node.url("/api/publish"), &body(record)).await
}

async fn texts(node: &TestNode, topic: &str) -> BTreeSet<String> {
    let found = http::get(node.url(&format!("/api/find/{topic}"))).await.ok();
    let records = found["records"].as_array().unwrap();
    records.iter().map(|record| record["data"].as_str().unwrap().to_owned()).collect()
}

async fn finds(node: &TestNode, topic: &str, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    eventually(&format!("{} finds {expected:?}", node.id), PATIENCE, async || {
        (texts(node, topic).await == expected).then_some(())
    })
    .await;
}

/// A native node and a serverless one that know each other.
async fn pair() -> (TestNode, TestNode) {
    let native = TestNode::alone("native").await;
    let spin = TestNode::spin("spin", &[&native], &[]).await;
    http::get(spin.url("/health")).await.ok();
    native.sees(1).await;
    eventually("the serverless node sees the native one", PATIENCE, async || {
        (spin.health().await["nodes"] == 1).then_some(())
    })
    .await;
    (native, spin)
}

#[tokio::test]
async fn a_publishers_newest_record_counts_wherever_it_is_published() {
    let (native, spin) = pair().await;
    for (publisher, [first, second]) in [(1, [&native, &spin]), (2, [&spin, &native])] {
        let topic = format!("t{publisher}");
        let one = record(&topic, publisher, 1, "one");
        let receipt = http::post(first.url("/api/publish"), &wanting(&one, json!(2))).await.ok();
        assert_eq!((&receipt["recordId"], &receipt["stored"]), (&json!(one.id()), &json!(2)), "{receipt}");
        finds(second, &topic, &["one"]).await;
        publish(second, &record(&topic, publisher, 2, "two")).await.ok();
        finds(first, &topic, &["two"]).await;
        publish(first, &one).await.assert_error(409, "record-stale");
        // What is found proves itself.
        let found = http::get(first.url(&format!("/api/find/{topic}"))).await.ok();
        let shown: Record = serde_json::from_value(found["records"][0].clone()).unwrap();
        assert_eq!(shown.check(now()), Ok(()));
        assert_eq!(shown.publisher, one.publisher);
        // The publisher, and nobody else, takes it back.
        let gone = Record { deleted: true, data: raw_json(&()), ..unsigned(&topic, 3, "") };
        publish(second, &gone.clone().signed(&key(9))).await.ok();
        finds(first, &topic, &["two"]).await;
        publish(second, &gone.signed(&key(publisher))).await.ok();
        finds(first, &topic, &[]).await;
        finds(second, &topic, &[]).await;
    }
}

#[tokio::test]
async fn what_is_forged_altered_expired_or_too_large_is_refused_and_not_passed_on() {
    let (native, spin) = pair().await;
    let good = record("t", 1, 1, "good");
    let altered = Record { data: raw_json("altered"), ..good.clone() };
    let stolen = Record { publisher: record("t", 2, 1, "").publisher, ..good.clone() };
    let expired = Record { timestamp: Millis(now().0 - 601_000), ..unsigned("t", 1, "x") }.signed(&key(1));
    let future = Record { timestamp: now().plus(3_600_000), ..unsigned("t", 1, "x") }.signed(&key(1));
    let long = Record { ttl: u64::MAX, ..unsigned("t", 1, "x") }.signed(&key(1));
    let large = record("t", 1, 1, &"x".repeat(64 * 1024));
    let posing = Record { node_id: Some("native".parse().unwrap()), ..unsigned("t", 1, "x") }.signed(&key(1));
    for node in [&native, &spin] {
        publish(node, &altered).await.assert_error(400, "signature-invalid");
        publish(node, &stolen).await.assert_error(400, "signature-invalid");
        publish(node, &expired).await.assert_error(400, "record-expired");
        publish(node, &future).await.assert_error(400, "record-expired");
        publish(node, &long).await.assert_error(400, "invalid-request");
        publish(node, &posing).await.assert_error(400, "invalid-request");
        publish(node, &large).await.assert_error(413, "message-too-large");
        let strange = json!({"topic": "t", "signature": 1});
        http::post(node.url("/api/publish"), &strange).await.assert_error(400, "invalid-request");
        assert!(texts(node, "t").await.is_empty());
    }
    publish(&native, &good).await.ok();
    finds(&spin, "t", &["good"]).await;
}

#[tokio::test]
async fn who_wants_a_record_at_more_nodes_hears_whether_it_is() {
    let mut mesh = Mesh::of(3).await;
    let post = async |node: &TestNode, body: Value| http::post(node.url("/api/publish"), &body).await;
    let receipt = post(&mesh.nodes[0], wanting(&record("t", 1, 1, "a"), json!(3))).await.ok();
    assert_eq!(receipt["stored"], 3);
    mesh.nodes[2].kill();
    let receipt = post(&mesh.nodes[0], wanting(&record("t", 1, 2, "b"), json!("majority"))).await.ok();
    assert!(receipt["stored"] == 2, "{receipt}");
    let refused = post(&mesh.nodes[0], wanting(&record("t", 1, 3, "c"), json!(3))).await;
    refused.assert_error(503, "not-replicated");
    assert_eq!((&refused.json()["stored"], &refused.json()["wanted"]), (&json!(2), &json!(3)));
    finds(&mesh.nodes[1], "t", &["c"]).await;
    let strange = post(&mesh.nodes[0], wanting(&record("t", 1, 4, "d"), json!("all"))).await;
    strange.assert_error(400, "invalid-request");
}

#[tokio::test]
async fn a_node_that_hangs_does_not_delay_a_publication_and_has_the_record_when_it_goes_on() {
    // It counts as up for as long as it is not missed, and is posted to.
    let mesh = Mesh::of(3).await;
    let spin = TestNode::spin("spin", &[&mesh.nodes[0]], &[]).await;
    http::get(spin.url("/health")).await.ok();
    let [native, _, hanging] = mesh.nodes.as_slice() else { panic!("three nodes") };
    hanging.sees(3).await;
    spin.sees(3).await;
    for (publisher, node, w, least) in
        [(1, native, json!(1), 1), (2, native, json!("majority"), 3), (3, &spin, json!(3), 3)]
    {
        let topic = format!("t{publisher}");
        hanging.pause();
        let begun = Instant::now();
        let one = wanting(&record(&topic, publisher, 1, "one"), w);
        let answer = http::post(node.url("/api/publish"), &one).await;
        let took = begun.elapsed();
        hanging.resume();
        let receipt = answer.ok();
        assert_eq!(receipt["totalNodes"], 4, "{receipt}");
        assert!((least..=3).contains(&receipt["stored"].as_u64().unwrap()), "{receipt}");
        assert!(took < HUNG, "{} waited for the node that hung: {took:?}", node.id);
        finds(hanging, &topic, &["one"]).await;
    }
}

#[tokio::test]
async fn who_joins_later_has_it_and_the_publishers_node_may_die() {
    let mut first = TestNode::alone("first").await;
    publish(&first, &record("t", 1, 1, "before")).await.ok();
    let native = TestNode::start("native", &[&first], &[]).await;
    finds(&native, "t", &["before"]).await;
    let spin = TestNode::spin("spin", &[&native], &[]).await;
    http::get(spin.url("/health")).await.ok();
    finds(&spin, "t", &["before"]).await;
    first.kill();
    publish(&spin, &record("t", 2, 1, "after")).await.ok();
    finds(&native, "t", &["before", "after"]).await;
    // Back, with nothing in its memory: the others have it.
    first.restart().await;
    finds(&first, "t", &["before", "after"]).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let mut node = TestNode::start("node", &[], &["--data-dir", folder]).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..3u64 {
        let url = node.url("/api/publish");
        let publishing = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0u64.. {
                let text = format!("{round}-{number}");
                let one = Record { salt: text.clone(), ..unsigned("t", 1, &text) }.signed(&key(1));
                let request = http::request(Method::POST, &url).json(&body(&one));
                match http::try_send(request).await {
                    Some(answer) if answer.status == 200 => acknowledged.push(text),
                    _ => break,
                }
            }
            acknowledged
        });
        eventually("some are published", PATIENCE, async || {
            (texts(&node, "t").await.len() > acknowledged.len() + 5).then_some(())
        })
        .await;
        node.kill();
        acknowledged.extend(publishing.await.unwrap());
        node.restart().await;
        let kept = texts(&node, "t").await;
        assert!(kept.is_superset(&acknowledged), "lost: {:?}", acknowledged.difference(&kept));
    }
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let (native, spin) = pair().await;
    for number in 0..7u8 {
        publish(&native, &record("t", number, 1, &number.to_string())).await.ok();
    }
    for node in [&native, &spin] {
        let (mut all, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = http::get(node.url(&format!("/api/find/t?limit=3{cursor}"))).await.ok();
            let records = page["records"].as_array().unwrap();
            all.extend(records.iter().map(|record| record["data"].as_str().unwrap().to_owned()));
            pages += 1;
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!((all.len(), pages), (7, 3), "{}", node.id);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 7);
        http::get(node.url("/api/find/t?cursor=x")).await.assert_error(400, "invalid-request");
    }
}

/// What a watcher is told, event by event: name and data.
async fn next(stream: &mut reqwest::Response, text: &mut String) -> (String, Value) {
    loop {
        if let Some((event, rest)) = text.clone().split_once("\n\n") {
            *text = rest.into();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                return (name.into(), serde_json::from_str(data).unwrap());
            }
            continue;
        }
        let chunk = timeout(Duration::from_secs(20), stream.chunk()).await.expect("an event in time");
        text.push_str(std::str::from_utf8(&chunk.expect("a chunk").expect("no end")).unwrap());
    }
}

#[tokio::test]
async fn whoever_watches_a_topic_sees_what_comes_and_goes() {
    let (native, spin) = pair().await;
    for (publisher, [watched, other]) in [(1, [&native, &spin]), (2, [&spin, &native])] {
        let topic = format!("t{publisher}");
        publish(watched, &record(&topic, publisher, 1, "there")).await.ok();
        let answer = http::endless(Method::GET, watched.url(&format!("/api/watch/{topic}"))).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let (mut stream, mut text) = (answer, String::new());
        let (name, shown) = next(&mut stream, &mut text).await;
        assert_eq!((name.as_str(), &shown["data"]), ("record", &json!("there")));
        publish(other, &record(&topic, publisher, 2, "changed")).await.ok();
        let (name, shown) = next(&mut stream, &mut text).await;
        assert_eq!((name.as_str(), &shown["data"]), ("record", &json!("changed")));
        let gone = Record { deleted: true, data: raw_json(&()), ..unsigned(&topic, 3, "") };
        publish(other, &gone.signed(&key(publisher))).await.ok();
        let (name, gone) = next(&mut stream, &mut text).await;
        assert_eq!((name.as_str(), &gone["id"]), ("gone", &shown["id"]));
    }
}
