//! Short words for ids, presences and events: peer `'a'` has forty of them, times count from [`NOW`],
//! the network is `room` unless said otherwise.

#![allow(dead_code, reason = "each test file uses some of the words")]

use std::sync::Arc;

use pigeonhub_node_core::{Caller, Event, Home, Mail, Presence, SessionId, State};
use pigeonhub_protocol::mesh::{Departure, PeerAnnouncement, PeerWithdrawal, Return};
use pigeonhub_protocol::{
    Code, Millis, Moment, NetworkName, NodeId, PeerId, PeerMessage, RawJson, Refusal, Signal, SignalKind,
};
use serde_json::value::RawValue;

pub const NOW: Millis = Millis(1_000_000);
pub const ROOM: &str = "room";

pub fn at(now: Millis) -> Moment {
    Moment { now, seed: 7 }
}

/// The time `millis` after [`NOW`].
pub fn after(millis: u64) -> Millis {
    NOW.plus(millis)
}

pub fn peer(digit: char) -> PeerId {
    digit.to_string().repeat(40).parse().unwrap()
}

pub fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub fn network(name: &str) -> NetworkName {
    name.parse().unwrap()
}

pub fn raw(json: &str) -> RawJson {
    RawValue::from_string(json.into()).unwrap()
}

fn live(of: char, home: Home, at_node: &str) -> Presence {
    let lived =
        Presence::live(peer(of), network(ROOM), home, node(at_node), raw("{}"), Millis(1), after(60_000));
    Arc::unwrap_or_clone(lived)
}

/// A live presence at the deciding node, `n1`.
pub fn here(of: char, session: u64) -> Presence {
    live(of, Home::Here(SessionId(session)), "n1")
}

/// A live presence at another node.
pub fn there(of: char, at_node: &str) -> Presence {
    live(of, Home::At(node(at_node)), at_node)
}

/// What may be said of a presence beside its place.
pub trait Nuance {
    fn away(self, told: bool) -> Self;
    fn until(self, until: Millis) -> Self;
    fn saying(self, profile: &str) -> Self;
    fn in_network(self, name: &str) -> Self;
}

impl Nuance for Presence {
    fn away(self, told: bool) -> Self {
        Self { state: State::Away { told }, ..self }
    }

    fn saying(self, profile: &str) -> Self {
        Self { profile: raw(profile), ..self }
    }

    fn until(self, until: Millis) -> Self {
        Self { until, ..self }
    }

    fn in_network(self, name: &str) -> Self {
        Self { network: network(name), ..self }
    }
}

/// A caller in `room`.
pub fn caller(of: char, session: u64) -> Caller {
    Caller { peer: peer(of), session: SessionId(session), network: Some(network(ROOM)) }
}

/// A caller that has not announced itself.
pub fn stranger(of: char, session: u64) -> Caller {
    Caller { network: None, ..caller(of, session) }
}

pub fn announce(caller: Caller, profile: &str) -> Event {
    announce_in(ROOM, caller, profile)
}

pub fn announce_in(name: &str, caller: Caller, profile: &str) -> Event {
    Event::Said(caller, PeerMessage::Announce { network: network(name), profile: raw(profile) })
}

/// An offer with the data `"sdp"`.
pub fn offer(caller: Caller, to: char) -> Event {
    say(caller, SignalKind::Offer, to)
}

pub fn say(caller: Caller, kind: SignalKind, to: char) -> Event {
    Event::Said(caller, PeerMessage::Signal { kind, target: peer(to), data: raw("\"sdp\""), id: None })
}

pub fn goodbye(caller: Caller) -> Event {
    Event::Said(caller, PeerMessage::Goodbye { data: raw(r#"{"bye":1}"#) })
}

/// An offer on its way.
pub fn signal(from: char, to: char) -> Signal {
    Signal {
        kind: SignalKind::Offer,
        from: peer(from),
        target: peer(to),
        network: network(ROOM),
        data: raw("\"sdp\""),
        id: None,
        origin: None,
    }
}

pub fn mail(from: char, to: char, until: Millis) -> Mail {
    Mail::Signal { signal: signal(from, to), by: None, until, code: Code::PeerUnavailable }
}

/// The same, brought by another node.
pub fn mail_by(by: &str, from: char, to: char, until: Millis) -> Mail {
    let by = Some(node(by));
    Mail::Signal { signal: signal(from, to), by, until, code: Code::PeerUnavailable }
}

/// Another node: the peer is there; these here were named to it.
pub fn announced(at_node: &str, of: char, tell: &[char]) -> Event {
    Event::Announced(node(at_node), announcement(at_node, of, tell))
}

/// The same, said again to keep the lease.
pub fn refreshed(at_node: &str, of: char) -> Event {
    Event::Announced(node(at_node), PeerAnnouncement { refresh: true, ..announcement(at_node, of, &[]) })
}

pub fn announcement(at_node: &str, of: char, tell: &[char]) -> PeerAnnouncement {
    PeerAnnouncement {
        peer_id: peer(of),
        node_id: node(at_node),
        network_name: network(ROOM),
        data: raw("{}"),
        lease: None,
        tell: tell.iter().map(|of| peer(*of)).collect(),
        refresh: false,
    }
}

/// Another node: the peer is no longer there.
pub fn withdrawn(at_node: &str, of: char, departure: Departure) -> Event {
    let withdrawal = PeerWithdrawal {
        peer_id: peer(of),
        node_id: node(at_node),
        network_name: network(ROOM),
        departure,
        data: raw(r#"{"bye":1}"#),
    };
    Event::Withdrawn(node(at_node), withdrawal)
}

/// Another node: a signal could not be delivered after all.
pub fn returned(by_node: &str, code: Code, from: char, to: char) -> Event {
    let refusal = Refusal::of_signal(code, &signal(from, to));
    let (return_to, network_name) = (peer(from), network(ROOM));
    Event::Returned(node(by_node), Return { return_to, network_name, origin: None, refusal })
}
