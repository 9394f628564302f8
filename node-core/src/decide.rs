//! The decider: for each [`Event`] the facts that it needs and what is to be done.

mod announce;
mod between;
mod depart;
mod interest;
mod passed;
mod proof;
mod signal;

use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::{
    Code, Frame, Millis, Moment, NetworkName, NodeMessage, PeerId, PeerMessage, Refusal,
};

use self::announce::remembered;
use self::interest::interested;
use crate::{Caller, Decision, Event, Facts, Few, Needs, Node, Outcome, Sample};

impl Node {
    /// Which facts the event needs; `None` if none at all. Reads nothing, never fails.
    #[must_use]
    pub fn needs(&self, event: &Event, at: Moment) -> Option<Needs> {
        match event {
            Event::Said(caller, message) => self.needs_of_peer(caller, message, at),
            Event::StillHere(caller) | Event::Gone(caller, _) => {
                Some(Needs::about(caller.network.clone()?, &[caller.peer]))
            }
            Event::Announced(node, announcement) => {
                let mut targets = vec![announcement.peer_id];
                targets.extend(&announcement.tell);
                Some(Needs {
                    sample: Some(self.sample(announcement.peer_id, true, at)),
                    others: true,
                    node: Some(node.clone()),
                    waiting_for: Some(announcement.peer_id),
                    ..Needs::about(announcement.network_name.clone(), &targets)
                })
            }
            Event::Withdrawn(_, withdrawal) => {
                Some(Needs::about(withdrawal.network_name.clone(), &[withdrawal.peer_id]))
            }
            Event::Routed(_, signal) => {
                Some(Needs::about(signal.network.clone(), &[signal.from, signal.target]))
            }
            Event::Returned(_, back) => Some(Needs::about(back.network_name.clone(), &[back.return_to])),
            Event::Interested(..) | Event::Settled(_, Outcome::Routed(_)) => None,
            Event::Settled(route, _) => {
                Some(Needs::about(route.signal.network.clone(), &[route.signal.from, route.signal.target]))
            }
            Event::Remembered(presence, _) => Some(Needs {
                sample: Some(self.sample(presence.peer, !presence.home.is_here(), at)),
                ..Needs::about(presence.network.clone(), &[])
            }),
            Event::Passed(network) => {
                Some(Needs { over_at: Some(at.now), ..Needs::about(network.clone(), &[]) })
            }
        }
    }

    fn needs_of_peer(&self, caller: &Caller, message: &PeerMessage, at: Moment) -> Option<Needs> {
        match message {
            PeerMessage::Announce { network, .. } => Some(Needs {
                sample: Some(self.sample(caller.peer, false, at)),
                others: true,
                ..Needs::about(network.clone(), &[caller.peer])
            }),
            PeerMessage::Discover => Some(Needs {
                sample: Some(self.sample(caller.peer, false, at)),
                ..Needs::about(caller.network.clone()?, &[caller.peer])
            }),
            PeerMessage::Signal { target, .. } => {
                Some(Needs { nodes: true, ..Needs::about(caller.network.clone()?, &[caller.peer, *target]) })
            }
            PeerMessage::Goodbye { .. } => Some(Needs::about(caller.network.clone()?, &[caller.peer])),
            PeerMessage::Ping | PeerMessage::Cleanup => None,
        }
    }

    const fn sample(&self, near: PeerId, here_only: bool, at: Moment) -> Sample {
        Sample { near, most: self.settings.discovery, here_only, seed: at.seed }
    }

    /// What is to be done. Pure and total: the facts must be those that [`Self::needs`] asked for
    /// (the default if it asked for none).
    #[must_use]
    pub fn decide(&self, event: Event, facts: &Facts, at: Moment) -> Decision {
        match event {
            Event::Said(caller, message) => self.said(&caller, message, facts, at),
            Event::StillHere(caller) => self.still_here(&caller, facts, at.now),
            Event::Gone(caller, departure) => self.gone(&caller, departure, facts, at.now),
            Event::Interested(node, interest) => interested(node, interest),
            Event::Announced(node, announcement) => self.announced(&node, announcement, facts, at.now),
            Event::Withdrawn(node, withdrawal) => self.withdrawn(node, &withdrawal, facts, at.now),
            Event::Routed(node, signal) => self.routed(&node, signal, facts, at.now),
            Event::Returned(_, back) => self.returned(back, facts, at.now),
            Event::Settled(route, outcome) => self.settled(route, &outcome, facts, at.now),
            Event::Remembered(presence, known) => remembered(&presence, &known, facts),
            Event::Passed(_) => self.passed(facts, at.now),
        }
    }

    fn said(&self, caller: &Caller, message: PeerMessage, facts: &Facts, at: Moment) -> Decision {
        let kind = message.kind();
        let network = match &message {
            PeerMessage::Announce { network, .. } => Some(network),
            _ => caller.network.as_ref(),
        };
        if network.is_some_and(|network| self.misses_proof(caller.peer, network, &message, at.now)) {
            return refuse(unproven(message), at.now);
        }
        match message {
            PeerMessage::Announce { network, profile } => {
                self.announce(caller, network, profile, facts, at.now)
            }
            PeerMessage::Signal { kind, target, data, id } => {
                self.signal(caller, kind, target, data, id, facts, at.now)
            }
            PeerMessage::Goodbye { data } => self.goodbye(caller, data, facts, at.now),
            PeerMessage::Discover if caller.network.is_none() => {
                refuse(Refusal::new(Code::NotAnnounced, Some(kind.into())), at.now)
            }
            PeerMessage::Discover => {
                Decision::reply(facts.sample.iter().map(|p| p.discovered.clone()).collect())
            }
            PeerMessage::Ping => Decision::reply(vec![NodeMessage::Pong { peer: caller.peer }.frame(at.now)]),
            PeerMessage::Cleanup => Decision::default(),
        }
    }
}

fn unproven(message: PeerMessage) -> Refusal {
    let refusal = Refusal::new(Code::Unverified, Some(message.kind().into()));
    match message {
        PeerMessage::Signal { target, id, .. } => Refusal { target: Some(target), id, ..refusal },
        _ => refusal,
    }
}

impl Needs {
    /// Only these peers of a network; add what else is needed.
    #[must_use]
    pub fn about(network: NetworkName, targets: &[PeerId]) -> Self {
        Self {
            network,
            targets: Few::from_slice(targets),
            sample: None,
            waiting_for: None,
            others: false,
            node: None,
            over_at: None,
            nodes: false,
        }
    }
}

impl Decision {
    fn reply(replies: Vec<Frame>) -> Self {
        Self { replies, ..Self::default() }
    }
}

/// The refusal is all there is to do.
fn refuse(refusal: Refusal, now: Millis) -> Decision {
    Decision::reply(vec![NodeMessage::Error(refusal).frame(now)])
}
