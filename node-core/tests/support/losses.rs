//! What every store promises when another node is lost: see [`super::contract`].

use std::fmt::Debug;

use pigeonhub_node_core::{Absence, Home, Mailroom, Needs, State};

use super::contract::{home, homes, load, needs, remember};
use super::shelf::Shelf;
use super::words::{NOW, Nuance, after, here, node, peer, there};

/// A store whose node loses sight of another one.
pub trait LosesNodes: Mailroom<Error: Debug> {
    fn lose(&self, node: &str, absence: Absence);
}

impl LosesNodes for Shelf {
    fn lose(&self, lost: &str, absence: Absence) {
        self.memory.borrow_mut().node_lost(&node(lost), absence);
    }
}

const ABSENCE: Absence = Absence { usual: NOW.plus(10), said: NOW.plus(300) };
const SAYS_AWAY: &str = r#"{"away":true}"#;

pub fn a_lost_node_takes_its_peers_away_and_only_those<S: LosesNodes>(store: &S) {
    let told = there('b', "n2").away(true).until(after(5));
    remember(store, [there('a', "n2"), there('a', "n3"), told, here('c', 3)]);
    store.lose("n2", ABSENCE);
    let (n2, n3) = (Home::At(node("n2")), Home::At(node("n3")));
    let away = |told| State::Away { told };
    let live = |home| (home, State::Live, after(60_000));
    assert_eq!(homes(store, 'a'), [(n2.clone(), away(false), after(10)), live(n3)]);
    assert_eq!(homes(store, 'b'), [(n2, away(true), after(5))]);
    assert_eq!(homes(store, 'c'), [live(home(3))]);
    let mut over = load(store, &Needs { over_at: Some(after(10)), ..needs(&[]) }).over;
    over.sort_by_key(|(known, _)| known.peer);
    assert_eq!(over.iter().map(|(known, _)| known.peer).collect::<Vec<_>>(), [peer('a'), peer('b')]);
}

pub fn who_said_that_it_is_away_is_kept_longer_when_its_node_is_lost<S: LosesNodes>(store: &S) {
    let deep = "[".repeat(2000) + &"]".repeat(2000);
    let profiles = [
        (SAYS_AWAY, after(300)),
        (r#"{"name":"x","away":true}"#, after(300)),
        (r#"{"away":false}"#, after(10)),
        (r#"{"away":"true"}"#, after(10)),
        (r#"{"away":1}"#, after(10)),
        ("{}", after(10)),
        ("null", after(10)),
        (r#""away""#, after(10)),
        (&deep, after(10)),
    ];
    for (profile, until) in profiles {
        remember(store, [there('a', "n2").saying(profile)]);
        store.lose("n2", ABSENCE);
        assert_eq!(
            homes(store, 'a'),
            [(Home::At(node("n2")), State::Away { told: false }, until)],
            "{profile}"
        );
    }
}

pub fn who_is_elsewhere_as_well_is_not_kept_longer_when_a_node_is_lost<S: LosesNodes>(store: &S) {
    let away_at = |at| there('a', at).saying(SAYS_AWAY);
    remember(store, [away_at("n2"), away_at("n3")]);
    store.lose("n2", ABSENCE);
    store.lose("n3", ABSENCE);
    let until: Vec<_> = homes(store, 'a').into_iter().map(|(.., until)| until).collect();
    assert_eq!(until, [after(10), after(300)], "the last place is where it is waited for");
    remember(store, [here('a', 1), away_at("n2")]);
    store.lose("n2", ABSENCE);
    assert_eq!(homes(store, 'a')[1].2, after(10));
}
