//! A peer of this node announces itself, asks who is there, or only makes itself heard.

use std::sync::Arc;

use pigeonhub_node_core::{Event, Presence};
use pigeonhub_protocol::PeerMessage;

use crate::support::scene::Scene;
use crate::support::words::{Nuance, announce, announce_in, caller, here, peer, stranger, there};

#[test]
fn the_first_of_a_network_is_told_of_nobody() {
    assert_eq!(
        Scene::default().decides(announce(stranger('a', 1), "{}")),
        [
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell nobody: discovered a at n1",
            "say to all that there are peers here, and they",
            "announce a",
        ]
    );
}

#[test]
fn a_newcomer_is_told_of_everyone_and_everyone_of_it_here_and_at_other_nodes() {
    let scene = Scene::of([here('b', 2), there('c', "n2"), here('d', 3), there('e', "n3")]);
    assert_eq!(
        scene.decides(announce(stranger('a', 1), "{}")),
        [
            "reply discovered b at n1",
            "reply discovered c at n2",
            "reply discovered d at n1",
            "reply discovered e at n3",
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell b d: discovered a at n1",
            "announce a, tell c at n2, tell e at n3",
        ]
    );
}

#[test]
fn fan_out_is_bounded_and_symmetric() {
    let scene = Scene::of([here('b', 2), there('c', "n2"), here('d', 3), here('e', 4)]).discovery(2);
    assert_eq!(
        scene.decides(announce(stranger('a', 1), "{}")),
        [
            "reply discovered b at n1",
            "reply discovered c at n2",
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell b: discovered a at n1",
            "announce a, tell c at n2",
        ]
    );
}

#[test]
fn only_peers_that_can_be_reached_are_named() {
    let scene = Scene::of([here('b', 2).away(false), there('c', "n2").away(true)]);
    assert_eq!(
        scene.decides(announce(stranger('a', 1), "{}")),
        [
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell nobody: discovered a at n1",
            "say to all that there are peers here, and they",
            "announce a",
        ]
    );
}

#[test]
fn a_peer_is_never_told_of_itself_not_even_by_way_of_another_node() {
    let scene = Scene::of([there('a', "n2")]);
    assert_eq!(
        scene.decides(announce(stranger('a', 1), "{}")),
        [
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell nobody: discovered a at n1",
            "say to all that there are peers here, and they",
            "announce a",
        ]
    );
}

#[test]
fn ids_that_differ_in_case_are_two_peers() {
    assert_eq!(
        Scene::of([here('A', 2)]).decides(announce(stranger('a', 1), "{}")),
        [
            "reply discovered A at n1",
            "joined room",
            "remember a live here#1 until +90000 {}",
            "tell A: discovered a at n1",
            "announce a",
        ]
    );
}

#[test]
fn announcing_again_repeats_discovery_to_the_caller_and_renews_the_lease() {
    let scene = Scene::of([here('a', 1), here('b', 2), there('c', "n2")]);
    assert_eq!(
        scene.decides(announce(caller('a', 1), "{}")),
        [
            "reply discovered b at n1",
            "reply discovered c at n2",
            "joined room",
            "renew a here#1 until +90000",
            "announce again a",
        ]
    );
}

/// In a large network the caller hears of others than the first time: they are to hear of it, too.
#[test]
fn announcing_again_in_a_large_network_tells_both_sides() {
    let scene = Scene::of([here('a', 1), here('b', 2), there('c', "n2"), here('d', 3)]).discovery(2);
    assert_eq!(
        scene.decides(announce(caller('a', 1), "{}")),
        [
            "reply discovered b at n1",
            "reply discovered c at n2",
            "joined room",
            "renew a here#1 until +90000",
            "tell b: discovered a at n1",
            "announce a, tell c at n2",
        ]
    );
}

