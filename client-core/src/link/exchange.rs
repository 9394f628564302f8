//! The exchange of descriptions and candidates between the two browsers of a link.

use alloc::string::String;

use pigeonhub_protocol::{PeerId, RawJson, SignalKind};

use super::{ANSWER, CONNECT, Link, RENEGOTIATION, Via};
use crate::candidates::WaitingCandidates;
use crate::negotiation::{Phase, Reply, Verdict};
use crate::payload::{self, DescriptionNumber, RemoteDescription};
use crate::turn::Turn;
use crate::{Description, Event, LinkFailure, LinkState, RtcCommand};

/// Local candidates that may wait for their description.
const UNNUMBERED: usize = 64;

/// What the other side says.
impl Link {
    /// A peer dials this one.
    pub(crate) fn accept(
        own: PeerId,
        peer: PeerId,
        early: WaitingCandidates,
        (offer, kind): (RemoteDescription, SignalKind),
        via: Via,
        turn: &mut Turn<'_>,
    ) -> Self {
        turn.emit(Event::Incoming(peer));
        let mut link = Self::new(own, peer, early, turn);
        link.heard_from(via);
        link.create(false, turn);
        link.take_offer(offer, Reply::Nodes(reply_to(kind)), turn);
        link
    }

    pub(crate) fn heard_from(&mut self, via: Via) {
        self.heard = true;
        self.via = Some(via);
        if let Via::Session(session) = via {
            self.refused_by.take_if(|by| *by == session);
            self.outbox.heard_on(session);
        }
    }

    /// An offer came through a node.
    pub(crate) fn remote_offer(
        &mut self,
        offer: RemoteDescription,
        kind: SignalKind,
        is_repeat: bool,
        turn: &mut Turn<'_>,
    ) {
        self.judge_offer(offer, Reply::Nodes(reply_to(kind)), is_repeat, turn);
    }

    fn judge_offer(&mut self, offer: RemoteDescription, reply: Reply, is_repeat: bool, turn: &mut Turn<'_>) {
        match self.negotiation.judge(&offer, is_repeat) {
            Verdict::Ignore => {}
            Verdict::Override => self.outbox.override_offer(turn.now),
            Verdict::AnswerAgain => self.outbox.again(),
            Verdict::Later => self.negotiation.next_offer = Some((offer, reply)),
            Verdict::Apply => self.take_offer(offer, reply, turn),
            Verdict::ApplyAfresh => {
                self.replace(false, turn);
                self.take_offer(offer, reply, turn);
            }
        }
    }

    fn take_offer(&mut self, offer: RemoteDescription, reply: Reply, turn: &mut Turn<'_>) {
        self.negotiation.take(&offer);
        self.negotiation.yielding = self.negotiation.phase == Phase::Offering;
        self.negotiation.phase = Phase::Answering { answers: offer.number, reply };
        self.outbox.yield_offer();
        if !self.is_connected() && self.repair.is_none() {
            self.patience = Some(turn.now.plus(ANSWER));
        }
        self.yield_repair(turn.now);
        turn.rtc(self.peer, self.generation, RtcCommand::Apply(offer.description));
    }

    /// An answer came.
    pub(crate) fn remote_answer(&mut self, answer: RemoteDescription, turn: &mut Turn<'_>) {
        if !self.negotiation.is_awaited(&answer) {
            return;
        }
        if self.negotiation.is_of_another_connection(&answer) {
            // The other side gave the connection up before it heard the offer: start afresh.
            self.replace(true, turn);
            return self.offer(false, turn);
        }
        self.negotiation.take(&answer);
        self.negotiation.phase = Phase::Accepting;
        self.outbox.answered(answer.number.is_some());
        turn.rtc(self.peer, self.generation, RtcCommand::Apply(answer.description));
    }

    /// A candidate came.
    pub(crate) fn remote_candidate(
        &mut self,
        number: Option<DescriptionNumber>,
        candidate: RawJson,
        turn: &mut Turn<'_>,
    ) {
        if let Some(candidate) = self.negotiation.candidate(number, candidate) {
            turn.rtc(self.peer, self.generation, RtcCommand::AddCandidate(candidate));
        }
    }

    /// An offer or answer came through the data channel.
    pub(super) fn in_band(&mut self, text: &str, turn: &mut Turn<'_>) {
        let Some(remote) = payload::from_in_band(text) else { return };
        self.heard_from(Via::InBand);
        if remote.description.is_offer {
            self.judge_offer(remote, Reply::InBand, false, turn);
        } else {
            self.remote_answer(remote, turn);
        }
    }
}

/// What the own browser says.
impl Link {
    /// Has an offer made.
    pub(super) fn offer(&mut self, ice_restart: bool, turn: &mut Turn<'_>) {
        self.negotiation.phase = Phase::Offering;
        turn.rtc(self.peer, self.generation, RtcCommand::Offer { ice_restart });
    }

    /// Browsers say it again when they are stable, if it is still true then; but what they say
    /// may arrive before their being stable does.
    pub(super) fn negotiation_needed(&mut self, turn: &mut Turn<'_>) {
        self.negotiation.offer_due = true;
        self.offer_if_due(turn);
    }

