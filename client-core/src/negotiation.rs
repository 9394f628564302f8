//! Perfect negotiation: which offer counts when both sides make one.
//!
//! A mirror of the connection's signaling state. The greater id is impolite: it ignores an offer
//! that collides with its own. The smaller one yields. Late descriptions are told by their numbers,
//! a new connection of the other side by its fingerprint. See
//! <https://www.w3.org/TR/webrtc/#perfect-negotiation-example>.

use alloc::vec::Vec;

use pigeonhub_protocol::{RawJson, SignalKind};

use crate::candidates::WaitingCandidates;
use crate::payload::{DescriptionNumber, RemoteDescription};
use crate::sdp::Fingerprint;

/// Where the present exchange of descriptions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing is under way.
    Stable,
    /// The browser makes an offer.
    Offering,
    /// An own offer is out; its answer is awaited.
    Offered(DescriptionNumber),
    /// The browser applies an answer.
    Accepting,
    /// The browser applies an offer and makes the answer.
    Answering {
        /// The offer.
        answers: Option<DescriptionNumber>,
        /// How the answer goes back.
        reply: Reply,
    },
}

/// How a description goes to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Through nodes.
    Nodes(SignalKind),
    /// Through the data channel.
    InBand,
}

/// What to do with an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it is late.
    Ignore,
    /// Nothing: it collides with an own offer that counts more, which the other side has not heard.
    Override,
    /// It is the one that was answered last: the answer may be lost.
    AnswerAgain,
    /// Apply it when the browser is done with what it is doing.
    Later,
    /// Apply it. An own offer in flight is rolled back.
    Apply,
    /// Apply it to a new connection: the other side has a new one, or the present one has only
    /// ever heard an own offer that now yields.
    ApplyAfresh,
}

/// The state of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Negotiation {
    polite: bool,
    pub(crate) phase: Phase,
    /// The number of the local description in force; local candidates carry it.
    pub(crate) ours: Option<DescriptionNumber>,
    /// The number of the remote description that was taken last.
    theirs: Option<DescriptionNumber>,
    /// Whether that one is applied yet.
    applied: bool,
    /// Whether any remote description was taken on this connection.
    engaged: bool,
    fingerprint: Option<Fingerprint>,
    /// Whether the other side has proven that the connection is its own.
    pub(crate) is_verified: bool,
    candidates: WaitingCandidates,
    /// An offer is due as soon as nothing is under way.
    pub(crate) offer_due: bool,
    /// The latest remote offer that came while the browser was busy.
    pub(crate) next_offer: Option<(RemoteDescription, Reply)>,
    /// The browser still works on an own offer that has yielded: its outcome is not the answer's.
    pub(crate) yielding: bool,
}

impl Negotiation {
    pub(crate) const fn new(polite: bool, candidates: WaitingCandidates) -> Self {
        Self {
            polite,
            phase: Phase::Stable,
            ours: None,
            theirs: None,
            applied: false,
            engaged: false,
            fingerprint: None,
            is_verified: false,
            candidates,
            offer_due: false,
            next_offer: None,
            yielding: false,
        }
    }

    /// For a new connection. What the other side's numbers say outlives the connection.
    pub(crate) fn restart(&mut self) {
        let candidates = core::mem::take(&mut self.candidates);
        *self = Self { theirs: self.theirs, ..Self::new(self.polite, candidates) };
    }

    pub(crate) const fn is_polite(&self) -> bool {
        self.polite
    }

    pub(crate) const fn fingerprint(&self) -> Option<&Fingerprint> {
        self.fingerprint.as_ref()
    }

    pub(crate) const fn newest_heard(&self) -> Option<DescriptionNumber> {
        self.theirs
    }

    /// Judges an offer; `is_repeat` if a message with its id was here before.
    pub(crate) fn judge(&self, offer: &RemoteDescription, is_repeat: bool) -> Verdict {
        match (offer.number, self.theirs) {
            (Some(number), Some(theirs)) if number == theirs => return self.judge_again(),
            (Some(number), Some(theirs)) if number.is_older_than(theirs) => return Verdict::Ignore,
            _ if is_repeat => return Verdict::Ignore,
            _ => {}
        }
        if self.is_of_another_connection(offer) {
            return Verdict::ApplyAfresh;
        }
        match self.phase {
            Phase::Stable => Verdict::Apply,
            Phase::Accepting | Phase::Answering { .. } => Verdict::Later,
            Phase::Offering | Phase::Offered(_) if !self.polite => Verdict::Override,
            // A connection that was never used is thrown away rather than rolled back, and with it
            // its data channel: each connection has exactly one, that of the offer which counts.
            Phase::Offering | Phase::Offered(_) if !self.engaged => Verdict::ApplyAfresh,
            Phase::Offering | Phase::Offered(_) => Verdict::Apply,
        }
    }

    /// Judges the offer that was taken last: the other side has not heard the answer.
    const fn judge_again(&self) -> Verdict {
        match self.phase {
            // It ignores the own offer that was made since, so there is nothing but to yield.
            Phase::Offering | Phase::Offered(_) if self.polite => Verdict::Apply,
            _ => Verdict::AnswerAgain,
        }
    }

    /// Whether this answer is the one that is awaited. PeerPigeon's do not say what they answer.
    pub(crate) fn is_awaited(&self, answer: &RemoteDescription) -> bool {
        match self.phase {
            Phase::Offered(number) => answer.answers.is_none_or(|answers| answers == number),
            _ => false,
        }
    }

    /// Whether the other side has another connection than the one it had.
    pub(crate) fn is_of_another_connection(&self, remote: &RemoteDescription) -> bool {
        match (&self.fingerprint, &remote.fingerprint) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        }
    }

    /// A remote description goes to the browser.
    pub(crate) fn take(&mut self, remote: &RemoteDescription) {
        self.theirs = remote.number.or(self.theirs);
        self.applied = false;
        self.engaged = true;
        self.is_verified = remote.is_proven.unwrap_or(self.is_verified);
        if remote.fingerprint.is_some() {
            self.fingerprint.clone_from(&remote.fingerprint);
        }
    }

    /// The remote description is applied: the candidates that waited for it can be added.
    pub(crate) fn applied(&mut self) -> Vec<RawJson> {
        self.applied = true;
        self.candidates.release(self.theirs)
    }

    /// A remote candidate: given back if it can be added now, else it waits or is too late.
    pub(crate) fn candidate(
        &mut self,
        number: Option<DescriptionNumber>,
        candidate: RawJson,
    ) -> Option<RawJson> {
        match (number, self.theirs) {
            (Some(number), Some(theirs)) if number.is_older_than(theirs) => None,
            (Some(number), theirs) if theirs != Some(number) => {
                self.candidates.push(Some(number), candidate);
                None
            }
            _ if self.applied => Some(candidate),
            _ => {
                self.candidates.push(number, candidate);
                None
            }
        }
    }
}