#[test]
fn a_changed_profile_is_told_to_everyone() {
    let scene = Scene::of([here('a', 1), here('b', 2)]);
    assert_eq!(
        scene.decides(announce(caller('a', 1), r#"{"name":"x"}"#)),
        [
            "reply discovered b at n1",
            "joined room",
            r#"remember a live here#1 until +90000 {"name":"x"}"#,
            "tell b: discovered a at n1",
            "announce a",
        ]
    );
}

#[test]
fn a_new_session_replaces_the_old_one_and_is_told() {
    for old in [here('a', 1), here('a', 1).away(false), here('a', 1).away(true)] {
        assert_eq!(
            Scene::of([old, here('b', 2)]).decides(announce(stranger('a', 9), "{}")),
            [
                "reply discovered b at n1",
                "joined room",
                "remember a live here#9 until +90000 {}",
                "tell b: discovered a at n1",
                "announce a",
            ]
        );
    }
}

#[test]
fn networks_do_not_see_each_other() {
    let scene = Scene::of([here('b', 2), there('c', "n2")]);
    assert_eq!(
        scene.decides(announce_in("hall", stranger('a', 1), "{}")),
        [
            "joined hall",
            "remember a live here#1 until +90000 {} in hall",
            "tell nobody: discovered a at n1 in hall",
            "say to all that there are peers here, and they in hall",
            "announce a in hall",
        ]
    );
}

/// On a 1.1.3 server, whoever announces there is a hub and gets every unroutable signal.
#[test]
fn the_network_of_hubs_gives_no_power() {
    let scene = Scene::of([here('b', 2), here('c', 3)]);
    assert_eq!(
        scene.decides(announce_in("pigeonhub-mesh", stranger('a', 1), r#"{"port":3000}"#)),
        [
            "joined pigeonhub-mesh",
            r#"remember a live here#1 until +90000 {"port":3000} in pigeonhub-mesh"#,
            "tell nobody: discovered a at n1 in pigeonhub-mesh",
            "say to all that there are peers here, and they in pigeonhub-mesh",
            "announce a in pigeonhub-mesh",
        ]
    );
}

#[test]
fn discover_names_others_and_changes_nothing() {
    let scene = Scene::of([here('a', 1), here('b', 2), there('c', "n2")]);
    assert_eq!(
        scene.decides(Event::Said(caller('a', 1), PeerMessage::Discover)),
        ["reply discovered b at n1", "reply discovered c at n2"]
    );
}

#[test]
fn discover_before_announce_is_refused() {
    assert_eq!(
        Scene::of([here('b', 2)]).decides(Event::Said(stranger('a', 1), PeerMessage::Discover)),
        ["reply error not-announced about discover"]
    );
}

#[test]
fn ping_is_answered_even_before_announce() {
    for caller in [caller('a', 1), stranger('a', 1)] {
        let ping = Event::Said(caller, PeerMessage::Ping);
        assert_eq!(Scene::default().decides(ping), ["reply pong a"]);
    }
}

#[test]
fn cleanup_is_swallowed() {
    for caller in [caller('a', 1), stranger('a', 1)] {
        let cleanup = Event::Said(caller, PeerMessage::Cleanup);
        assert_eq!(Scene::of([here('a', 1)]).decides(cleanup), [""; 0]);
    }
}

/// The presence was remembered when these peers were known.
fn remembered(presence: Presence, known: &[char]) -> Event {
    Event::Remembered(Arc::new(presence), known.iter().map(|of| peer(*of)).collect())
}

#[test]
fn who_came_at_the_same_moment_is_told_of_the_newcomer_and_the_newcomer_of_it() {
    let scene = Scene::of([here('a', 1), here('b', 2), here('c', 3), there('d', "n2"), there('e', "n2")]);
    assert_eq!(
        scene.decides(remembered(here('a', 1), &['b', 'd'])),
        [
            "reply discovered c at n1",
            "reply discovered e at n2",
            "tell c: discovered a at n1",
            "announce a, tell e at n2",
        ]
    );
    assert_eq!(scene.decides(remembered(here('a', 1), &['b', 'c', 'd', 'e'])), [""; 0]);
}

#[test]
fn who_came_when_another_node_announced_a_peer_is_told_of_it() {
    let scene = Scene::of([there('a', "n2"), here('b', 2), here('c', 3), there('d', "n3")]);
    let told = scene.decides(remembered(there('a', "n2"), &['b']));
    assert_eq!(told, ["tell c: discovered a at n2", "told 1"]);
}
