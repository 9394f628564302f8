//! Records are found while they last, replaced by id, and bounded.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_node_core::{Record, Records};
use pigeonhub_protocol::{Code, Millis, raw_json};

fn record(topic: &str, id: &str, timestamp: u64) -> Record {
    Record {
        id: id.into(),
        topic: topic.into(),
        data: raw_json(&id),
        node_id: "a".parse().unwrap(),
        timestamp: Millis(timestamp),
        expires_at: Millis(timestamp + 1000),
        replicated: false,
    }
}

fn ids(records: &Records, topic: &str, now: u64) -> Vec<String> {
    records.find(topic, Millis(now)).into_iter().map(|record| record.id.clone()).collect()
}

#[test]
fn newest_first_until_they_are_over() {
    let mut records = Records::default();
    records.keep(record("t", "1", 100), Millis(100)).unwrap();
    records.keep(record("t", "2", 200), Millis(200)).unwrap();
    records.keep(record("other", "3", 200), Millis(200)).unwrap();
    assert_eq!(ids(&records, "t", 200), ["2", "1"]);
    assert_eq!(ids(&records, "t", 1100), ["2"]);
    assert!(ids(&records, "nothing", 0).is_empty());
    records.sweep(Millis(1100));
    assert_eq!(records.len(), 2);
    records.sweep(Millis(1200));
    assert!(records.is_empty());
}

#[test]
fn the_same_id_replaces() {
    let mut records = Records::default();
    for _ in 0..3 {
        records.keep(record("t", "1", 100), Millis(100)).unwrap();
    }
    assert_eq!(records.len(), 1);
    // One that is over takes the place of the one that was not: it is gone.
    records.keep(Record { expires_at: Millis(50), ..record("t", "1", 0) }, Millis(100)).unwrap();
    assert!(records.is_empty() && ids(&records, "t", 100).is_empty());
}

#[test]
fn a_full_topic_refuses_and_keeps_what_it_has() {
    let mut records = Records::default();
    for number in 0..256 {
        records.keep(record("t", &number.to_string(), 100), Millis(100)).unwrap();
    }
    assert_eq!(records.keep(record("t", "more", 100), Millis(100)), Err(Code::Unavailable));
    records.keep(record("t", "7", 100), Millis(100)).unwrap();
    records.keep(record("other", "more", 100), Millis(100)).unwrap();
    assert_eq!(ids(&records, "t", 100).len(), 256);
    // What is over no longer counts, swept or not.
    records.keep(record("t", "late", 2000), Millis(2000)).unwrap();
    assert_eq!(ids(&records, "t", 2000), ["late"]);
}

#[test]
fn a_full_node_refuses() {
    let mut records = Records::default();
    let number_kept = |records: &mut Records, length: usize| {
        let data = raw_json(&"x".repeat(length));
        (0..20_000)
            .take_while(|number| {
                let (topic, id) = (format!("t{}", number / 200), number.to_string());
                let data = data.clone();
                records.keep(Record { data, ..record(&topic, &id, 100) }, Millis(100)).is_ok()
            })
            .count()
    };
    assert_eq!(number_kept(&mut records, 1), 10_000);
    assert!((900..1100).contains(&number_kept(&mut Records::default(), 64 * 1024)));
    records.sweep(Millis(5000));
    assert_eq!(records.len(), 0);
}

#[test]
fn on_the_wire_as_existing_nodes_write_it() {
    let text = serde_json::to_string(&record("t", "1", 100)).unwrap();
    assert_eq!(text, r#"{"id":"1","topic":"t","data":"1","nodeId":"a","timestamp":100,"expiresAt":1100}"#);
    let replica = Record { replicated: true, ..record("t", "1", 100) };
    assert!(serde_json::to_string(&replica).unwrap().ends_with(r#""replicated":true}"#));
}
