//! Remote candidates that cannot be added yet: signals overtake each other on their way through
//! several nodes.

use alloc::vec::Vec;

use litemap::LiteMap;
use pigeonhub_protocol::{Millis, PeerId, RawJson};

use crate::payload::DescriptionNumber;

/// Candidates that may wait per peer.
const PER_PEER: usize = 64;
/// Peers without a link whose candidates wait.
const PEERS: usize = 64;
/// How long they wait for an offer, milliseconds.
const LONGEST: u64 = 30_000;

/// Candidates of one peer, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitingCandidates(Vec<(Option<DescriptionNumber>, RawJson)>);

impl WaitingCandidates {
    pub(crate) fn push(&mut self, number: Option<DescriptionNumber>, candidate: RawJson) {
        if self.0.len() < PER_PEER {
            self.0.push((number, candidate));
        }
    }

    /// Those that belong to the description that was just applied, or do not say to which. Older
    /// ones are forgotten, later ones go on waiting.
    pub(crate) fn release(&mut self, applied: Option<DescriptionNumber>) -> Vec<RawJson> {
        let (mut due, mut waiting) = (Vec::new(), Vec::new());
        for (number, candidate) in self.0.drain(..) {
            match (number, applied) {
                (Some(number), Some(applied)) if number.is_older_than(applied) => {}
                (Some(number), Some(applied)) if number != applied => waiting.push((Some(number), candidate)),
                _ => due.push(candidate),
            }
        }
        self.0 = waiting;
        due
    }
}

/// Candidates that came before the offer that they belong to.
#[derive(Clone, Debug)]
pub(crate) struct EarlyCandidates(LiteMap<PeerId, (Millis, WaitingCandidates)>);

impl EarlyCandidates {
    pub(crate) const fn new() -> Self {
        Self(LiteMap::new())
    }

    pub(crate) fn push(
        &mut self,
        from: PeerId,
        number: Option<DescriptionNumber>,
        candidate: RawJson,
        now: Millis,
    ) {
        self.0.retain(|_, (since, _)| now.since(*since) < LONGEST);
        if self.0.len() < PEERS || self.0.contains_key(&from) {
            let (_, waiting) = self.0.entry(from).or_insert_with(|| (now, WaitingCandidates::default()));
            waiting.push(number, candidate);
        }
    }

    pub(crate) fn take(&mut self, from: PeerId, now: Millis) -> WaitingCandidates {
        let fresh = self.0.remove(&from).filter(|(since, _)| now.since(*since) < LONGEST);
        fresh.map(|(_, waiting)| waiting).unwrap_or_default()
    }
}
