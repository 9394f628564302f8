//! A signal of a peer of this node: delivered, sent to another node, held, or refused. Never
//! dropped in silence.

use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::Return;
use pigeonhub_protocol::{
    Code, MessageId, Millis, NodeId, NodeMessage, PeerId, RawJson, Refusal, Signal, SignalKind,
};

use super::refuse;
use crate::change::Route;
use crate::{Caller, Change, Decision, Errand, Facts, Home, Mail, Node, Outcome, Target};

impl Node {
    #[allow(clippy::too_many_arguments, reason = "the fields of one message, taken apart once")]
    pub(super) fn signal(
        &self,
        caller: &Caller,
        kind: SignalKind,
        target: PeerId,
        data: RawJson,
        id: Option<MessageId>,
        facts: &Facts,
        now: Millis,
    ) -> Decision {
        let refusal = |code| Refusal {
            target: Some(target),
            id: id.clone(),
            ..Refusal::new(code, Some(kind.as_str().into()))
        };
        let [sender, wanted] = facts.targets.as_slice() else {
            return refuse(refusal(Code::NotAnnounced), now);
        };
        let Some(own) = sender.here().filter(|own| own.is_live() && own.is_session(caller.session)) else {
            return refuse(refusal(Code::NotAnnounced), now);
        };
        if target == caller.peer {
            return refuse(refusal(Code::TargetSelf), now);
        }
        let signal = Signal { kind, from: caller.peer, target, network: own.network.clone(), data, id };
        match self.way(wanted, &[]) {
            // Signals stay in order: behind those that wait, there is only waiting.
            Way::Nodes(nodes) if !wanted.waits => {
                route(Route { nodes, ask_all: false, signal, deadline: None })
            }
            Way::Here | Way::Wait | Way::Nodes(_) if wanted.full => {
                refuse(Refusal::of_signal(Code::MailboxFull, &signal), now)
            }
            Way::Here | Way::Wait | Way::Nodes(_) => self.deliver(signal, Code::PeerUnavailable, now),
            Way::Unknown if facts.nodes.is_empty() => {
                refuse(Refusal::of_signal(Code::PeerUnavailable, &signal), now)
            }
            Way::Unknown => {
                route(Route { nodes: facts.nodes.to_vec(), ask_all: true, signal, deadline: None })
            }
        }
    }

    /// A signal came back from the mesh untaken: another way, a wait, or the honest error.
    pub(super) fn settled(&self, untaken: Route, outcome: &Outcome, facts: &Facts, now: Millis) -> Decision {
        let Route { nodes: tried, signal, deadline, .. } = untaken;
        let [sender, wanted] = facts.targets.as_slice() else { return Decision::default() };
        let code = match outcome {
            Outcome::Routed(_) => return Decision::default(),
            // The other node has not heard yet that the sender is here, or the sender is elsewhere and
            // its own node has to bring it. To the sender that is no fault of its own.
            Outcome::Refused(Code::Forbidden) => Code::PeerUnavailable,
            Outcome::Refused(code) => *code,
            Outcome::Unreachable => Code::NodeUnreachable,
        };
        let is_final = match outcome {
            Outcome::Refused(Code::Forbidden) => !sender.here().is_some_and(|here| here.is_live()),
            _ => code == Code::MailboxFull,
        };
        // Other nodes are tried at once the first time; then with the passing of time, or two nodes
        // that both refuse would be asked in turn without a pause.
        let is_first = deadline.is_none();
        let deadline = deadline.unwrap_or(now.plus(self.settings.hold));
        let hold = |signal: Signal| Decision {
            changes: vec![Change::Deliver {
                to: signal.target,
                mail: Mail::Signal { signal, until: deadline, code },
            }],
            ..Decision::default()
        };
        let give_up = now >= deadline || wanted.full || is_final;
        match self.way(wanted, &tried) {
            Way::Here if !wanted.full => self.deliver(signal, Code::PeerUnavailable, now),
            Way::Nodes(nodes) if is_first && !wanted.waits => {
                route(Route { nodes, ask_all: false, signal, deadline: Some(deadline) })
            }
            Way::Wait | Way::Nodes(_) if !give_up => hold(signal),
            Way::Here | Way::Wait | Way::Nodes(_) | Way::Unknown => {
                let mut decision = Decision::default();
                bounce(&mut decision, &signal, sender, code, now);
                decision
            }
        }
    }

    /// The way to a peer; `tried` are nodes that did not take the signal just now.
    fn way(&self, wanted: &Target, tried: &[NodeId]) -> Way {
        let mut nodes = Vec::new();
        for home in wanted.homes.iter().filter(|home| home.is_live()) {
            match &home.home {
                Home::Here(_) => return Way::Here,
                Home::At(node) if !tried.contains(node) => nodes.push(node.clone()),
                Home::At(_) => {}
            }
        }
        if !nodes.is_empty() {
            Way::Nodes(nodes)
        } else if wanted.homes.is_empty() {
            Way::Unknown
        } else {
            Way::Wait
        }
    }

    /// Into the mailbox here: read at once by a live session, within the hold by one that returns.
    pub(super) fn deliver(&self, signal: Signal, code: Code, now: Millis) -> Decision {
        let until = now.plus(self.settings.hold);
        Decision {
            changes: vec![Change::Deliver { to: signal.target, mail: Mail::Signal { signal, until, code } }],
            ..Decision::default()
        }
    }
}

enum Way {
    /// It is at this node.
    Here,
    /// It is at one of these.
    Nodes(Vec<NodeId>),
    /// It was somewhere a moment ago.
    Wait,
    /// Nobody here knows it.
    Unknown,
}

fn route(route: Route) -> Decision {
    Decision { errands: vec![Errand::Route(route)], ..Decision::default() }
}

/// Tells the sender, where it is now, that its signal could not be delivered.
pub(super) fn bounce(decision: &mut Decision, signal: &Signal, sender: &Target, code: Code, now: Millis) {
    let refusal = Refusal::of_signal(code, signal);
    if sender.here().is_some_and(|here| here.is_live()) {
        let mail = Mail::News(NodeMessage::Error(refusal).frame(now));
        decision.changes.push(Change::Deliver { to: signal.from, mail });
        return;
    }
    // One that went away from another node may be back there before we hear of it.
    let (live, away): (Vec<_>, Vec<_>) = sender.homes.iter().partition(|home| home.is_live());
    let node = live.into_iter().chain(away).find_map(|home| match &home.home {
        Home::At(node) => Some(node.clone()),
        Home::Here(_) => None,
    });
    if let Some(node) = node {
        let back = Return { return_to: signal.from, network_name: signal.network.clone(), refusal };
        decision.errands.push(Errand::Return { node, back });
    }
}
