//! A link to a peer: from the first offer to its end, over as many connections as it takes.

mod exchange;
mod repair;

use alloc::vec::Vec;

use pigeonhub_protocol::{Code, MessageId, Millis, PeerId, RawJson};

use crate::candidates::WaitingCandidates;
use crate::negotiation::{Negotiation, Phase};
use crate::outbox::Outbox;
use crate::payload::DescriptionNumber;
use crate::sdp::Fingerprint;
use crate::turn::Turn;
use crate::{ConnectionState, LinkFailure, LinkState, NodeUrl, RtcCommand, RtcInput, SessionId};

use repair::Repair;

/// How long an offer may stay unanswered, milliseconds.
const ANSWER: u64 = 30_000;
/// The same on a link that stands.
const RENEGOTIATION: u64 = 10_000;
/// How long a connection may take after the descriptions are exchanged before it is helped.
const CONNECT: u64 = 15_000;
/// How long a connection may be without packets before it is helped; most recover by themselves.
const DISCONNECTED: u64 = 5_000;

/// The way that signals take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A session with a node.
    Session(SessionId),
    /// The data channel.
    InBand,
}

/// One link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    own: PeerId,
    peer: PeerId,
    generation: u32,
    state: LinkState,
    negotiation: Negotiation,
    pub(crate) outbox: Outbox,
    /// Local candidates of a description that is not out yet.
    unnumbered: Vec<RawJson>,
    channel_open: bool,
    /// When the present wait is over: for an answer, or for the connection.
    patience: Option<Millis>,
    /// When a connection without packets is to be helped.
    trouble: Option<Millis>,
    repair: Option<Repair>,
    /// The last way that a signal took, in either direction.
    pub(crate) via: Option<Via>,
    /// The session whose node has refused a signal, until it tells of the peer or the peer is heard there.
    pub(crate) refused_by: Option<SessionId>,
    /// The way that the app was told of.
    pub(crate) shown: Option<Option<NodeUrl>>,
    /// Whether anything was heard from the peer.
    heard: bool,
}

impl Link {
    fn new(own: PeerId, peer: PeerId, early: WaitingCandidates, turn: &mut Turn<'_>) -> Self {
        turn.emit_link(peer, LinkState::Connecting);
        Self {
            own,
            peer,
            generation: 0,
            state: LinkState::Connecting,
            negotiation: Negotiation::new(own.as_str() < peer.as_str(), early),
            outbox: Outbox::default(),
            unnumbered: Vec::new(),
            channel_open: false,
            patience: None,
            trouble: None,
            repair: None,
            via: None,
            refused_by: None,
            shown: None,
            heard: false,
        }
    }

    /// The app wants it.
    pub(crate) fn dial(own: PeerId, peer: PeerId, early: WaitingCandidates, turn: &mut Turn<'_>) -> Self {
        let mut link = Self::new(own, peer, early, turn);
        link.create(true, turn);
        link.offer(false, turn);
        link
    }

    pub(crate) const fn state(&self) -> &LinkState {
        &self.state
    }

    pub(crate) const fn is_verified(&self) -> bool {
        self.negotiation.is_verified
    }

    /// Which connection of the other side it was last connected to, or about to be.
    pub(crate) fn remote_fingerprint(&self) -> Option<Fingerprint> {
        self.negotiation.fingerprint().cloned()
    }

