//! A signal of a peer of this node: delivered, sent to another node, held, or refused. Never
//! dropped in silence.

use alloc::vec;
use alloc::vec::Vec;

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
            Way::Here if wanted.full => refuse(Refusal::of_signal(Code::MailboxFull, &signal), now),
            Way::Here => self.deliver(signal, Code::PeerUnavailable, now),
            Way::Nodes(nodes) => route(Route { nodes, ask_all: false, signal, deadline: None }),
            Way::Wait if wanted.full => refuse(Refusal::of_signal(Code::MailboxFull, &signal), now),
            Way::Wait => self.deliver(signal, Code::PeerUnavailable, now),
            Way::Unknown if facts.nodes.is_empty() => {
                refuse(Refusal::of_signal(Code::PeerUnavailable, &signal), now)
            }
            Way::Unknown => {
                route(Route { nodes: facts.nodes.clone(), ask_all: true, signal, deadline: None })
            }
        }
    }

    /// A signal came back from the mesh untaken: another way, a wait, or the honest error.
    pub(super) fn settled(&self, untaken: Route, outcome: &Outcome, facts: &Facts, now: Millis) -> Decision {
        let code = match outcome {
            Outcome::Routed(_) => return Decision::default(),
            Outcome::Refused(code) => *code,
            Outcome::Unreachable => Code::NodeUnreachable,
        };
        let Route { nodes: tried, signal, deadline, .. } = untaken;
        let unknown = Target::default();
        let wanted = facts.targets.get(1).unwrap_or(&unknown);
        let deadline = deadline.unwrap_or(now.plus(self.settings.hold));
        let hold = |signal: Signal| Decision {
            changes: vec![Change::Deliver {
                to: signal.target,
                mail: Mail::Signal { signal, until: deadline, code },
            }],
            ..Decision::default()
        };
        let give_up = now >= deadline || wanted.full || code == Code::MailboxFull || code == Code::Forbidden;
        match self.way(wanted, &tried) {
            Way::Here if !wanted.full => self.deliver(signal, Code::PeerUnavailable, now),
            Way::Nodes(nodes) => route(Route { nodes, ask_all: false, signal, deadline: Some(deadline) }),
            Way::Wait if !give_up => hold(signal),
            Way::Here | Way::Wait | Way::Unknown => {
                Decision { changes: vec![bounce(&signal, code, now)], ..Decision::default() }
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

/// Tells the sender, a peer of this node, that its signal could not be delivered.
pub(super) fn bounce(signal: &Signal, code: Code, now: Millis) -> Change {
    let frame = NodeMessage::Error(Refusal::of_signal(code, signal)).frame(now);
    Change::Deliver { to: signal.from, mail: Mail::News(frame) }
}
