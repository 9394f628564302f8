//! Time passed: leases end, absences end, and what waited too long goes back to its sender.

use pigeonhub_protocol::mesh::{Departure, Return};
use pigeonhub_protocol::{Millis, RawJson, Refusal};

use super::depart::departed;
use super::signal::bounce;
use crate::change::Route;
use crate::{Change, Decision, Errand, Facts, Home, Mail, Node, State};

impl Node {
    pub(super) fn passed(&self, facts: &Facts, now: Millis) -> Decision {
        let mut decision = Decision::default();
        for (known, target) in &facts.over {
            decision.changes.push(Change::Forget { peer: known.peer, home: known.home.clone() });
            let told = known.state == State::Away { told: true };
            // Others that are still to be told of are told when their time is over.
            let last = !target.homes.iter().any(|other| {
                !other.home.same_place(&known.home) && other.state != State::Away { told: true }
            });
            if !told && last {
                decision.changes.push(departed(known, now));
            }
            if known.is_live() && known.home.is_here() {
                decision.errands.push(Errand::Withdraw {
                    peer: known.peer,
                    network: known.network.clone(),
                    departure: Departure::Closed,
                    data: RawJson::default(),
                });
            }
        }
        for (mail, sender) in &facts.overdue {
            let Mail::Signal { signal, code, .. } = mail else { continue };
            if sender.here().is_some() {
                decision.changes.push(bounce(signal, *code, now));
                continue;
            }
            // It came from another node, to a session that ended before it had read it.
            for home in &sender.homes {
                let Home::At(node) = &home.home else { continue };
                let back = Return {
                    return_to: signal.from,
                    network_name: signal.network.clone(),
                    refusal: Refusal::of_signal(*code, signal),
                };
                decision.errands.push(Errand::Return { node: node.clone(), back });
                break;
            }
        }
        for (mail, wanted) in &facts.stranded {
            let Mail::Signal { signal, until, .. } = mail else { continue };
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
            }));
        }
        decision
    }
}
