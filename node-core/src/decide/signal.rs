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
        let signal =
            Signal { kind, from: caller.peer, target, network: own.network.clone(), data, id, origin: None };
        match self.way(wanted, &[]) {
            // Signals stay in order: behind those that wait, there is only waiting.
            Way::Nodes(nodes) if !wanted.waits => {
                route(Route { nodes, ask_all: false, signal, deadline: None, by: None })
            }
            Way::Unknown if !wanted.waits && facts.nodes.is_empty() => {
                refuse(Refusal::of_signal(Code::PeerUnavailable, &signal), now)
            }
            Way::Unknown if !wanted.waits => {
                let nodes = facts.nodes.to_vec();
                route(Route { nodes, ask_all: true, signal, deadline: None, by: None })
            }
            Way::Here | Way::Wait | Way::Nodes(_) | Way::Unknown if wanted.full => {
                refuse(Refusal::of_signal(Code::MailboxFull, &signal), now)
            }
            Way::Here | Way::Wait | Way::Nodes(_) | Way::Unknown => self.deliver(signal, None, now),
        }
    }

    /// A signal came back from the mesh untaken: another way, a wait, or the honest error.
    pub(super) fn settled(&self, untaken: Route, outcome: &Outcome, facts: &Facts, now: Millis) -> Decision {
        let Route { nodes: tried, signal, deadline, by, .. } = untaken;
        let [sender, wanted] = facts.targets.as_slice() else { return Decision::default() };
        let code = match outcome {
            Outcome::Routed(_) => return Decision::default(),
            // The other node has not heard yet that the sender is here, or was a moment ago; or the sender is
            // elsewhere and its own node has to bring it. To the sender that is no fault of its own.
            Outcome::Refused(Code::Forbidden) => Code::PeerUnavailable,
            Outcome::Refused(code) => *code,
            Outcome::Unreachable => Code::NodeUnreachable,
        };
        let is_premature = *outcome == Outcome::Refused(Code::Forbidden);
        let is_final = if is_premature { sender.here().is_none() } else { code == Code::MailboxFull };
        // Other nodes are tried at once the first time; then with the passing of time, or two nodes
        // that both refuse would be asked in turn without a pause.
        let is_first = deadline.is_none();
        let deadline = deadline.unwrap_or(now.plus(self.settings.hold));
        let hold = |signal: Signal, by| Decision {
            changes: vec![Change::Deliver {
                to: signal.target,
                mail: Mail::Signal { signal, by, until: deadline, code },
            }],
            ..Decision::default()
        };
        let give_up = now >= deadline || wanted.full || is_final;
        match self.way(wanted, &tried) {
            Way::Here if !wanted.full => self.deliver(signal, by, now),
            Way::Nodes(nodes) if is_first && !wanted.waits => {
                route(Route { nodes, ask_all: false, signal, deadline: Some(deadline), by })
            }
            Way::Wait | Way::Nodes(_) if !give_up => hold(signal, by),
            // Whoever has it is not asked for it before the sender is known there, and says so when it is.
            Way::Unknown if !give_up && is_premature => hold(signal, by),
            Way::Here | Way::Wait | Way::Nodes(_) | Way::Unknown => {
                let mut decision = Decision::default();
                bounce(&mut decision, &signal, by.as_ref(), sender, code, now);
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
    pub(super) fn deliver(&self, signal: Signal, by: Option<NodeId>, now: Millis) -> Decision {
        let (until, code) = (now.plus(self.settings.hold), Code::PeerUnavailable);
        Decision {
            changes: vec![Change::Deliver {
                to: signal.target,
                mail: Mail::Signal { signal, by, until, code },
            }],
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

/// Tells the sender that its signal could not be delivered: first where it said it, for there it
/// waits for an answer; then wherever it is. One that went away from another node may be back there
/// before we hear of it, and we may have lost sight of the node that brought the signal.
pub(super) fn bounce(
    decision: &mut Decision,
    signal: &Signal,
    by: Option<&NodeId>,
    sender: &Target,
    code: Code,
    now: Millis,
) {
    let origin = signal.origin.as_ref().or(by);
    let said_it = |home: &Home| match home {
        Home::Here(_) => origin.is_none(),
        Home::At(node) => origin == Some(node),
    };
    let homes = sender.homes.iter().filter(|home| home.is_live() || !home.home.is_here());
    let best = homes.rev().max_by_key(|home| (home.is_live(), said_it(&home.home), home.home.is_here()));
    let refusal = Refusal::of_signal(code, signal);
    let node = match best.map(|best| &best.home) {
        Some(Home::Here(_)) => {
            let mail = Mail::News(NodeMessage::Error(refusal).frame(now));
            return decision.changes.push(Change::Deliver { to: signal.from, mail });
        }
        Some(Home::At(node)) => Some(node),
        None => None,
    };
    let mut nodes: Vec<NodeId> = Vec::new();
    for node in [node, origin, by].into_iter().flatten() {
        if !nodes.contains(node) {
            nodes.push(node.clone());
        }
    }
    if !nodes.is_empty() {
        let (return_to, network_name) = (signal.from, signal.network.clone());
        let back = Return { return_to, network_name, origin: origin.cloned(), refusal };
        decision.errands.push(Errand::Return { nodes, back });
    }
}
