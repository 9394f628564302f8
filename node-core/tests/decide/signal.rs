//! Signals of peers of this node: delivered, sent on, held, or refused. Never dropped.

use pigeonhub_node_core::Event;
use pigeonhub_protocol::{PeerMessage, SignalKind};

use crate::support::scene::Scene;
use crate::support::words::{Nuance, after, caller, here, mail, offer, peer, raw, say, stranger, there};

#[test]
fn to_a_peer_here() {
    let scene = Scene::of([here('a', 1), here('b', 2)]).mesh(&["n2"]);
    assert_eq!(
        scene.decides(offer(caller('a', 1), 'b')),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
}

#[test]
fn every_routed_kind_passes_untouched() {
    let kinds = [
        (SignalKind::Offer, "offer"),
        (SignalKind::Answer, "answer"),
        (SignalKind::IceCandidate, "ice-candidate"),
        (SignalKind::RenegotiationOffer, "renegotiation-offer"),
        (SignalKind::RenegotiationAnswer, "renegotiation-answer"),
    ];
    let scene = Scene::of([here('a', 1), here('b', 2)]);
    for (kind, name) in kinds {
        let line = format!(r#"deliver to b: {name} a to b "sdp" until +10000, else peer-unavailable"#);
        assert_eq!(scene.decides(say(caller('a', 1), kind, 'b')), [line]);
    }
}

#[test]
fn the_senders_own_id_travels_with_it_and_comes_back_with_errors() {
    let offer = |to| PeerMessage::Signal {
        kind: SignalKind::Offer,
        target: peer(to),
        data: raw(r#"{ "sdp" : "v=0" }"#),
        id: Some("m-1".parse().unwrap()),
    };
    let scene = Scene::of([here('a', 1), here('b', 2)]);
    assert_eq!(
        scene.decides(Event::Said(caller('a', 1), offer('b'))),
        [r#"deliver to b: offer a to b { "sdp" : "v=0" } #m-1 until +10000, else peer-unavailable"#]
    );
    assert_eq!(
        scene.decides(Event::Said(caller('a', 1), offer('c'))),
        ["reply error peer-unavailable about offer to c #m-1"]
    );
}

#[test]
fn to_a_peer_at_another_node_by_that_node_alone() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]).mesh(&["n2", "n3"]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), [r#"route by n2: offer a to b "sdp""#]);
}

#[test]
fn to_a_peer_at_several_nodes_by_one_after_the_other() {
    let scene = Scene::of([here('a', 1), there('b', "n3"), there('b', "n2")]).mesh(&["n2", "n3"]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), [r#"route by n3 n2: offer a to b "sdp""#]);
}

#[test]
fn a_peer_here_is_not_looked_for_elsewhere() {
    let scene = Scene::of([here('a', 1), there('b', "n2"), here('b', 2)]).mesh(&["n2"]);
    assert_eq!(
        scene.decides(offer(caller('a', 1), 'b')),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
}

#[test]
fn an_absence_here_does_not_hide_a_presence_elsewhere() {
    let scene = Scene::of([here('a', 1), here('b', 2).away(true), there('b', "n2")]).mesh(&["n2"]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), [r#"route by n2: offer a to b "sdp""#]);
}

#[test]
fn for_a_peer_that_was_here_a_moment_ago_it_waits() {
    for away in [here('b', 2).away(false), here('b', 2).away(true), there('b', "n2").away(false)] {
        assert_eq!(
            Scene::of([here('a', 1), away]).mesh(&["n2"]).decides(offer(caller('a', 1), 'b')),
            [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
        );
    }
}

/// A candidate that overtakes its offer is lost on existing clients.
#[test]
fn what_comes_later_does_not_overtake_what_waits() {
    for known in [vec![there('b', "n2")], vec![]] {
        let scene = Scene::of(known.into_iter().chain([here('a', 1)])).waiting(mail('a', 'b', after(5_000)));
        assert_eq!(
            scene.mesh(&["n2"]).decides(say(caller('a', 1), SignalKind::IceCandidate, 'b')),
            [r#"deliver to b: ice-candidate a to b "sdp" until +10000, else peer-unavailable"#]
        );
    }
}

#[test]
fn a_peer_that_nobody_knows_is_looked_for_at_all_nodes() {
    let scene = Scene::of([here('a', 1)]).mesh(&["n2", "n3"]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), [r#"ask n2 n3: offer a to b "sdp""#]);
}

#[test]
fn without_other_nodes_the_error_comes_at_once() {
    assert_eq!(
        Scene::of([here('a', 1)]).decides(offer(caller('a', 1), 'b')),
        ["reply error peer-unavailable about offer to b"]
    );
}

#[test]
fn a_peer_of_another_network_is_nobody() {
    let scene = Scene::of([here('a', 1), here('b', 2).in_network("hall")]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), ["reply error peer-unavailable about offer to b"]);
}

#[test]
fn a_signal_to_oneself_is_refused() {
    let scene = Scene::of([here('a', 1), there('a', "n2")]).mesh(&["n2"]);
    assert_eq!(scene.decides(offer(caller('a', 1), 'a')), ["reply error target-self about offer to a"]);
}

/// Never announced, said goodbye, lost its lease, or replaced by a newer session.
#[test]
fn who_is_not_announced_may_not_send() {
    let refused = ["reply error not-announced about offer to b"];
    let scene = Scene::of([here('b', 2)]).mesh(&["n2"]);
    assert_eq!(scene.decides(offer(stranger('a', 1), 'b')), refused);
    assert_eq!(scene.decides(offer(caller('a', 1), 'b')), refused);
    for known in [here('a', 9), here('a', 1).away(false), there('a', "n2")] {
        assert_eq!(Scene::of([known, here('b', 2)]).decides(offer(caller('a', 1), 'b')), refused);
    }
}

#[test]
fn a_full_mailbox_is_said_to_the_sender() {
    for wanted in [here('b', 2), here('b', 2).away(false), there('b', "n2").away(false)] {
        assert_eq!(
            Scene::of([here('a', 1), wanted]).full('b').decides(offer(caller('a', 1), 'b')),
            ["reply error mailbox-full about offer to b"]
        );
    }
}
