//! Time passed: leases end, absences end, and what waited too long goes back to its sender.

use alloc::collections::BTreeSet;

use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Millis, RawJson};

use super::depart::{back, departed};
use super::signal::bounce;
use crate::change::Route;
use crate::{Change, Decision, Errand, Facts, Home, Mail, Node, State};

impl Node {
    pub(super) fn passed(&self, facts: &Facts, now: Millis) -> Decision {
        let mut decision = Decision::default();
        let (mut gone, mut unheard) = (BTreeSet::new(), BTreeSet::new());
        for (known, target) in &facts.over {
            let (peer, home) = (known.peer, known.home.clone());
            if known.is_live() && known.home.is_here() {
                decision.errands.push(Errand::Withdraw {
                    peer,
                    network: known.network.clone(),
                    departure: Departure::Closed,
                    data: RawJson::default(),
                });
            }
            if let (true, Home::At(node)) = (known.is_live(), &known.home)
                && unheard.insert(node.clone())
            {
                // It can be reached, and has not said it again: it may have lost sight of this node.
                let (network, to) = (known.network.clone(), Some(node.clone()));
                decision.errands.push(Errand::Interest { network, to, answer: true });
            }
            if known.is_live() && known.says_away() {
                let until = self.absence(now).said;
                decision.changes.push(Change::Leave { peer, home, until, told: false });
                continue;
            }
            decision.changes.push(Change::Forget { peer, home });
            decision.changes.extend(back(known, target));
            let told = known.state == State::Away { told: true };
            // Where it is later than here, it is told when that is over; where it is over now, too,
            // once for all.
            let last = !target.homes.iter().any(|other| {
                !other.home.same_place(&known.home)
                    && other.state != State::Away { told: true }
                    && other.until > now
            });
            if !told && last && gone.insert(known.peer) {
                decision.changes.push(departed(known, now));
            }
        }
        for (mail, sender) in &facts.overdue {
            let Mail::Signal { signal, by, code, .. } = mail else { continue };
            bounce(&mut decision, signal, by.as_ref(), sender, *code, now);
        }
        for (mail, wanted) in &facts.stranded {
            let Mail::Signal { signal, until, by, .. } = mail else { continue };
            let nodes =
                wanted.homes.iter().filter(|home| home.is_live()).filter_map(|home| match &home.home {
                    Home::At(node) => Some(node.clone()),
                    Home::Here(_) => None,
                });
            decision.errands.push(Errand::Route(Route {
                nodes: nodes.collect(),
                ask_all: false,
                signal: signal.clone(),
                deadline: Some(*until),
                by: by.clone(),
            }));
        }
        decision
    }
}
