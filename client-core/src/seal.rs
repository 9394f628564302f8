//! Proofs of what this peer says: with a key, every announce and every signal carries one.
//!
//! The host signs, in its own time. What is to be signed waits here in the order in which it was said,
//! so that no signal overtakes another, or the announce.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::String;

use pigeonhub_protocol::proof::{Claim, PROOF, Proof, UNCOVERED};
use pigeonhub_protocol::{
    Fields, Frame, MessageId, Millis, NetworkName, PeerId, PeerMessage, RawJson, SignalKind, raw_json,
};
use serde_json::value::RawValue;

use crate::roster;
use crate::sessions::Sessions;
use crate::turn::Turn;
use crate::{Action, Options, SessionId};

/// A proof of a profile is made anew after this time, milliseconds: well before it is too old.
const RENEWAL: u64 = 12 * 60 * 60 * 1000;

/// What goes out with proofs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seal {
    /// The peer's public key; without one nothing is proven, and nothing waits.
    key: Option<String>,
    last: u32,
    /// The profile as others are told it, with its proof.
    profile: Option<RawJson>,
    /// The profile whose proof is being made.
    making: Option<Making>,
    renewal: Option<Millis>,
    waiting: VecDeque<Waiting>,
}

#[derive(Clone, Debug)]
struct Making {
    number: u32,
    timestamp: Millis,
    profile: RawJson,
}

/// A signal on its way out.
#[derive(Clone, Debug)]
struct Waiting {
    session: SessionId,
    number: u32,
    timestamp: Millis,
    signal: Outgoing,
    /// What the host gave for it: nothing if it could not sign.
    signature: Option<Option<String>>,
}

/// A signal to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) kind: SignalKind,
    pub(crate) target: PeerId,
    pub(crate) id: MessageId,
    pub(crate) data: RawJson,
}

impl Outgoing {
    fn frame(self, network: &NetworkName) -> Frame {
        let Self { kind, target, id, data } = self;
        PeerMessage::Signal { kind, target, data, id: Some(id) }.frame(network)
    }
}

impl Seal {
    pub(crate) fn new(key: Option<String>) -> Self {
        Self { key, ..Self::default() }
    }

    /// What others are told about this peer; none until it is proven for the first time.
    pub(crate) fn profile(&self, profile: &RawValue, is_away: bool) -> Option<RawJson> {
        let profile = if self.key.is_some() { self.profile.as_deref()? } else { profile };
        Some(if is_away { roster::away(profile) } else { profile.to_owned() })
    }

    /// The profile is new: gives whether it can be told at once.
    pub(crate) fn renew(&mut self, options: &Options, turn: &mut Turn<'_>) -> bool {
        if self.key.is_none() {
            return true;
        }
        let timestamp = turn.wall;
        let data = without(&options.profile, &UNCOVERED);
        let (from, network) = (options.peer, &options.network);
        let claim = Claim { kind: "announce", from, target: None, network, id: None, timestamp, data: &data };
        let number = self.ask(&claim, turn);
        self.making = Some(Making { number, timestamp, profile: data });
        self.renewal = Some(turn.now.plus(RENEWAL));
        false
    }

    /// Whether the proof of the profile is old.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.renewal.is_some_and(|at| at <= now)
    }

    pub(crate) const fn deadline(&self) -> Option<Millis> {
        self.renewal
    }

    /// Sends a signal, with a proof if there is a key.
    pub(crate) fn send(
        &mut self,
        session: SessionId,
        signal: Outgoing,
        (own, network): (PeerId, &NetworkName),
        turn: &mut Turn<'_>,
    ) {
        if self.key.is_none() {
            return turn.send(session, signal.frame(network));
        }
        let Outgoing { kind, target, id, data } = &signal;
        let (kind, target, id, timestamp) = (kind.as_str(), Some(*target), Some(id), turn.wall);
        let number = self.ask(&Claim { kind, from: own, target, network, id, timestamp, data }, turn);
        self.waiting.push_back(Waiting { session, number, timestamp, signal, signature: None });
    }

    /// The host has signed something, or could not. Gives whether the profile is to be told.
    pub(crate) fn signed(&mut self, number: u32, signature: Option<String>) -> bool {
        if let Some(Making { timestamp, profile, .. }) = self.making.take_if(|making| making.number == number)
        {
            match self.proof_of(timestamp, signature) {
                Some(proof) => self.profile = Some(with_proof(&profile, &proof)),
                // Who cannot sign has no key.
                None => (self.key, self.renewal) = (None, None),
            }
            return true;
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.number == number) {
            waiting.signature = Some(signature);
        }
        false
    }

    /// Sends what is signed, as far as nothing before it waits.
    pub(crate) fn flush(&mut self, sessions: &Sessions, network: &NetworkName, turn: &mut Turn<'_>) {
        let is_told = self.key.is_none() || self.profile.is_some();
        while let Some(Waiting { session, timestamp, mut signal, signature, .. }) =
            self.waiting.pop_front_if(|first| is_told && first.signature.is_some())
        {
            if let Some(proof) = self.proof_of(timestamp, signature.flatten()) {
                signal.data = with_proof(&signal.data, &proof);
            }
            // What a lost session was to carry is said again through another one.
            if sessions.is_open(session) {
                turn.send(session, signal.frame(network));
            }
        }
    }

    fn proof_of(&self, timestamp: Millis, signature: Option<String>) -> Option<Proof> {
        Some(Proof { key: self.key.clone()?, timestamp, signature: signature? })
    }

    fn ask(&mut self, claim: &Claim<'_>, turn: &mut Turn<'_>) -> u32 {
        self.last = self.last.wrapping_add(1);
        turn.act(Action::Sign { number: self.last, claim: claim.json() });
        self.last
    }
}

fn with_proof(object: &RawValue, proof: &Proof) -> RawJson {
    let (mut fields, proof) = (Fields::read(object).unwrap_or_default(), raw_json(proof));
    fields.insert(PROOF, &proof);
    raw_json(&fields)
}

/// An object without some of its fields.
pub(crate) fn without(object: &RawValue, names: &[&str]) -> RawJson {
    let mut fields = Fields::read(object).unwrap_or_default();
    names.iter().for_each(|name| fields.remove(name));
    raw_json(&fields)
}
