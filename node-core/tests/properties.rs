//! Whatever peers do at a few nodes, in whatever order, while nodes are cut off from each other: no
//! panic, no mail across networks, no signal lost or answered twice, nothing kept for ever.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support {
    pub mod mesh;
    pub mod shelf;
    pub mod words;
}

use std::collections::{BTreeMap, BTreeSet};

use pigeonhub_node_core::Settings;
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{NodeMessage, PeerId, PeerMessage, SignalKind};
use proptest::prelude::*;

use support::mesh::Mesh;
use support::words::{network, peer, raw};

const NODES: usize = 3;
const PEERS: [char; 5] = ['a', 'A', 'b', 'c', 'd'];
const NETWORKS: [&str; 2] = ["room", "hall"];

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Announce { at: usize, peer: char, network: &'static str },
    Signal { at: usize, from: char, to: char },
    Goodbye { at: usize, peer: char },
    End { at: usize, peer: char, departure: Departure },
    Read { at: usize, peer: char },
    Cut(usize, usize),
    Heal(usize, usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (at, who) = (|| 0..NODES, || prop::sample::select(&PEERS[..]));
    let departure = prop::sample::select(&[Departure::Closed, Departure::Lost][..]);
    let networks = prop::sample::select(&[NETWORKS[0], NETWORKS[0], NETWORKS[1]][..]);
    let step = prop_oneof![
        4 => (at(), who(), networks).prop_map(|(at, peer, network)| Step::Announce { at, peer, network }),
        6 => (at(), who(), who()).prop_map(|(at, from, to)| Step::Signal { at, from, to }),
        1 => (at(), who()).prop_map(|(at, peer)| Step::Goodbye { at, peer }),
        2 => (at(), who(), departure).prop_map(|(at, peer, departure)| Step::End { at, peer, departure }),
        2 => (at(), who()).prop_map(|(at, peer)| Step::Read { at, peer }),
        1 => (at(), at()).prop_map(|(one, two)| Step::Cut(one, two)),
        2 => (at(), at()).prop_map(|(one, two)| Step::Heal(one, two)),
        2 => (0..15_000u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

/// A signal that was sent: from where, by whom, during which stay.
struct Sent {
    at: usize,
    from: PeerId,
    to: PeerId,
    stay: Stay,
}

/// How often a peer has left a network at a node. Who leaves does not read its mail there any more.
type Stay = usize;

struct Play {
    mesh: Mesh,
    sent: BTreeMap<String, Sent>,
    stays: BTreeMap<(usize, PeerId), Stay>,
}

impl Play {
    fn new() -> Self {
        let settings = Settings { discovery: 3, ..Settings::default() };
        Self { mesh: Mesh::new(NODES, settings), sent: BTreeMap::new(), stays: BTreeMap::new() }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Announce { at, peer: who, network: name } => {
                let (who, name) = (peer(who), network(name));
                let before = self.mesh.callers.get(&(at, who)).and_then(|caller| caller.network.clone());
                if before.is_some_and(|before| before != name) {
                    self.leaves(at, who);
                }
                self.mesh.say(at, who, PeerMessage::Announce { network: name, profile: raw("{}") });
            }
            Step::Signal { at, from, to } => self.signal(at, peer(from), peer(to)),
            Step::Goodbye { at, peer: who } => {
                self.leaves(at, peer(who));
                self.mesh.say(at, peer(who), PeerMessage::Goodbye { data: raw("{}") });
            }
            Step::End { at, peer: who, departure } => {
                self.leaves(at, peer(who));
                self.mesh.end(at, peer(who), departure);
            }
            Step::Read { at, peer: who } => self.mesh.read(at, peer(who)),
            Step::Cut(one, two) => self.mesh.cut(one, two),
            Step::Heal(one, two) => self.mesh.heal(one, two),
            Step::Pass(millis) => self.mesh.pass(millis),
        }
    }

    fn signal(&mut self, at: usize, from: PeerId, to: PeerId) {
        let id = format!("s{}", self.sent.len());
        let (kind, data) = (SignalKind::IceCandidate, raw("{}"));
        let message = PeerMessage::Signal { kind, target: to, data, id: Some(id.parse().unwrap()) };
        self.mesh.say(at, from, message);
        let stay = self.stay(at, from);
        self.sent.insert(id, Sent { at, from, to, stay });
    }

    /// The node where a signal was said could not be reached, so the refusal was given to another
    /// session of its sender; and that one leaves before it has read it.
    fn leaves(&mut self, at: usize, peer: PeerId) {
        for id in self.mesh.unread_refusals(at, peer).into_iter().filter_map(|refusal| refusal.id) {
            if self.sent[id.as_str()].at != at {
                self.mesh.lost_returns.insert(id);
            }
        }
        *self.stays.entry((at, peer)).or_default() += 1;
    }

    fn stay(&self, at: usize, peer: PeerId) -> Stay {
        self.stays.get(&(at, peer)).copied().unwrap_or(0)
    }

    /// The nodes find each other again, everything that waits has its time, everybody reads.
    fn come_to_rest(&mut self) {
        self.mesh.heal_all();
        for _ in 0..3 {
            self.mesh.pass(11_000);
            self.mesh.read_all();
        }
    }

    fn no_mail_crosses_networks(&self) {
        for (_, who, here, message) in &self.mesh.heard {
            let network = match message {
                NodeMessage::Discovered { network, peer, .. } | NodeMessage::Departed { network, peer } => {
                    assert_ne!(who, peer, "a peer was told of itself");
                    network
                }
                NodeMessage::Goodbye { network, from, .. } => {
                    assert_ne!(who, from, "a peer was told of itself");
                    network
                }
                NodeMessage::Signal(signal) => {
                    assert_eq!(signal.target, *who);
                    &signal.network
                }
                NodeMessage::Connected { .. } | NodeMessage::Pong { .. } | NodeMessage::Error(_) => continue,
            };
            assert_eq!(Some(network), here.as_ref(), "{message:?} was told in another network");
        }
    }

    /// Delivered, or the sender heard why not; never both, and never neither while it stayed.
    fn every_signal_ends_once(&self) {
        let mut delivered = BTreeSet::new();
        let mut refused: BTreeMap<String, usize> = BTreeMap::new();
        for (_, who, _, message) in &self.mesh.heard {
            match message {
                NodeMessage::Signal(signal) => {
                    let id = signal.id.as_ref().unwrap().as_str();
                    let sent = &self.sent[id];
                    assert_eq!((signal.from, *who), (sent.from, sent.to));
                    // A peer at several nodes may get it from each; it drops the repeat by its id.
                    delivered.insert(id.to_owned());
                }
                NodeMessage::Error(refusal) => {
                    let id = refusal.id.as_ref().unwrap().as_str();
                    assert_eq!(self.sent[id].from, *who, "{refusal:?} went to somebody else");
                    *refused.entry(id.to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
        for (id, sent) in &self.sent {
            let ends = usize::from(delivered.contains(id)) + refused.get(id).copied().unwrap_or(0);
            assert!(ends <= 1, "{id} ended {ends} times");
            let stayed = self.stay(sent.at, sent.from) == sent.stay;
            // It came back while nobody could be reached who might tell its sender.
            let came_back = self.mesh.lost_returns.iter().any(|lost| lost.as_str() == id);
            assert!(ends == 1 || !stayed || came_back, "{id} is lost");
        }
    }

    /// Every node that has peers in a network names exactly those who are there; any other one may have
    /// heard of some before its own went.
    fn presence_is_exact(&self) {
        for name in NETWORKS.map(network) {
            let is_there = |caller: &&pigeonhub_node_core::Caller| caller.network.as_ref() == Some(&name);
            let there: BTreeSet<_> =
                self.mesh.callers.values().filter(is_there).map(|caller| caller.peer).collect();
            for host in &self.mesh.hosts {
                let memory = host.shelf.memory.borrow();
                let page = memory.page(&name, None, usize::MAX);
                let named: BTreeSet<_> = page.iter().map(|known| known.peer).collect();
                if memory.here_in(&name).iter().any(|here| here.is_live()) {
                    assert_eq!(named, there, "{} in {name}", host.node.id);
                } else {
                    assert!(named.is_subset(&there), "{} in {name}: {named:?}, {there:?}", host.node.id);
                }
            }
        }
    }

    /// When everybody is gone and their time is over, no node remembers anything.
    fn nothing_is_kept(&mut self) {
        for (at, who) in self.mesh.callers.keys().copied().collect::<Vec<_>>() {
            self.mesh.end(at, who, Departure::Lost);
        }
        self.mesh.pass(25_000);
        for host in &self.mesh.hosts {
            assert_eq!(host.shelf.memory.borrow().count(), (0, 0, 0), "{} remembers", host.node.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn peers_come_and_go_and_signal_while_nodes_are_cut_off(steps in steps()) {
        let mut play = Play::new();
        steps.into_iter().for_each(|step| play.take(step));
        play.come_to_rest();
        play.no_mail_crosses_networks();
        play.every_signal_ends_once();
        play.presence_is_exact();
        play.nothing_is_kept();
    }
}
