//! What every store promises of its samples: see [`super::contract`].

use std::fmt::Debug;

use pigeonhub_node_core::{Home, Mailroom, Needs, Presence, Sample};
use pigeonhub_protocol::PeerId;

use super::contract::{home, load, needs, remember};
use super::words::{Nuance, here, node, peer, there};

/// The peer with this number, spread over the space of ids.
fn numbered(number: u8) -> PeerId {
    PeerId::from_bytes([number.wrapping_mul(151); 20])
}

fn crowd<S: Mailroom<Error: Debug>>(store: &S, many: u8) {
    let present = |number: u8| Presence { peer: numbered(number), ..here('a', u64::from(number)) };
    remember(store, (0..many).map(present));
}

fn sample<S: Mailroom<Error: Debug>>(store: &S, near: PeerId, most: usize, seed: u64) -> (Vec<PeerId>, bool) {
    let facts =
        load(store, &Needs { sample: Some(Sample { near, most, here_only: false, seed }), ..needs(&[]) });
    (facts.sample.iter().map(|known| known.peer).collect(), facts.sample_is_all)
}

pub fn a_sample_is_everyone_while_there_are_few<S: Mailroom<Error: Debug>>(store: &S) {
    assert_eq!(sample(store, numbered(0), 8, 1), (vec![], true));
    crowd(store, 8);
    // A newcomer, and one of them.
    let (everyone, is_all) = sample(store, numbered(100), 8, 1);
    assert_eq!((everyone.len(), is_all), (8, true));
    let (others, is_all) = sample(store, numbered(3), 7, 1);
    assert_eq!((others.len(), others.contains(&numbered(3)), is_all), (7, false, true));
}

pub fn a_sample_is_bounded_and_holds_the_nearest<S: Mailroom<Error: Debug>>(store: &S) {
    crowd(store, 100);
    for (seed, newcomer) in (0..20).zip(100..) {
        for near in [numbered(newcomer), numbered(newcomer - 100)] {
            let (mut chosen, is_all) = sample(store, near, 8, seed);
            let mut nearest: Vec<_> = (0..100).map(numbered).filter(|other| *other != near).collect();
            nearest.sort_by_key(|other| other.distance(&near));
            assert!(nearest[..4].iter().all(|other| chosen.contains(other)), "{chosen:?}");
            chosen.sort();
            chosen.dedup();
            assert!((4..=8).contains(&chosen.len()) && !chosen.contains(&near) && !is_all);
        }
    }
    assert!(!sample(store, numbered(200), 99, 1).1, "99 of 100 are not everyone");
}

pub fn a_sample_names_only_live_others<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1), here('b', 2).away(false), there('c', "n2"), there('d', "n2").away(true)]);
    remember(store, [there('a', "n2"), here('d', 4).away(false), there('d', "n3")]);
    let named = |here_only, most| {
        let sample = Sample { near: peer('e'), most, here_only, seed: 1 };
        let facts = load(store, &Needs { sample: Some(sample), ..needs(&[]) });
        let mut named: Vec<_> = facts.sample.iter().map(|known| (known.peer, known.home.clone())).collect();
        named.sort();
        named
    };
    let n2 = || Home::At(node("n2"));
    assert_eq!(named(false, 9), [(peer('a'), home(1)), (peer('c'), n2()), (peer('d'), Home::At(node("n3")))]);
    assert_eq!(named(true, 9), [(peer('a'), home(1))]);
    assert!(named(false, 1).len() <= 1);
}