    /// What changed is offered once the link stands: until then the answer may be lost and asked
    /// for again, and then there is the data channel, which needs no node.
    pub(super) fn offer_if_due(&mut self, turn: &mut Turn<'_>) {
        let may_offer = self.is_connected() && self.negotiation.phase == Phase::Stable;
        if may_offer && core::mem::take(&mut self.negotiation.offer_due) {
            self.offer(false, turn);
        }
    }

    /// A local description is set.
    pub(super) fn described(&mut self, description: Description, turn: &mut Turn<'_>) {
        match (self.negotiation.phase, description.is_offer) {
            (Phase::Offering, true) => {
                // Whatever changed before is in it.
                self.negotiation.offer_due = false;
                let way = if self.is_connected() { Reply::InBand } else { Reply::Nodes(SignalKind::Offer) };
                let number = self.say(description, None, way, turn);
                self.negotiation.phase = Phase::Offered(number);
                if self.is_connected() {
                    self.patience = Some(turn.now.plus(RENEGOTIATION));
                }
            }
            (Phase::Answering { answers, reply }, false) => {
                self.say(description, answers, reply, turn);
                self.become_stable(turn);
            }
            (_, true) => self.negotiation.yielding = false,
            (_, false) => {}
        }
    }

    /// Sends a description, and the candidates that waited for it.
    fn say(
        &mut self,
        description: Description,
        answers: Option<DescriptionNumber>,
        way: Reply,
        turn: &mut Turn<'_>,
    ) -> DescriptionNumber {
        let (number, is_offer) = (turn.description_number(), description.is_offer);
        let data = payload::describe(description, number, answers);
        self.negotiation.ours = Some(number);
        match way {
            Reply::InBand => {
                let text = payload::in_band(self.own, &data, is_offer, turn.now);
                self.via = Some(Via::InBand);
                turn.rtc(self.peer, self.generation, RtcCommand::SendInBand(text));
            }
            Reply::Nodes(kind) if is_offer => self.outbox.offer(kind, turn.message_id(), data, turn.now),
            Reply::Nodes(kind) => {
                self.outbox.answer(kind, turn.message_id(), data);
                // On a link that stands the other side repeats its offer if it has to, and who gives
                // its offers no number does not drop repeats.
                if !self.is_connected() && answers.is_some() {
                    self.outbox.repeat_from(turn.now);
                }
            }
        }
        for candidate in core::mem::take(&mut self.unnumbered) {
            self.say_candidate(&candidate, turn);
        }
        number
    }

    /// The remote description is set.
    pub(super) fn applied(&mut self, turn: &mut Turn<'_>) {
        if !matches!(self.negotiation.phase, Phase::Accepting | Phase::Answering { .. }) {
            return;
        }
        for candidate in self.negotiation.applied() {
            turn.rtc(self.peer, self.generation, RtcCommand::AddCandidate(candidate));
        }
        if self.negotiation.phase == Phase::Accepting {
            self.become_stable(turn);
        } else {
            // Whatever changed before is for the answer to say; the browser asks again if it cannot.
            self.negotiation.offer_due = false;
        }
    }

    /// A description was refused by the browser.
    pub(super) fn refused(&mut self, text: String, turn: &mut Turn<'_>) {
        match self.negotiation.phase {
            Phase::Stable | Phase::Offered(_) => {}
            Phase::Answering { .. } if self.negotiation.yielding => self.negotiation.yielding = false,
            // What works goes on as it is.
            _ if self.state != LinkState::Connecting => self.become_stable(turn),
            _ => self.fail(LinkFailure::Negotiation(text), turn),
        }
    }

    /// Nothing is under way any more: what waited for that is next.
    pub(super) fn become_stable(&mut self, turn: &mut Turn<'_>) {
        let was_answered = self.negotiation.phase == Phase::Accepting;
        self.negotiation.phase = Phase::Stable;
        self.restarted();
        if self.is_connected() {
            self.patience = None;
            if was_answered {
                self.outbox.settle();
            }
        } else if self.repair.is_none() {
            self.patience = Some(turn.now.plus(CONNECT));
        }
        match self.negotiation.next_offer.take() {
            Some((offer, reply)) => self.judge_offer(offer, reply, false, turn),
            None => self.offer_if_due(turn),
        }
    }

    /// A local candidate was gathered.
    pub(super) fn local_candidate(&mut self, candidate: RawJson, turn: &mut Turn<'_>) {
        match self.negotiation.phase {
            Phase::Offering | Phase::Answering { .. } => {
                if self.unnumbered.len() < UNNUMBERED {
                    self.unnumbered.push(candidate);
                }
            }
            Phase::Stable | Phase::Offered(_) | Phase::Accepting => self.say_candidate(&candidate, turn),
        }
    }

    fn say_candidate(&mut self, candidate: &RawJson, turn: &mut Turn<'_>) {
        if let Some(data) = payload::candidate(candidate, self.negotiation.ours) {
            let id = turn.message_id();
            self.outbox.candidate(id, data);
        }
    }
}

const fn reply_to(offer: SignalKind) -> SignalKind {
    match offer {
        SignalKind::RenegotiationOffer => SignalKind::RenegotiationAnswer,
        _ => SignalKind::Answer,
    }
}
