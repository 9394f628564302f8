//! What nodes say: each frame, to whom it concerns.

use pigeonhub_protocol::{Code, Fields, NodeId, NodeMessage, PeerId, RawJson, Refusal, Signal, SignalKind};

use crate::inbox::Standing;
use crate::links::Incoming;
use crate::turn::Turn;
use crate::{Client, Event, SessionId};

impl Client {
    /// A frame came on an open session. What is of another network, about the own peer or not
    /// understood is ignored.
    pub(crate) fn frame(&mut self, session: SessionId, text: &str, turn: &mut Turn<'_>) {
        let Ok(message) = NodeMessage::parse(text) else { return };
        match message {
            NodeMessage::Connected { node, ticket, .. } => {
                self.sessions.greeted(session, node, ticket, turn);
            }
            NodeMessage::Pong { .. } => self.sessions.ponged(session, turn.now),
            NodeMessage::Error(refusal) => self.refusal(session, refusal, turn),
            of_a_peer => {
                if self.is_for_this_client(&of_a_peer) {
                    self.inbox.push(session, of_a_peer, turn);
                    self.take_in(turn);
                }
            }
        }
    }

    fn is_for_this_client(&self, message: &NodeMessage) -> bool {
        let (from, network, target) = match message {
            NodeMessage::Discovered { peer, network, .. } | NodeMessage::Departed { peer, network } => {
                (peer, network, None)
            }
            NodeMessage::Goodbye { from, network, .. } => (from, network, None),
            NodeMessage::Signal(Signal { from, network, target, .. }) => (from, network, Some(target)),
            NodeMessage::Connected { .. } | NodeMessage::Pong { .. } | NodeMessage::Error(_) => return false,
        };
        let own = &self.options.peer;
        *network == self.options.network && from != own && target.is_none_or(|target| target == own)
    }

    /// Takes what came, as far as nothing is being checked.
    pub(crate) fn take_in(&mut self, turn: &mut Turn<'_>) {
        while let Some((session, message, standing)) = self.inbox.pop(turn.now) {
            match message {
                NodeMessage::Discovered { peer, node, profile, .. } => {
                    self.discovered((peer, node), &profile, standing, session, turn);
                }
                NodeMessage::Departed { peer, .. } => self.roster.departed(peer, session, turn),
                NodeMessage::Goodbye { from, data, .. } => self.goodbye(from, &data, turn),
                NodeMessage::Signal(signal) => self.signal(session, signal, standing, turn),
                NodeMessage::Connected { .. } | NodeMessage::Pong { .. } | NodeMessage::Error(_) => {}
            }
        }
    }

    /// Whether to turn away what this peer is said to have said: it has a key and would have signed it,
    /// or the app wants to hear of nobody who does not.
    fn is_refused(&self, from: PeerId, standing: Standing) -> bool {
        match standing {
            Standing::Proven(_) => false,
            Standing::Unproven => self.options.require_verified || self.inbox.is_known(from),
            Standing::Forged => true,
        }
    }

    fn discovered(
        &mut self,
        (peer, node): (PeerId, NodeId),
        profile: &RawJson,
        standing: Standing,
        session: SessionId,
        turn: &mut Turn<'_>,
    ) {
        // It may have been lost while the proof was checked, and its word with it.
        if self.is_refused(peer, standing) || !self.sessions.is_open(session) {
            return;
        }
        let links = &self.links;
        let is_linked = |peer| links.get(peer).is_some();
        self.roster.discovered((peer, node), (profile, standing.signed()), session, is_linked, turn);
        self.links.told_of(peer, session);
    }

    fn signal(&mut self, session: SessionId, signal: Signal, standing: Standing, turn: &mut Turn<'_>) {
        let Signal { kind, from, data, id, .. } = signal;
        if self.is_refused(from, standing) {
            let refusal = Refusal::new(Code::Unverified, Some(kind.as_str().into()));
            return turn.emit(Event::Refused(refusal));
        }
        let is_repeat = self.dedup.is_repeat(from, id.as_ref(), standing.signed(), turn.now);
        let is_proven = standing.signed().is_some();
        self.links.signal(Incoming { from, kind, data, is_repeat, is_proven, via: session }, turn);
    }

    /// A peer left on purpose. Its goodbye comes through all nodes that it was on; a late one must
    /// not end what began since.
    fn goodbye(&mut self, from: PeerId, data: &RawJson, turn: &mut Turn<'_>) {
        let is_dated = Fields::read(data).is_some_and(|fields| fields.number("timestamp").is_some());
        if is_dated && self.dedup.is_repeated_text(from, data.get(), turn.now) {
            return;
        }
        self.roster.left(from, turn);
        if self.inbox.is_known(from) {
            self.links.hangup_unless_connected(from, turn);
        } else {
            self.links.hangup(from, turn);
        }
    }

    /// A node refused something. The old servers name neither target nor message, and say it of
    /// signals that arrive all the same.
    fn refusal(&mut self, session: SessionId, refusal: Refusal, turn: &mut Turn<'_>) {
        match (&refusal.target, &refusal.id) {
            (Some(target), Some(id)) => self.links.refused(*target, session, id, &refusal),
            _ => {
                let kind = refusal.original_type.as_deref().and_then(SignalKind::from_type);
                if kind.is_none() {
                    turn.emit(Event::Refused(refusal));
                }
            }
        }
    }
}
