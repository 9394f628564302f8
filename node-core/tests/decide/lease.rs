//! A presence is a lease: whoever is still there keeps it, when a third of it is over.

use pigeonhub_node_core::Event;

use crate::support::scene::Scene;
use crate::support::words::{Nuance, after, caller, here, stranger, there};

#[test]
fn a_fresh_lease_costs_nothing() {
    let scene = Scene::of([here('a', 1).until(after(60_001))]);
    assert_eq!(scene.decides(Event::StillHere(caller('a', 1))), [""; 0]);
}

#[test]
fn after_a_third_it_is_renewed_here_and_at_other_nodes() {
    let scene = Scene::of([here('a', 1).until(after(60_000)), here('b', 2)]);
    assert_eq!(
        scene.decides(Event::StillHere(caller('a', 1))),
        ["renew a here#1 until +90000", "announce again a"]
    );
}

#[test]
fn a_clock_that_was_set_back_is_no_reason_to_let_the_lease_end_at_other_nodes() {
    let scene = Scene::of([here('a', 1).until(after(3_600_000))]);
    assert_eq!(
        scene.decides(Event::StillHere(caller('a', 1))),
        ["renew a here#1 until +90000", "announce again a"]
    );
    let fresh = Scene::of([here('a', 1).until(after(90_000))]);
    assert_eq!(fresh.decides(Event::StillHere(caller('a', 1))), [""; 0]);
}

#[test]
fn only_the_session_that_holds_it_renews_it_and_others_hear_that_they_are_not_announced() {
    for known in [here('a', 2), here('a', 1).away(false), there('a', "n2")] {
        let scene = Scene::of([known.until(after(1))]);
        assert_eq!(scene.decides(Event::StillHere(caller('a', 1))), ["left"]);
    }
    assert_eq!(Scene::default().decides(Event::StillHere(caller('a', 1))), ["left"]);
    assert_eq!(Scene::default().decides(Event::StillHere(stranger('a', 1))), [""; 0]);
}
