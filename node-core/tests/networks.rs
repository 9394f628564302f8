//! Presence crosses nodes where it is wanted: of a network hear the nodes that have peers in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support {
    #[allow(dead_code, reason = "the properties need more of it")]
    pub mod mesh;
    pub mod shelf;
    pub mod words;
}

use pigeonhub_node_core::{Absence, Settings};
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{NodeMessage, PeerMessage, SignalKind};

use support::mesh::Mesh;
use support::words::{network, peer, raw};

fn mesh() -> Mesh {
    Mesh::new(3, Settings::default())
}

fn announce(mesh: &mut Mesh, at: usize, who: char) {
    mesh.say(at, peer(who), PeerMessage::Announce { network: network("room"), profile: raw("{}") });
}

/// Whom a node knows in the room.
fn known(mesh: &Mesh, at: usize) -> String {
    let page = mesh.hosts[at].shelf.memory.borrow().page(&network("room"), None, usize::MAX);
    page.iter().map(|known| &known.peer.as_str()[..1]).collect()
}

/// Of whom a peer was told, in order.
fn told(mesh: &mut Mesh, at: usize, who: char) -> String {
    mesh.read(at, peer(who));
    let discovered = mesh.heard.iter().filter_map(|(node, to, _, message)| match message {
        NodeMessage::Discovered { peer: of, .. } if (*node, *to) == (at, peer(who)) => Some(*of),
        _ => None,
    });
    discovered.map(|of| of.as_str()[..1].to_owned()).collect()
}

#[test]
fn a_node_without_peers_in_a_network_hears_nothing_of_it() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 1, 'b');
    mesh.pass(100_000);
    assert_eq!([0, 1, 2].map(|at| known(&mesh, at)), ["ab", "ab", ""]);
}

#[test]
fn its_first_peer_and_those_elsewhere_are_told_of_each_other() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 0, 'b');
    announce(&mut mesh, 1, 'c');
    assert_eq!([told(&mut mesh, 0, 'a'), told(&mut mesh, 1, 'c')], ["bc", "ab"]);
    announce(&mut mesh, 1, 'd');
    assert_eq!([told(&mut mesh, 0, 'a'), told(&mut mesh, 1, 'c')], ["bcd", "abd"], "and once each");
    assert_eq!([0, 1, 2].map(|at| known(&mesh, at)), ["abcd", "abcd", ""]);
}

#[test]
fn when_its_last_peer_has_gone_it_hears_no_more_and_when_one_comes_it_hears_again() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 1, 'b');
    mesh.end(1, peer('b'), Departure::Closed);
    mesh.pass(20_000);
    announce(&mut mesh, 0, 'c');
    assert_eq!(known(&mesh, 1), "a", "it forgets when the lease is over");
    mesh.pass(100_000);
    assert_eq!(known(&mesh, 1), "");
    announce(&mut mesh, 1, 'd');
    assert_eq!(known(&mesh, 1), "acd");
}

/// It was the last one of its network at its node, and is the first one where it turns up.
#[test]
fn what_waits_for_a_peer_follows_it_to_a_node_that_was_not_in_the_network() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 1, 'b');
    mesh.end(1, peer('b'), Departure::Lost);
    let offer = PeerMessage::Signal {
        kind: SignalKind::Offer,
        target: peer('b'),
        data: raw("{}"),
        id: Some("m".parse().unwrap()),
    };
    mesh.say(0, peer('a'), offer);
    announce(&mut mesh, 2, 'b');
    mesh.pass(1_000);
    mesh.read(2, peer('b'));
    let got = |(at, _, _, message): &(usize, _, _, NodeMessage)| {
        *at == 2 && matches!(message, NodeMessage::Signal(_))
    };
    assert!(mesh.heard.iter().any(got), "{:?}", mesh.heard);
}

/// So nobody who comes later is told of who has gone.
#[test]
fn who_was_told_of_a_peer_is_told_that_it_has_gone() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 1, 'b');
    mesh.end(1, peer('b'), Departure::Closed);
    mesh.pass(20_000);
    mesh.end(0, peer('a'), Departure::Closed);
    mesh.pass(20_000);
    announce(&mut mesh, 1, 'd');
    assert_eq!(told(&mut mesh, 1, 'd'), "");
}

#[test]
fn nodes_that_have_lost_sight_of_each_other_ask_again_with_a_renewal() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 1, 'b');
    // As if a clock had jumped.
    for (at, other) in [(0, "n1"), (1, "n0")] {
        let mut memory = mesh.hosts[at].shelf.memory.borrow_mut();
        memory.node_lost(&other.parse().unwrap(), Absence { usual: mesh.now, said: mesh.now });
    }
    mesh.pass(1_000);
    assert_eq!([0, 1].map(|at| known(&mesh, at)), ["a", "b"]);
    mesh.pass(40_000);
    assert_eq!([0, 1].map(|at| known(&mesh, at)), ["ab", "ab"]);
}

/// A peer that is at two nodes says something at the one that it leaves then; its target turns up at a
/// third, where nobody was of their network.
#[test]
fn a_node_that_asks_hears_who_was_at_others_a_moment_ago_and_takes_what_they_said_there() {
    let mut mesh = mesh();
    announce(&mut mesh, 0, 'b');
    announce(&mut mesh, 0, 'a');
    announce(&mut mesh, 2, 'a');
    mesh.end(0, peer('b'), Departure::Lost);
    let (kind, target, data) = (SignalKind::Offer, peer('b'), raw("1"));
    mesh.say(0, peer('a'), PeerMessage::Signal { kind, target, data, id: None });
    mesh.end(0, peer('a'), Departure::Lost);
    announce(&mut mesh, 1, 'b');
    mesh.read_all();
    let heard = mesh.heard.iter().map(|(at, who, _, message)| (*at, *who, message));
    let offers = heard.clone().filter(|(.., message)| matches!(message, NodeMessage::Signal(_)));
    assert_eq!(offers.map(|(at, who, _)| (at, who)).collect::<Vec<_>>(), [(1, peer('b'))]);
    assert!(!heard.clone().any(|(.., message)| matches!(message, NodeMessage::Error(_))));
    mesh.pass(20_000);
    mesh.read_all();
    let departed = |message: &NodeMessage| matches!(message, NodeMessage::Departed { .. });
    assert!(!mesh.heard.iter().any(|(.., message)| departed(message)), "both are there");
}
