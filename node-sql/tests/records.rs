//! Records in SQLite: of several the right one counts, in whatever order they come; what is over is
//! not found and does not come back; nobody can fill the node or push others out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ed25519_dalek::SigningKey;
use pigeonhub_node_core::records::{Archive, Kept, Limits, Place, on_behalf, replicate};
use pigeonhub_node_sql::{Embedded, SqlStore};
use pigeonhub_protocol::{Code, Millis, Record, limit, raw_json};
use proptest::prelude::*;

const NOW: Millis = Millis(1_790_000_000_000);

/// The embedded database never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn archive() -> SqlStore<Embedded> {
    let store = SqlStore::new(Embedded::in_memory().unwrap(), "a".parse().unwrap(), NOW);
    at_once(store.create_record_tables()).unwrap();
    store
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn record(publisher: u8, seq: u64, text: &str) -> Record {
    Record::unsigned("t".into(), raw_json(text), seq, 60, NOW).signed(&key(publisher))
}

fn deleted(publisher: u8, seq: u64) -> Record {
    Record { deleted: true, data: raw_json(&()), ..record(publisher, seq, "") }.signed(&key(publisher))
}

fn keep(archive: &SqlStore<Embedded>, record: &Record) -> Result<Kept, Code> {
    at_once(archive.keep_record(record)).unwrap()
}

fn texts(archive: &SqlStore<Embedded>) -> Vec<String> {
    let found = at_once(archive.records_of("t", None, 1000)).unwrap();
    found.iter().map(|record| serde_json::from_str(record.data.get()).unwrap()).collect()
}

#[test]
fn the_highest_sequence_of_a_publisher_counts() {
    let archive = archive();
    assert_eq!(keep(&archive, &record(1, 5, "new")), Ok(Kept::New));
    assert_eq!(keep(&archive, &record(1, 5, "new")), Ok(Kept::Known));
    assert_eq!(keep(&archive, &record(1, 4, "old")), Err(Code::RecordStale));
    assert_eq!(keep(&archive, &record(2, 1, "other")), Ok(Kept::New));
    assert_eq!(texts(&archive).len(), 2);
    assert_eq!(keep(&archive, &record(1, 6, "newer")), Ok(Kept::New));
    assert!(!texts(&archive).contains(&"new".into()));
}

#[test]
fn what_was_deleted_does_not_come_back() {
    let mut archive = archive();
    let old = Record { ttl: limit::TTL, ..record(1, 1, "old") }.signed(&key(1));
    keep(&archive, &old).unwrap();
    keep(&archive, &deleted(1, 2)).unwrap();
    assert_eq!(texts(&archive), [""; 0]);
    let later = NOW.plus(limit::TTL * 1000 - 1);
    archive.at(later);
    assert_eq!(keep(&archive, &old), Err(Code::RecordStale));
    assert_eq!(
        at_once(replicate(&archive, &[deleted(1, 2)], later)).unwrap(),
        [Ok(Kept::Known)],
        "it spreads"
    );
}

#[test]
fn what_was_replaced_does_not_come_back_when_its_successor_is_over() {
    let mut archive = archive();
    let old = Record { ttl: limit::TTL, ..record(1, 1, "old") }.signed(&key(1));
    keep(&archive, &record(1, 2, "short")).unwrap();
    archive.at(NOW.plus(60_000));
    assert_eq!(texts(&archive), [""; 0]);
    assert_eq!(keep(&archive, &old), Err(Code::RecordStale));
    // It came late, and was over already: it counts all the same.
    let late = self::archive();
    keep(&late, &old).unwrap();
    let over = Record { timestamp: Millis(NOW.0 - 61_000), ..record(1, 2, "over") }.signed(&key(1));
    keep(&late, &over).unwrap();
    assert_eq!(texts(&late), [""; 0]);
}

#[test]
fn marks_are_forgotten_when_nothing_could_come_back() {
    let mut archive = archive();
    keep(&archive, &record(1, 1, "x")).unwrap();
    archive.at(record(1, 1, "x").kept_until());
    at_once(archive.sweep_records()).unwrap();
    let all = at_once(archive.record_versions()).unwrap();
    assert!(all.is_empty());
    assert_eq!(record(1, 1, "x").check(record(1, 1, "x").kept_until()), Err(Code::RecordExpired));
}

#[test]
fn a_topic_a_publisher_and_a_node_have_limits_and_changes_need_no_new_room() {
    let mut archive = archive();
    archive.limit_records(Limits { per_topic: 3, per_publisher: 2, in_all: 5, bytes: 10_000 });
    let salted = |topic: &str, publisher, salt: &str| {
        let one = record(publisher, 1, salt);
        Record { topic: topic.into(), salt: salt.into(), ..one }.signed(&key(publisher))
    };
    assert_eq!(keep(&archive, &salted("t", 1, "1")), Ok(Kept::New));
    assert_eq!(keep(&archive, &salted("t", 1, "2")), Ok(Kept::New));
    assert_eq!(keep(&archive, &salted("u", 1, "3")), Err(Code::QuotaExceeded), "the publisher's");
    assert_eq!(keep(&archive, &salted("t", 2, "1")), Ok(Kept::New));
    assert_eq!(keep(&archive, &salted("t", 3, "1")), Err(Code::QuotaExceeded), "the topic's");
    assert_eq!(keep(&archive, &salted("u", 2, "1")), Ok(Kept::New));
    assert_eq!(keep(&archive, &salted("u", 3, "1")), Ok(Kept::New));
    assert_eq!(keep(&archive, &salted("v", 4, "1")), Err(Code::QuotaExceeded), "the node's");
    let changed = Record { seq: 2, ..salted("t", 1, "1") }.signed(&key(1));
    assert_eq!(keep(&archive, &changed), Ok(Kept::New));
    let large = Record { seq: 3, data: raw_json(&"x".repeat(10_000)), ..changed }.signed(&key(1));
    assert_eq!(keep(&archive, &large), Err(Code::QuotaExceeded), "bytes");
    // When time passes there is room again, though what counted is remembered.
    archive.limit_records(Limits { per_topic: 3, per_publisher: 2, in_all: 50, bytes: 10_000 });
    archive.at(NOW.plus(60_000));
    let fresh = Record { timestamp: NOW.plus(60_000), ..salted("t", 3, "1") }.signed(&key(3));
    assert_eq!(keep(&archive, &fresh), Ok(Kept::New));
}

