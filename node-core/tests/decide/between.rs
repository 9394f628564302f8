//! What other nodes say of their peers, and the signals that they bring.

use pigeonhub_node_core::{Change, Event, Mail};
use pigeonhub_protocol::mesh::{Departure, Interest, PeerAnnouncement, Return};
use pigeonhub_protocol::{Code, Signal};

use crate::support::scene::Scene;
use crate::support::words::{
    Nuance, after, announced, announcement, here, mail, network, node, raw, refreshed, returned, signal,
    there, withdrawn,
};

/// Nothing was heard of n2 in this network before.
const INTRODUCE: &str = "introduce all to n2";

#[test]
fn a_peer_at_another_node_is_told_to_everyone_here_in_a_small_network() {
    let scene = Scene::of([here('b', 2), there('c', "n3"), here('d', 3).away(false)]);
    assert_eq!(
        scene.decides(announced("n2", 'a', &[])),
        ["remember a live at n2 until +90000 {}", "tell b: discovered a at n2", INTRODUCE, "told 1"]
    );
}

#[test]
fn in_a_large_network_it_is_told_to_exactly_those_that_were_named_to_it() {
    let scene = Scene::of([here('b', 2), here('c', 3), here('d', 4), here('e', 5).away(false)]).discovery(2);
    assert_eq!(
        scene.decides(announced("n2", 'a', &['c', 'e', 'f', 'a', 'c'])),
        ["remember a live at n2 until +90000 {}", "tell c: discovered a at n2", INTRODUCE, "told 1"]
    );
}

#[test]
fn a_peer_is_not_told_of_itself_by_another_node() {
    let scene = Scene::of([here('a', 1)]);
    assert_eq!(
        scene.decides(announced("n2", 'a', &['a'])),
        ["remember a live at n2 until +90000 {}", "tell nobody: discovered a at n2", INTRODUCE]
    );
}

#[test]
fn in_a_network_in_which_nobody_is_here_it_is_not_remembered() {
    for scene in [
        Scene::default(),
        Scene::of([here('b', 2).in_network("hall")]),
        Scene::of([there('b', "n3")]),
        Scene::of([here('b', 2).away(true)]),
    ] {
        assert_eq!(scene.decides(announced("n2", 'a', &['b'])), [""; 0]);
    }
    let returns = Scene::of([here('a', 1).away(true)]);
    assert_eq!(
        returns.decides(announced("n2", 'a', &[])),
        ["remember a live at n2 until +90000 {}", "tell nobody: discovered a at n2", INTRODUCE],
        "unless it was here itself: what comes for it goes after it"
    );
}

#[test]
fn a_refresh_only_renews_what_is_known() {
    let scene = Scene::of([there('a', "n2"), here('b', 2)]);
    assert_eq!(scene.decides(refreshed("n2", 'a')), ["renew a at n2 until +90000"]);
}

/// This node has just started, or gave the other one up for a while.
#[test]
fn a_refresh_of_what_is_not_known_is_news() {
    for scene in [
        Scene::of([here('b', 2), there('c', "n2").away(true)]),
        Scene::of([there('a', "n2").away(false), here('b', 2)]),
        Scene::of([there('a', "n3"), there('c', "n2").away(true), here('b', 2)]),
    ] {
        assert_eq!(
            scene.decides(refreshed("n2", 'a')),
            ["remember a live at n2 until +90000 {}", "tell b: discovered a at n2", "told 1"]
        );
    }
}

