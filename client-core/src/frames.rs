//! What nodes say: each frame, to whom it concerns.

use pigeonhub_protocol::{NodeMessage, PeerId, RawJson, Refusal, Signal, SignalKind};
use serde::Deserialize;

use crate::links::Incoming;
use crate::turn::Turn;
use crate::{Client, Event, SessionId};

impl Client {
    /// A frame came on an open session. What is of another network, about the own peer or not
    /// understood is ignored.
    pub(crate) fn frame(&mut self, session: SessionId, text: &str, turn: &mut Turn<'_>) {
        let Ok(message) = NodeMessage::parse(text) else { return };
        let own = (&self.options.network, self.options.peer);
        match message {
            NodeMessage::Connected { node, ticket, .. } => {
                self.sessions.greeted(session, node, ticket, turn);
            }
            NodeMessage::Discovered { peer, node, network, profile } => {
                if network == *own.0 && peer != own.1 {
                    let links = &self.links;
                    let is_linked = |peer| links.get(peer).is_some();
                    self.roster.discovered((peer, node), &profile, session, is_linked, turn);
                    self.links.told_of(peer, session);
                }
            }
            NodeMessage::Departed { peer, network } => {
                if network == *own.0 {
                    self.roster.departed(peer, session, turn);
                }
            }
            NodeMessage::Goodbye { from, network, data } => {
                if network == *own.0 && from != own.1 {
                    self.goodbye(from, &data, turn);
                }
            }
            NodeMessage::Signal(signal) => self.signal(session, signal, turn),
            NodeMessage::Pong { .. } => {}
            NodeMessage::Error(refusal) => self.refusal(session, refusal, turn),
        }
    }

    fn signal(&mut self, session: SessionId, signal: Signal, turn: &mut Turn<'_>) {
        let Signal { kind, from, target, network, data, id, origin: _ } = signal;
        let own = self.options.peer;
        if network != self.options.network || target != own || from == own {
            return;
        }
        let is_repeat = self.dedup.is_repeat(from, id.as_ref(), turn.now);
        self.links.signal(Incoming { from, kind, data, is_repeat, via: session }, turn);
    }

    /// A peer left on purpose. Its goodbye comes through all nodes that it was on; a late one must
    /// not end what began since.
    fn goodbye(&mut self, from: PeerId, data: &RawJson, turn: &mut Turn<'_>) {
        #[derive(Deserialize)]
        struct Dated {
            #[serde(rename = "timestamp")]
            _timestamp: u64,
        }
        let is_dated = serde_json::from_str::<Dated>(data.get()).is_ok();
        if is_dated && self.dedup.is_repeated_text(from, data.get(), turn.now) {
            return;
        }
        self.roster.left(from, turn);
        self.links.hangup(from, turn);
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