#[test]
fn a_node_publishes_for_many() {
    let mut archive = archive();
    archive.limit_records(Limits { per_publisher: 1, ..Limits::USUAL });
    let publish = |text: &str, now| {
        let data = raw_json(text);
        keep(&archive, &on_behalf(&key(9), &"a".parse().unwrap(), "t".into(), data, 60, now))
    };
    for number in 0..5 {
        assert_eq!(publish(&number.to_string(), NOW), Ok(Kept::New));
    }
    assert_eq!(publish("0", NOW.plus(1)), Ok(Kept::New), "it is prolonged");
    assert_eq!(texts(&archive).len(), 5);
}

#[test]
fn pages_follow_each_other_newest_first() {
    let archive = archive();
    for number in 0..10u8 {
        let one = record(number, 1, &number.to_string());
        let older = Record { timestamp: Millis(NOW.0 - u64::from(number / 2)), ..one }.signed(&key(number));
        keep(&archive, &older).unwrap();
    }
    let mut all = Vec::new();
    let mut after: Option<Place> = None;
    loop {
        let page = at_once(archive.records_of("t", after.as_ref(), 3)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Place::of(last).cursor().parse().unwrap());
        all.extend(page.iter().map(Place::of));
    }
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted());
}

#[test]
fn what_is_not_right_is_not_kept() {
    let archive = archive();
    let good = record(1, 1, "x");
    let cases = [
        (Record { seq: 2, ..good.clone() }, Code::SignatureInvalid),
        (Record { data: raw_json("y"), ..good.clone() }, Code::SignatureInvalid),
        (Record { topic: "u".into(), ..good.clone() }, Code::SignatureInvalid),
        (Record { publisher: record(2, 1, "").publisher, ..good.clone() }, Code::SignatureInvalid),
        (Record { salt: "s".into(), ..good.clone() }, Code::SignatureInvalid),
        (Record { ttl: 61, ..good.clone() }, Code::SignatureInvalid),
        (Record { node_id: Some("b".parse().unwrap()), ..good.clone() }, Code::SignatureInvalid),
        (Record { signature: String::new(), ..good.clone() }, Code::SignatureInvalid),
        (Record { deleted: true, ..good.clone() }.signed(&key(1)), Code::InvalidRequest),
        (Record { topic: String::new(), ..good.clone() }.signed(&key(1)), Code::InvalidRequest),
        (Record { ttl: limit::TTL + 1, ..good.clone() }.signed(&key(1)), Code::InvalidRequest),
        (Record { seq: 1 << 53, ..good.clone() }.signed(&key(1)), Code::InvalidRequest),
        (Record { publisher: "no key".into(), ..good.clone() }, Code::InvalidRequest),
        (record(1, 1, &"x".repeat(limit::RECORD)), Code::MessageTooLarge),
        (
            Record { timestamp: NOW.plus(limit::SKEW + 1), ..good.clone() }.signed(&key(1)),
            Code::RecordExpired,
        ),
        (Record { timestamp: Millis(1), ..good.clone() }.signed(&key(1)), Code::RecordExpired),
    ];
    for (record, code) in cases {
        assert_eq!(
            at_once(replicate(&archive, std::slice::from_ref(&record), NOW)).unwrap(),
            [Err(code)],
            "{record:?}"
        );
    }
    assert!(at_once(archive.record_versions()).unwrap().is_empty());
    assert_eq!(at_once(replicate(&archive, &[good], NOW)).unwrap(), [Ok(Kept::New)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Commutative, associative, idempotent: any order, any repeats, any grouping, the same picture.
    #[test]
    fn records_in_any_order_end_in_the_same_picture(
        seeds in prop::collection::vec((1u8..4, 0u64..4, 0u8..3), 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let made: Vec<Record> = seeds.iter().map(|(publisher, seq, kind)| match kind {
            0 => deleted(*publisher, *seq),
            kind => record(*publisher, *seq, &kind.to_string()),
        }).collect();
        let picture = |archive: &SqlStore<Embedded>| {
            let mut versions = at_once(archive.record_versions()).unwrap();
            versions.sort();
            versions
        };
        let (straight, shuffled) = (archive(), archive());
        made.iter().for_each(|record| { let _ = keep(&straight, record); });
        order.iter().for_each(|index| { let _ = keep(&shuffled, index.get(&made)); });
        made.iter().rev().for_each(|record| { let _ = keep(&shuffled, record); });
        prop_assert_eq!(picture(&straight), picture(&shuffled));
    }
}
