//! Peers go: with a goodbye, in an orderly way, or by being lost.
//!
//! A peer may be at several nodes at once; its departure is told once, when the last of them has
//! lost it. A goodbye is never made up: connections outlive signaling on purpose. A peer that said
//! that it is away is kept longer.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{Departure, PeerWithdrawal};
use pigeonhub_protocol::{Millis, NodeId, NodeMessage, RawJson};

use crate::{Caller, Change, Decision, Errand, Facts, Home, Node, Presence, State, Target};

impl Node {
    pub(super) fn goodbye(&self, caller: &Caller, data: RawJson, facts: &Facts, now: Millis) -> Decision {
        self.leave(caller, Departure::Goodbye, data, facts, now)
    }

    /// A session ended without a word.
    pub(super) fn gone(&self, caller: &Caller, departure: Departure, facts: &Facts, now: Millis) -> Decision {
        self.leave(caller, departure, RawJson::default(), facts, now)
    }

    fn leave(
        &self,
        caller: &Caller,
        departure: Departure,
        data: RawJson,
        facts: &Facts,
        now: Millis,
    ) -> Decision {
        // Not announced, or already replaced by a newer session: nothing to leave.
        let Some((target, known)) = facts.targets.first().and_then(|target| {
            let known = target.here().filter(|known| known.is_session(caller.session))?;
            Some((target, known))
        }) else {
            return Decision::default();
        };
        Decision {
            changes: self.part(known, target, departure, &data, now),
            errands: vec![Errand::Withdraw {
                peer: known.peer,
                network: known.network.clone(),
                departure,
                data,
            }],
            left: true,
            ..Decision::default()
        }
    }

    /// Another node lost a peer.
    pub(super) fn withdrawn(
        &self,
        node: NodeId,
        withdrawal: &PeerWithdrawal,
        facts: &Facts,
        now: Millis,
    ) -> Decision {
        let home = Home::At(node);
        let Some((target, known)) = facts.targets.first().and_then(|target| {
            let known = target.homes.iter().find(|known| known.home == home)?;
            Some((target, known))
        }) else {
            return Decision::default();
        };
        Decision {
            changes: self.part(known, target, withdrawal.departure, &withdrawal.data, now),
            ..Decision::default()
        }
    }

    /// What the end of one presence means for the peers here.
    fn part(
        &self,
        known: &Presence,
        target: &Target,
        departure: Departure,
        data: &RawJson,
        now: Millis,
    ) -> Vec<Change> {
        let (peer, home) = (known.peer, known.home.clone());
        let forget = Change::Forget { peer, home: home.clone() };
        let absence = self.absence(now);
        let until = absence.usual;
        if known.state == (State::Away { told: true }) {
            return core::iter::once(forget).chain(back(known, target)).collect();
        }
        if target.is_live_besides(&home) {
            // What it said there before may still be on its way, and that node speaks for it.
            let gone = if known.is_live() { Change::Leave { peer, home, until, told: true } } else { forget };
            return core::iter::once(gone).chain(back(known, target)).collect();
        }
        // Who said that it would be silent is missed later, however its session ended.
        let (until, departure) = match departure {
            Departure::Closed | Departure::Lost if known.says_away() => (absence.said, Departure::Lost),
            departure => (until, departure),
        };
        let mut changes = match departure {
            Departure::Goodbye => {
                let goodbye =
                    NodeMessage::Goodbye { from: peer, network: known.network.clone(), data: data.clone() };
                vec![forget, Change::TellAll { except: peer, frame: goodbye.frame(now) }]
            }
            Departure::Closed => vec![Change::Leave { peer, home: home.clone(), until, told: true }],
            Departure::Lost if !known.is_live() => return vec![],
            Departure::Lost => return vec![Change::Leave { peer, home, until, told: false }],
        };
        changes.push(departed(known, now));
        // Where it was lost before, nobody needs to hear it once more.
        let untold = |other: &&Arc<Presence>| {
            !other.home.same_place(&home) && other.state == State::Away { told: false }
        };
        let untold = target.homes.iter().filter(untold);
        changes.extend(untold.map(|other| Change::Forget { peer, home: other.home.clone() }));
        changes
    }
}

/// A presence that said that the peer is away is over, and the peer is elsewhere: who was told of it as
/// away has no other reason to hear that it is back.
pub(super) fn back(known: &Presence, target: &Target) -> Option<Change> {
    let is_elsewhere = |other: &&Arc<Presence>| other.is_live() && !other.home.same_place(&known.home);
    let elsewhere = target.homes.iter().find(is_elsewhere).filter(|_| known.says_away())?;
    Some(Change::TellAll { except: known.peer, frame: elsewhere.discovered.clone() })
}

/// Tells everyone here that a peer is at no node any more.
pub(super) fn departed(known: &Presence, now: Millis) -> Change {
    let message = NodeMessage::Departed { peer: known.peer, network: known.network.clone() };
    Change::TellAll { except: known.peer, frame: message.frame(now) }
}
