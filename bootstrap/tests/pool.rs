//! What the pool keeps, in which order, and what it does not take back from the disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{
    CHECK, Descriptor, Environment, Invalid, KEEP, MOST, Pool, Refusal, Region, Source, Trust,
    parse_bootstrap_peers_from_env, read_document, read_txt, sign,
};
use pigeonhub_protocol::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Millis = Millis(1_700_000_000_000);

fn at(name: &str) -> Descriptor {
    Descriptor::at(&format!("wss://{name}")).unwrap()
}

fn signed(name: &str, timestamp: Millis) -> Descriptor {
    let mut value = at(name).json();
    sign(&mut value, &SigningKey::from_bytes(&[3; 32]), timestamp, 24 * 60 * 60);
    Descriptor::read(&value).unwrap()
}

fn names(pool: &Pool, region: Option<Region>) -> Vec<&str> {
    pool.ranked(region).iter().map(|candidate| &candidate.descriptor.u["wss://".len()..]).collect()
}

#[test]
fn candidates_are_ranked_by_trust_priority_region_round_trip_and_health() {
    let mut pool = Pool::default();
    let mut offer = |descriptor, source, trust| pool.offer(descriptor, source, trust, NOW).unwrap();
    let near = |name| Descriptor { region: Some(Region::EuWest), ..at(name) };
    offer(at("built-in"), Source::BuiltIn, Trust::Project);
    offer(at("dht"), Source::Dht, Trust::Discovered);
    offer(at("dns"), Source::Dns, Trust::Community);
    offer(at("slow"), Source::WellKnown, Trust::Community);
    offer(at("fast"), Source::WellKnown, Trust::Community);
    offer(near("near"), Source::WellKnown, Trust::Community);
    offer(Descriptor { priority: Some(0), ..at("first") }, Source::WellKnown, Trust::Community);
    offer(at("unsigned"), Source::WellKnown, Trust::Discovered);
    offer(at("pinned"), Source::WellKnown, Trust::Project);
    offer(at("configured"), Source::Environment, Trust::Own);
    offer(at("code"), Source::Custom, Trust::Own);
    pool.checked("https://slow", Some(300), NOW);
    pool.checked("https://fast", Some(3), NOW);
    let best = ["code", "configured", "pinned", "first"];
    let last = ["unsigned", "dns", "dht", "built-in"];
    let order = |middle: &[&'static str]| [&best, middle, &last].concat();
    assert_eq!(names(&pool, None), order(&["fast", "slow", "near"]));
    assert_eq!(names(&pool, Some(Region::EuWest)), order(&["near", "fast", "slow"]));

    // Two misses may happen; with the third it is behind all others, until it answers.
    pool.checked("https://code", None, NOW);
    pool.checked("https://code", None, NOW);
    assert_eq!(names(&pool, None)[0], "code");
    pool.checked("https://code", None, NOW);
    assert_eq!(*names(&pool, None).last().unwrap(), "code");
    pool.checked("https://code", Some(9), NOW);
    assert_eq!(names(&pool, None)[0], "code");
}

#[test]
fn of_two_words_on_one_address_the_better_trusted_counts() {
    let mut pool = Pool::default();
    let described = |description: &str| Descriptor { description: Some(description.into()), ..at("a") };
    let mut offer = |words, source, trust| {
        pool.offer(described(words), source, trust, NOW).unwrap();
        let [candidate] = pool.candidates() else { panic!("one address, one candidate") };
        candidate.descriptor.description.clone().unwrap()
    };
    assert_eq!(offer("dns", Source::Dns, Trust::Community), "dns");
    assert_eq!(offer("unsigned", Source::WellKnown, Trust::Discovered), "dns");
    assert_eq!(offer("later", Source::Dns, Trust::Community), "later");
    assert_eq!(offer("own", Source::Environment, Trust::Own), "own");
    assert_eq!(offer("pinned", Source::WellKnown, Trust::Project), "own");
}

#[test]
fn an_older_descriptor_of_the_same_key_and_url_is_a_replay() {
    let mut pool = Pool::default();
    let mut offer =
        |name, time| pool.offer(signed(name, Millis(time)), Source::WellKnown, Trust::Community, NOW);
    assert_eq!(offer("a", 1000), Ok(()));
    assert_eq!(offer("a", 999), Err(Refusal::Replayed));
    assert_eq!(offer("b", 999), Ok(()), "another URL");
    assert_eq!(offer("a", 1000), Ok(()), "the same once more");
    assert_eq!(offer("a", 1001), Ok(()));
    assert_eq!(offer("a", 1000), Err(Refusal::Replayed));
}

#[test]
fn each_is_checked_at_once_and_then_every_five_minutes() {
    let mut pool = Pool::default();
    for name in ["a", "b"] {
        pool.offer(at(name), Source::Dns, Trust::Discovered, NOW).unwrap();
    }
    assert_eq!(pool.due(NOW), ["https://a", "https://b"]);
    assert!(pool.due(NOW.plus(CHECK - 1)).is_empty());
    assert_eq!(pool.due(NOW.plus(CHECK)), ["https://a", "https://b"]);
}

#[test]
fn the_cache_keeps_what_was_found_for_a_day_and_believes_nothing() {
    let mut pool = Pool::default();
    pool.offer(signed("found", NOW), Source::WellKnown, Trust::Project, NOW).unwrap();
    pool.offer(at("configured"), Source::Environment, Trust::Own, NOW).unwrap();
    pool.checked("https://found", Some(7), NOW);
    let text = pool.write();
    let read = |text: &str, now| {
        let mut pool = Pool::default();
        let refused = pool.read(text, &[], now);
        (pool, refused)
    };
    let (kept, refused) = read(&text, NOW.plus(KEEP - 1));
    assert_eq!((names(&kept, None), refused), (vec!["found"], vec![]));
    assert_eq!(kept.candidates()[0].round_trip, Some(7));
    assert_eq!(kept.candidates()[0].trust, Trust::Community, "no key is pinned any more");
    // A replay is one after a restart, too.
    let (mut kept, _) = read(&text, NOW);
    let older = signed("found", Millis(NOW.0 - 1));
    assert_eq!(kept.offer(older, Source::Dns, Trust::Community, NOW), Err(Refusal::Replayed));

    let touched = |pointer: &str, new: Value| {
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        *kept.pointer_mut(pointer).unwrap() = new;
        kept.to_string()
    };
    let many = json!([serde_json::from_str::<Value>(&text).unwrap()[0]]).to_string();
    assert!(read(&many, NOW).1.is_empty(), "the control");
    for (text, now, why) in [
        (text.clone(), NOW.plus(KEEP), Refusal::Expired),
        (touched("/0/descriptor/u", json!("wss://forged")), NOW, Refusal::Forged),
        (touched("/0/source", json!("custom")), NOW, Refusal::Expired),
        (touched("/0/seen", json!(NOW.0 + 1)), NOW, Refusal::Future),
        (touched("/0/descriptor/t", json!("ftp")), NOW, Refusal::Invalid(Invalid::Scheme)),
        (touched("/0/misses", json!("none")), NOW, Refusal::Invalid(Invalid::Form)),
        ("nonsense".into(), NOW, Refusal::Invalid(Invalid::Form)),
        (format!("[{}]", " ".repeat(300_000)), NOW, Refusal::Invalid(Invalid::Size)),
    ] {
        let (pool, refused) = read(&text, now);
        assert_eq!((pool.candidates().len(), refused), (0, vec![why]), "{why}");
    }
}

#[test]
fn what_is_neither_found_nor_reached_for_a_day_is_forgotten() {
    let mut pool = Pool::default();
    pool.offer(at("silent"), Source::Dns, Trust::Discovered, NOW).unwrap();
    pool.offer(at("answers"), Source::Dns, Trust::Discovered, NOW).unwrap();
    pool.checked("https://answers", Some(1), NOW.plus(KEEP / 2));
    pool.offer(at("new"), Source::Dns, Trust::Discovered, NOW.plus(KEEP)).unwrap();
    assert_eq!(names(&pool, None), ["answers", "new"]);
}

#[test]
fn the_built_in_list_is_only_there_if_asked_for_and_behind_all_that_is_configured() {
    let configured = parse_bootstrap_peers_from_env("wss://configured").peers;
    let pool = |built_in| Pool::configured(&configured, built_in, None, NOW);
    assert_eq!(names(&pool(None), None), ["configured"]);
    let mut pool = pool(Some(Environment::Production));
    pool.offer(at("dht"), Source::Dht, Trust::Discovered, NOW).unwrap();
    let ranked = pool.ranked(None);
    let (first, built_in) = ranked.split_at(2);
    assert_eq!(
        first.iter().map(|candidate| candidate.trust).collect::<Vec<_>>(),
        [Trust::Own, Trust::Discovered]
    );
    assert!(!built_in.is_empty());
    for candidate in built_in {
        assert_eq!((candidate.source, candidate.trust), (Source::BuiltIn, Trust::Project));
    }
    // On one's own machine they are one's own.
    let local = Pool::configured(&[], Some(Environment::Local), None, NOW);
    assert!(local.candidates().iter().all(|candidate| candidate.trust == Trust::Own));
}

#[test]
fn what_a_host_without_memory_wrote_down_holds_for_its_next_request() {
    let configured = parse_bootstrap_peers_from_env("wss://a,wss://b").peers;
    let pool = || Pool::configured(&configured, None, None, NOW);
    let mut first = pool();
    let due = first.due(NOW);
    // Who is configured is better trusted, so this one is not among what is kept; its time is.
    first.offer(signed("a", NOW), Source::WellKnown, Trust::Community, NOW).unwrap();
    first.checked(&due[0], None, NOW);
    first.checked(&due[1], Some(7), NOW);
    assert_eq!(names(&first, None), ["b", "a"]);
    assert_eq!(first.write(), "[]");

    let mut next = pool();
    next.remember(&first.memory(), NOW);
    assert_eq!(next.candidates(), first.candidates());
    assert!(next.due(NOW.plus(CHECK - 1)).is_empty());
    let older = signed("a", Millis(NOW.0 - 1));
    assert_eq!(next.offer(older.clone(), Source::Dns, Trust::Community, NOW), Err(Refusal::Replayed));
    assert_eq!(next.due(NOW.plus(CHECK)), due);

    // What cannot be true is not believed: nothing is a replay, and everybody is to be checked.
    let late = |memory: &str| memory.replace(&NOW.0.to_string(), &(NOW.0 + 3_600_000).to_string());
    assert_ne!(late(&first.memory()), first.memory());
    for text in [late(&first.memory()), "nonsense".into(), String::new()] {
        let mut next = pool();
        next.remember(&text, NOW);
        assert_eq!(next.due(NOW), due, "{text}");
        assert_eq!(next.offer(older.clone(), Source::Dns, Trust::Community, NOW), Ok(()), "{text}");
    }
}

#[test]
fn a_candidate_that_is_older_than_its_latest_descriptor_is_no_replay() {
    let mut first = Pool::default();
    first.offer(signed("a", NOW), Source::WellKnown, Trust::Community, NOW).unwrap();
    // The better source stays.
    first.offer(signed("a", NOW.plus(1)), Source::Dns, Trust::Community, NOW).unwrap();
    let mut next = Pool::default();
    assert_eq!(next.read(&first.write(), &[], NOW), []);
    next.remember(&first.memory(), NOW);
    assert_eq!(next.candidates(), first.candidates());
    assert_eq!(
        next.offer(signed("a", NOW), Source::WellKnown, Trust::Community, NOW),
        Err(Refusal::Replayed)
    );
}

proptest! {
    #[test]
    fn the_pool_is_bounded_and_keeps_the_best(peers in prop::collection::vec((0_u32..200, 0_u32..9), 0..300)) {
        let mut pool = Pool::default();
        pool.offer(at("configured"), Source::Custom, Trust::Own, NOW).unwrap();
        for (number, priority) in &peers {
            let descriptor = Descriptor { priority: Some(*priority), ..at(&format!("n{number}.example")) };
            pool.offer(descriptor, Source::WellKnown, Trust::Discovered, NOW).unwrap();
        }
        prop_assert!(pool.candidates().len() <= MOST);
        prop_assert_eq!(names(&pool, None)[0], "configured");
        let mut again = Pool::default();
        prop_assert_eq!(again.read(&pool.write(), &[], NOW), vec![]);
        prop_assert_eq!(&names(&again, None)[..], &names(&pool, None)[1..]);
    }

    #[test]
    fn nothing_that_is_found_makes_a_reader_fail(text in ".*", app in "[a-z]{0,3}", json in r#"[\[\]{}",:a-z0-9]{0,80}"#) {
        let check = pigeonhub_bootstrap::Check { app: &app, pins: &[], is_local: true, now: NOW };
        for text in [text, json] {
            let found = [read_document(&text, &check), read_txt(&text, &check)];
            prop_assert!(found.iter().all(|found| found.peers.is_empty()));
            prop_assert!(found.iter().all(|found| found.refused.len() == 1));
            Pool::default().read(&text, &[], NOW);
        }
    }

    #[test]
    fn only_urls_of_nodes_are_peers(words in prop::collection::vec("(wss://[a-z.]{0,9}|[ -~]{0,20})", 0..12)) {
        let text = words.join(",");
        let read = parse_bootstrap_peers_from_env(&text);
        let given = text.split(',').filter(|word| !word.trim().is_empty()).count();
        prop_assert_eq!(read.peers.len() + read.junk.len(), given, "none is lost");
        for peer in read.peers {
            prop_assert!(Descriptor::read(&peer.json()).is_ok(), "{}", peer.u);
        }
    }
}