    pub(crate) const fn newest_heard(&self) -> Option<DescriptionNumber> {
        self.negotiation.newest_heard()
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, LinkState::Closed | LinkState::Failed(_))
    }

    fn is_connected(&self) -> bool {
        self.state == LinkState::Connected
    }

    /// Makes a connection.
    fn create(&mut self, open_channel: bool, turn: &mut Turn<'_>) {
        self.generation = turn.numbers.generation();
        self.outbox.clear();
        self.unnumbered.clear();
        self.channel_open = false;
        self.trouble = None;
        self.repair = None;
        self.patience = Some(turn.now.plus(ANSWER));
        turn.rtc(self.peer, self.generation, RtcCommand::Create { open_channel });
    }

    /// Makes a new connection in place of the present one.
    fn replace(&mut self, open_channel: bool, turn: &mut Turn<'_>) {
        turn.rtc(self.peer, self.generation, RtcCommand::Close);
        if self.is_connected() {
            self.enter(LinkState::Interrupted, turn);
        }
        self.negotiation.restart();
        self.create(open_channel, turn);
    }

    fn enter(&mut self, state: LinkState, turn: &mut Turn<'_>) {
        if self.state != state {
            self.state = state.clone();
            turn.emit_link(self.peer, state);
        }
    }

    /// Ends it. The connection goes first: an app that hears of the end may dial at once.
    pub(crate) fn end(&mut self, state: LinkState, turn: &mut Turn<'_>) {
        if !self.is_over() {
            turn.rtc(self.peer, self.generation, RtcCommand::Close);
            self.enter(state, turn);
        }
    }

    pub(crate) fn fail(&mut self, failure: LinkFailure, turn: &mut Turn<'_>) {
        self.end(LinkState::Failed(failure), turn);
    }

    /// News of the connection; that of an earlier one is none.
    pub(crate) fn rtc(&mut self, generation: u32, input: RtcInput, turn: &mut Turn<'_>) {
        if generation != self.generation {
            return;
        }
        match input {
            RtcInput::NegotiationNeeded => self.negotiation_needed(turn),
            RtcInput::Described(description) => self.described(description, turn),
            RtcInput::Applied => self.applied(turn),
            RtcInput::Refused(text) => self.refused(text, turn),
            RtcInput::Candidate(candidate) => self.local_candidate(candidate, turn),
            RtcInput::State(state) => self.connection_state(state, turn),
            RtcInput::ChannelOpened => {
                self.channel_open = true;
                self.connected(turn);
            }
            // Only the other side closes a channel: it hung up.
            RtcInput::ChannelClosed => self.end(LinkState::Closed, turn),
            RtcInput::InBand(text) => self.in_band(&text, turn),
        }
    }

    fn connection_state(&mut self, state: ConnectionState, turn: &mut Turn<'_>) {
        match state {
            ConnectionState::New | ConnectionState::Connecting => {}
            ConnectionState::Connected => {
                self.trouble = None;
                self.repair = None;
                if self.channel_open {
                    self.connected(turn);
                } else {
                    self.patience = Some(turn.now.plus(CONNECT));
                }
            }
            ConnectionState::Disconnected => {
                if self.is_connected() {
                    self.trouble = Some(turn.now.plus(DISCONNECTED));
                }
            }
            ConnectionState::Failed => self.start_repair(turn),
            ConnectionState::Closed => self.end(LinkState::Closed, turn),
        }
    }

    fn connected(&mut self, turn: &mut Turn<'_>) {
        let unanswered = matches!(self.negotiation.phase, Phase::Offered(_));
        self.patience = unanswered.then(|| turn.now.plus(RENEGOTIATION));
        self.trouble = None;
        self.repair = None;
        self.outbox.settle();
        self.enter(LinkState::Connected, turn);
        self.offer_if_due(turn);
    }

    /// A node refused one of its signals.
    pub(crate) fn signal_refused(&mut self, by: SessionId, id: &MessageId, code: Code) {
        self.refused_by = Some(by);
        self.outbox.refused(by, id, code);
    }

    /// A node tells of the peer: what it refused before may be said to it again.
    pub(crate) fn told_of(&mut self, by: SessionId) {
        self.refused_by.take_if(|refused_by| *refused_by == by);
        self.outbox.told_of(by);
    }

    /// Whether it is still unknown that there is such a peer.
    pub(crate) const fn is_unheard(&self) -> bool {
        !self.heard
    }

    /// Time passed. Gives a session that may be dead, as what it carried was not answered.
    pub(crate) fn tick(&mut self, turn: &mut Turn<'_>) -> Option<SessionId> {
        if self.patience.is_some_and(|over| over <= turn.now) {
            self.patience = None;
            self.out_of_patience(turn);
        }
        if self.trouble.is_some_and(|over| over <= turn.now) {
            self.start_repair(turn);
        }
        self.repair_tick(turn);
        self.outbox.tick(turn.now)
    }

    fn out_of_patience(&mut self, turn: &mut Turn<'_>) {
        match self.negotiation.phase {
            // No reason to hang up, but somebody waits for what changed: another offer is made.
            _ if self.is_connected() => {
                self.outbox.clear();
                self.negotiation.offer_due = true;
                self.become_stable(turn);
            }
            Phase::Offering | Phase::Offered(_) => self.fail(LinkFailure::NoAnswer, turn),
            Phase::Stable | Phase::Accepting | Phase::Answering { .. } => self.start_repair(turn),
        }
    }

    /// The page is back: no wait needs to go on.
    pub(crate) fn resume(&mut self, turn: &mut Turn<'_>) {
        if self.trouble.is_some() {
            self.start_repair(turn);
        }
        self.outbox.hurry(turn.now);
        self.hurry_repair(turn);
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        let repair = self.repair.as_ref().map(Repair::next);
        [self.patience, self.trouble, repair, self.outbox.deadline()].into_iter().flatten().min()
    }
}