#[test]
fn a_changed_profile_is_news() {
    let changed =
        PeerAnnouncement { data: raw(r#"{"name":"x"}"#), refresh: true, ..announcement("n2", 'a', &[]) };
    assert_eq!(
        Scene::of([there('a', "n2"), here('b', 2)]).decides(Event::Announced(node("n2"), changed)),
        [r#"remember a live at n2 until +90000 {"name":"x"}"#, "tell b: discovered a at n2", "told 1"]
    );
}

#[test]
fn the_other_node_may_choose_the_lease_within_reason() {
    for (lease, until) in [(1_000, "+1000"), (u64::MAX, "+600000")] {
        let leased = PeerAnnouncement { lease: Some(lease), ..announcement("n2", 'a', &[]) };
        let lines = Scene::of([here('b', 2)]).decides(Event::Announced(node("n2"), leased));
        assert_eq!(lines[0], format!("remember a live at n2 until {until} {{}}"));
    }
}

#[test]
fn what_waits_here_for_a_peer_goes_after_it_in_order() {
    let wanted = here('a', 1).away(false);
    let scene = Scene::of([wanted, here('b', 2)]).waiting(mail('b', 'a', after(4_000))).waiting(mail(
        'c',
        'a',
        after(5_000),
    ));
    assert_eq!(
        scene.decides(announced("n2", 'a', &[])),
        [
            "remember a live at n2 until +90000 {}",
            "tell b: discovered a at n2",
            r#"route by n2: offer b to a "sdp" until +4000"#,
            r#"route by n2: offer c to a "sdp" until +5000"#,
            INTRODUCE,
            "told 1",
        ]
    );
}

/// Whoever loads waiting mail takes care of it, whatever else the event says.
#[test]
fn what_waits_goes_after_a_peer_that_is_only_refreshed_too() {
    let scene = Scene::of([there('a', "n2"), here('b', 2)]).waiting(mail('b', 'a', after(4_000)));
    assert_eq!(
        scene.decides(refreshed("n2", 'a')),
        ["renew a at n2 until +90000", r#"route by n2: offer b to a "sdp" until +4000"#]
    );
}

#[test]
fn a_withdrawal_speaks_only_for_the_node_that_says_it() {
    for elsewhere in [here('a', 1), there('a', "n3")] {
        let scene = Scene::of([elsewhere, here('b', 2)]);
        assert_eq!(scene.decides(withdrawn("n2", 'a', Departure::Goodbye)), [""; 0]);
    }
    let both = Scene::of([there('a', "n2"), there('a', "n3"), here('b', 2)]);
    for departure in [Departure::Goodbye, Departure::Closed, Departure::Lost] {
        assert_eq!(both.decides(withdrawn("n2", 'a', departure)), ["leave a at n2 until +10000 told"]);
    }
}

#[test]
fn a_withdrawal_from_the_last_node_is_told_here() {
    let scene = Scene::of([there('a', "n2"), here('b', 2)]);
    assert_eq!(
        scene.decides(withdrawn("n2", 'a', Departure::Goodbye)),
        ["forget a at n2", r#"tell all but a: goodbye a {"bye":1}"#, "tell all but a: departed a"]
    );
    assert_eq!(
        scene.decides(withdrawn("n2", 'a', Departure::Closed)),
        ["leave a at n2 until +10000 told", "tell all but a: departed a"]
    );
    assert_eq!(scene.decides(withdrawn("n2", 'a', Departure::Lost)), ["leave a at n2 until +10000 untold"]);
    let away = Scene::of([there('a', "n2").saying(r#"{"away":true}"#), here('b', 2)]);
    for departure in [Departure::Lost, Departure::Closed] {
        assert_eq!(away.decides(withdrawn("n2", 'a', departure)), ["leave a at n2 until +300000 untold"]);
    }
}

#[test]
fn a_loss_said_twice_changes_nothing_more() {
    let scene = Scene::of([there('a', "n2").away(false)]);
    assert_eq!(scene.decides(withdrawn("n2", 'a', Departure::Lost)), [""; 0]);
}

#[test]
fn a_signal_from_another_node_is_delivered_and_goes_no_further() {
    let scene = Scene::of([there('a', "n2"), here('b', 2), there('b', "n3")]).mesh(&["n3"]);
    assert_eq!(
        scene.decides(Event::Routed(node("n2"), signal('a', 'b'))),
        [
            r#"deliver to b: offer a to b "sdp" by n2 until +10000, else peer-unavailable"#,
            "answer routed, found",
        ]
    );
}

#[test]
fn a_signal_from_a_peer_that_nobody_knows_yet_is_delivered() {
    let lines = Scene::of([here('b', 2)]).decides(Event::Routed(node("n2"), signal('a', 'b')));
    assert_eq!(lines[1], "answer routed, found");
}

#[test]
fn no_node_speaks_for_a_peer_of_others() {
    for at_home in [here('a', 1), there('a', "n3"), there('a', "n3").away(false)] {
        assert_eq!(
            Scene::of([at_home, here('b', 2)]).decides(Event::Routed(node("n2"), signal('a', 'b'))),
            ["answer not routed, not found: forbidden"]
        );
    }
}

#[test]
fn a_node_may_speak_for_a_peer_that_just_left_it() {
    let scene = Scene::of([there('a', "n2").away(false), here('b', 2)]);
    let lines = scene.decides(Event::Routed(node("n2"), signal('a', 'b')));
    assert_eq!(lines[1], "answer routed, found");
}

#[test]
fn what_cannot_be_delivered_is_answered_and_not_kept() {
    let route = || Event::Routed(node("n2"), signal('a', 'b'));
    let sender = there('a', "n2");
    assert_eq!(
        Scene::of([sender.clone(), here('b', 2)]).full('b').decides(route()),
        ["answer not routed, found: mailbox-full"]
    );
    assert_eq!(
        Scene::of([sender.clone(), here('b', 2).away(false)]).decides(route()),
        ["answer not routed, found: peer-unavailable"]
    );
    for scene in [
        Scene::of([sender.clone()]),
        Scene::of([sender.clone(), there('b', "n3")]).mesh(&["n3"]),
        Scene::of([sender, here('b', 2).in_network("hall")]),
    ] {
        assert_eq!(scene.decides(route()), ["answer not routed, not found: peer-unavailable"]);
    }
}

#[test]
fn a_signal_reaches_nobody_in_a_network_that_another_node_claims() {
    let claimed = Signal { network: network("hall"), ..signal('a', 'b') };
    assert_eq!(
        Scene::of([there('a', "n2"), here('b', 2)]).decides(Event::Routed(node("n2"), claimed)),
        ["answer not routed, not found: peer-unavailable"]
    );
}

#[test]
fn a_refusal_that_comes_back_is_told_to_the_sender_if_it_is_here() {
    let back = || returned("n2", Code::PeerUnavailable, 'a', 'b');
    assert_eq!(
        Scene::of([here('a', 1)]).decides(back()),
        ["deliver to a: error peer-unavailable about offer to b"]
    );
    assert_eq!(Scene::of([there('a', "n3")]).decides(back()), [""; 0]);
}

/// The signal followed its target from here, and who took it does not know its sender.
#[test]
fn a_refusal_goes_on_to_the_node_where_the_signal_was_said_once() {
    let back = |origin| match returned("n2", Code::PeerUnavailable, 'a', 'b') {
        Event::Returned(by, back) => Event::Returned(by, Return { origin: Some(node(origin)), ..back }),
        _ => unreachable!("made a line above"),
    };
    // Who was here a moment ago reads nothing here.
    let was_here = Scene::of([here('a', 1).away(true)]);
    assert_eq!(was_here.decides(back("n3")), ["return to a by n3: error peer-unavailable about offer to b"]);
    let nobody = Scene::default();
    assert_eq!(nobody.decides(back("n3")), ["return to a by n3: error peer-unavailable about offer to b"]);
    assert_eq!(nobody.decides(back("n1")), [""; 0], "then it is gone");
    assert_eq!(nobody.decides(returned("n2", Code::PeerUnavailable, 'a', 'b')), [""; 0]);
}

#[test]
fn a_signal_remembers_the_node_where_it_was_said() {
    let scene = Scene::of([here('b', 2)]);
    let followed = Signal { origin: Some(node("n3")), ..signal('a', 'b') };
    for (said, expected) in [(signal('a', 'b'), "n2"), (followed, "n3")] {
        let changes = scene.decision(Event::Routed(node("n2"), said)).changes;
        let Some(Change::Deliver { mail: Mail::Signal { signal, .. }, .. }) = changes.into_iter().next()
        else {
            panic!("it is delivered")
        };
        assert_eq!(signal.origin, Some(node(expected)));
    }
}

/// It said so before it went: a node that drains brings what waited there.
#[test]
fn a_node_speaks_for_a_peer_that_was_there_a_moment_ago() {
    let routed = || Event::Routed(node("n2"), signal('a', 'b'));
    let scene = Scene::of([there('a', "n2").away(true), there('a', "n3"), here('b', 2)]);
    assert!(scene.decides(routed())[0].starts_with("deliver to b: offer a to b"));
    let scene = Scene::of([there('a', "n3"), here('b', 2)]);
    assert!(scene.decides(routed())[0].contains("forbidden"));
}

#[test]
fn a_node_that_has_peers_in_a_network_is_told_of_those_here_and_that_there_are_some() {
    let interest = |answer| {
        let interest = Interest { node_id: node("n2"), network_name: network("room"), answer };
        Scene::of([here('a', 1)]).decides(Event::Interested(node("n2"), interest))
    };
    assert_eq!(interest(true), ["introduce all to n2", "say to n2 that there are peers here"]);
    assert_eq!(interest(false), ["introduce all to n2"]);
}
