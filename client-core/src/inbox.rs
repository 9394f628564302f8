//! What comes in and may be proven: whoever is proven once is believed nothing without a proof.
//!
//! The host checks signatures, in its own time. What came after something that is being checked waits
//! behind it, so that everything is taken in the order in which it came.

use alloc::collections::VecDeque;

use litemap::LiteMap;
use pigeonhub_protocol::proof::{Claim, PROOF, Proof, UNCOVERED};
use pigeonhub_protocol::{Fields, Millis, NodeMessage, PeerId, RawJson};
use serde_json::value::RawValue;

use crate::seal::without;
use crate::turn::Turn;
use crate::{Action, SessionId};

/// Messages that may wait, and bytes of `data` in them. Who floods a client that is slow to check is
/// not heard; what counts is said again until it is answered.
const WAITING: usize = 1_024;
const BYTES: usize = 4 * 1024 * 1024;
/// Peers remembered to have a key. Who was heard longest ago is forgotten first.
const KNOWN: usize = 4_096;

/// How far a message is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Who said it is the word of a node.
    Unproven,
    /// Its sender signed it, at this time of the sender's.
    Proven(Millis),
    /// It has a proof that is wrong.
    Forged,
}

impl Standing {
    /// When it was signed.
    pub(crate) const fn signed(self) -> Option<Millis> {
        match self {
            Self::Proven(timestamp) => Some(timestamp),
            Self::Unproven | Self::Forged => None,
        }
    }
}

/// What came in and is not taken yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    last: u32,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Peers that have proven their id, and when they were heard last.
    known: LiteMap<PeerId, Millis>,
}

#[derive(Clone, Debug)]
struct Waiting {
    session: SessionId,
    message: NodeMessage,
    bytes: usize,
    check: Check,
}

#[derive(Clone, Copy, Debug)]
enum Check {
    /// The host has been asked; the time is the proof's.
    Asked(u32, Millis),
    Done(Standing),
}

impl Inbox {
    /// A message came; its check begins if it has a proof.
    pub(crate) fn push(&mut self, session: SessionId, message: NodeMessage, turn: &mut Turn<'_>) {
        let check = self.check(&message, turn);
        let bytes = content(&message).map_or(0, |data| data.get().len());
        if self.waiting.is_empty() || (self.waiting.len() < WAITING && self.bytes + bytes <= BYTES) {
            self.bytes += bytes;
            self.waiting.push_back(Waiting { session, message, bytes, check });
        }
    }

    /// The host has checked a proof, or could not.
    pub(crate) fn checked(&mut self, number: u32, holds: Option<bool>) {
        for waiting in &mut self.waiting {
            if let Check::Asked(asked, timestamp) = waiting.check
                && asked == number
            {
                waiting.check = Check::Done(match holds {
                    Some(true) => Standing::Proven(timestamp),
                    Some(false) => Standing::Forged,
                    None => Standing::Unproven,
                });
            }
        }
    }

    /// The next message, if nothing before it is being checked.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<(SessionId, NodeMessage, Standing)> {
        let first = self.waiting.pop_front_if(|first| matches!(first.check, Check::Done(_)))?;
        self.bytes -= first.bytes;
        let Check::Done(standing) = first.check else { return None };
        if let (Standing::Proven(_), Some(from)) = (standing, sender(&first.message)) {
            self.remember(from, now);
        }
        Some((first.session, first.message, standing))
    }

    /// Whether this peer has a key, so that what comes without a proof is not from it.
    pub(crate) fn is_known(&self, peer: PeerId) -> bool {
        self.known.contains_key(&peer)
    }

    fn remember(&mut self, peer: PeerId, now: Millis) {
        if self.known.len() >= KNOWN && !self.known.contains_key(&peer) {
            let oldest = self.known.iter().min_by_key(|(_, heard)| **heard).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.known.remove(&oldest));
        }
        self.known.insert(peer, now);
    }

    fn check(&mut self, message: &NodeMessage, turn: &mut Turn<'_>) -> Check {
        let Some((from, claim, proof)) = claim(message) else { return Check::Done(Standing::Unproven) };
        if !proof.is_recent(turn.wall) {
            return Check::Done(Standing::Unproven);
        }
        self.last = self.last.wrapping_add(1);
        let timestamp = proof.timestamp;
        turn.act(Action::Verify { number: self.last, from, claim, proof });
        Check::Asked(self.last, timestamp)
    }
}

const fn content(message: &NodeMessage) -> Option<&RawJson> {
    match message {
        NodeMessage::Discovered { profile, .. } => Some(profile),
        NodeMessage::Signal(signal) => Some(&signal.data),
        NodeMessage::Goodbye { data, .. } => Some(data),
        _ => None,
    }
}

const fn sender(message: &NodeMessage) -> Option<PeerId> {
    match message {
        NodeMessage::Discovered { peer, .. } => Some(*peer),
        NodeMessage::Signal(signal) => Some(signal.from),
        _ => None,
    }
}

/// What a message says with a proof, and the proof.
fn claim(message: &NodeMessage) -> Option<(PeerId, RawJson, Proof)> {
    match message {
        NodeMessage::Discovered { peer, network, profile, .. } => {
            let (proof, data) = (proof(profile)?, without(profile, &UNCOVERED));
            let (from, timestamp) = (*peer, proof.timestamp);
            let claim =
                Claim { kind: "announce", from, target: None, network, id: None, timestamp, data: &data };
            Some((from, claim.json(), proof))
        }
        NodeMessage::Signal(signal) => {
            let (proof, data) = (proof(&signal.data)?, without(&signal.data, &[PROOF]));
            let (from, target, timestamp) = (signal.from, Some(signal.target), proof.timestamp);
            // Without an id, a repeat could not be told.
            let (kind, network, id) = (signal.kind.as_str(), &signal.network, Some(signal.id.as_ref()?));
            let claim = Claim { kind, from, target, network, id, timestamp, data: &data };
            Some((from, claim.json(), proof))
        }
        _ => None,
    }
}

fn proof(data: &RawValue) -> Option<Proof> {
    // Most have none.
    if !data.get().contains(PROOF) {
        return None;
    }
    Proof::read(Fields::read(data)?.get(PROOF)?)
}
