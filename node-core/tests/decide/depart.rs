//! Peers of this node go: with a goodbye, in an orderly way, or by being lost.

use pigeonhub_node_core::Event;
use pigeonhub_protocol::mesh::Departure;

use crate::support::scene::Scene;
use crate::support::words::{Nuance, caller, goodbye, here, stranger, there};

fn gone(departure: Departure) -> Event {
    Event::Gone(caller('a', 1), departure)
}

#[test]
fn a_goodbye_is_relayed_to_the_whole_network_once_and_to_every_node() {
    assert_eq!(
        Scene::of([here('a', 1), here('b', 2), there('c', "n2")]).decides(goodbye(caller('a', 1))),
        [
            "left",
            "forget a here#1",
            r#"tell all but a: goodbye a {"bye":1}"#,
            "tell all but a: departed a",
            r#"withdraw a goodbye {"bye":1}"#,
        ]
    );
}

/// Pages say it three times while they unload.
#[test]
fn a_goodbye_said_again_says_nothing_more() {
    assert_eq!(Scene::of([here('b', 2)]).decides(goodbye(caller('a', 1))), [""; 0]);
    assert_eq!(Scene::of([here('b', 2)]).decides(goodbye(stranger('a', 1))), [""; 0]);
}

#[test]
fn a_goodbye_is_not_told_while_another_node_has_the_peer() {
    assert_eq!(
        Scene::of([here('a', 1), there('a', "n2")]).decides(goodbye(caller('a', 1))),
        ["left", "leave a here#1 until +10000 told", r#"withdraw a goodbye {"bye":1}"#]
    );
}

#[test]
fn an_orderly_end_is_told_once_and_the_peer_may_come_back() {
    assert_eq!(
        Scene::of([here('a', 1), here('b', 2)]).decides(gone(Departure::Closed)),
        ["left", "leave a here#1 until +10000 told", "tell all but a: departed a", "withdraw a closed null",]
    );
}

#[test]
fn a_loss_is_not_told_before_its_time() {
    assert_eq!(
        Scene::of([here('a', 1), here('b', 2)]).decides(gone(Departure::Lost)),
        ["left", "leave a here#1 until +10000 untold", "withdraw a lost null"]
    );
}

/// A page that is frozen: its sockets end, in one way or another, and it may be back.
#[test]
fn who_said_that_it_is_away_is_missed_later() {
    let away = || here('a', 1).saying(r#"{"away":true}"#);
    for (departure, word) in [(Departure::Lost, "lost"), (Departure::Closed, "closed")] {
        assert_eq!(
            Scene::of([away(), here('b', 2)]).decides(gone(departure)),
            ["left", "leave a here#1 until +300000 untold", &format!("withdraw a {word} null")]
        );
    }
    let lines = Scene::of([away(), here('b', 2)]).decides(goodbye(caller('a', 1)));
    assert!(lines.contains(&"tell all but a: departed a".into()), "a goodbye is one: {lines:?}");
    for profile in [r#"{"away":false}"#, r#"{"away":"true"}"#, r#"{"name":"away"}"#] {
        let lines = Scene::of([here('a', 1).saying(profile)]).decides(gone(Departure::Lost));
        assert_eq!(lines[1], "leave a here#1 until +10000 untold", "{profile}");
    }
}

#[test]
fn who_was_away_here_and_is_elsewhere_is_told_as_it_is_there() {
    let away = here('a', 1).saying(r#"{"away":true}"#);
    let lines = Scene::of([away, there('a', "n2"), here('b', 2)]).decides(gone(Departure::Lost));
    assert_eq!(
        lines[..3],
        ["left", "leave a here#1 until +10000 told", "tell all but a: discovered a at n2"]
    );
}

#[test]
fn a_goodbye_is_never_made_up() {
    for departure in [Departure::Closed, Departure::Lost] {
        let lines = Scene::of([here('a', 1), here('b', 2)]).decides(gone(departure));
        assert!(lines.iter().all(|line| !line.contains("goodbye")), "{lines:?}");
    }
}

#[test]
fn while_another_node_has_the_peer_only_that_node_is_left_and_this_one_speaks_for_it_a_moment_longer() {
    for departure in [Departure::Closed, Departure::Lost] {
        let lines = Scene::of([here('a', 1), there('a', "n2"), here('b', 2)]).decides(gone(departure));
        assert_eq!(lines[..2], ["left", "leave a here#1 until +10000 told"]);
        assert!(lines.len() == 3 && lines[2].starts_with("withdraw a "), "{lines:?}");
    }
}

#[test]
fn a_departure_that_was_told_is_not_told_again() {
    let scene = Scene::of([here('a', 1).away(true), here('b', 2)]);
    assert_eq!(scene.decides(gone(Departure::Closed)), ["left", "forget a here#1", "withdraw a closed null"]);
}

/// It was lost at `n2`, came back here, and leaves now: when its time at `n2` is over, nobody needs
/// to hear of it once more.
#[test]
fn telling_of_a_departure_ends_the_untold_absences_elsewhere() {
    let scene = Scene::of([here('a', 1), there('a', "n2").away(false), there('a', "n3").away(true)]);
    assert_eq!(
        scene.decides(gone(Departure::Closed)),
        [
            "left",
            "leave a here#1 until +10000 told",
            "tell all but a: departed a",
            "forget a at n2",
            "withdraw a closed null",
        ]
    );
}

/// An old socket that ends late, after a newer one took its place.
#[test]
fn the_late_end_of_an_old_session_harms_nothing() {
    let scene = Scene::of([here('a', 9), here('b', 2)]);
    for departure in [Departure::Goodbye, Departure::Closed, Departure::Lost] {
        assert_eq!(scene.decides(gone(departure)), [""; 0]);
    }
    assert_eq!(scene.decides(goodbye(caller('a', 1))), [""; 0]);
}

#[test]
fn a_socket_that_never_announced_leaves_nothing() {
    let event = Event::Gone(stranger('a', 1), Departure::Closed);
    assert_eq!(Scene::of([here('b', 2)]).decides(event), [""; 0]);
}
