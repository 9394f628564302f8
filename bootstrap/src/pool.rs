//! Everything that was found: merged, ranked, remembered.

mod memory;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::MOST_BYTES;
use crate::peers::priority;
use crate::{Descriptor, Refusal, Region, Source, Trust};

/// Candidates that are kept.
pub const MOST: usize = 50;
/// How long a candidate is kept that was neither found nor reached again, in milliseconds.
pub const KEEP: u64 = 24 * 60 * 60 * 1000;
/// How often it is looked whether a candidate answers, in milliseconds.
pub const CHECK: u64 = 5 * 60 * 1000;
/// Signed descriptors whose time is remembered, so that no older one is taken for news.
const MOST_SEEN: usize = 1000;
/// Checks in a row without an answer that put a candidate behind all others.
const MISSES: u32 = 3;

/// A node that may be dialled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Where it is.
    pub descriptor: Descriptor,
    /// Who named it.
    pub source: Source,
    /// How far that is trusted.
    pub trust: Trust,
    /// When it was named or reached last.
    pub seen: Millis,
    /// How long its last answer took, in milliseconds.
    pub round_trip: Option<u64>,
    /// Checks in a row without an answer.
    pub misses: u32,
    /// When it was checked last.
    #[serde(skip)]
    checked: Option<Millis>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    candidates: Vec<Candidate>,
    seen: BTreeMap<String, Millis>,
}

impl Pool {
    /// The candidates, in no order.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Takes in a descriptor that was checked. Of two for one address the better trusted one stays,
    /// of two that are equally trusted the later one.
    ///
    /// # Errors
    /// [`Refusal::Replayed`].
    pub fn offer(
        &mut self,
        descriptor: Descriptor,
        source: Source,
        trust: Trust,
        now: Millis,
    ) -> Result<(), Refusal> {
        self.note(&descriptor)?;
        let address = descriptor.address();
        let known = self.candidates.iter_mut().find(|known| known.descriptor.address() == address);
        match known {
            Some(known) => {
                known.seen = now;
                if (trust, source) <= (known.trust, known.source) {
                    (known.descriptor, known.source, known.trust) = (descriptor, source, trust);
                }
            }
            None => self.candidates.push(Candidate {
                descriptor,
                source,
                trust,
                seen: now,
                round_trip: None,
                misses: 0,
                checked: None,
            }),
        }
        self.shrink(now);
        Ok(())
    }

    /// Notes the time of a signed descriptor.
    fn note(&mut self, descriptor: &Descriptor) -> Result<(), Refusal> {
        let Descriptor { public_key: Some(key), signature: Some(_), timestamp: Some(time), .. } = descriptor
        else {
            return Ok(());
        };
        let name = format!("{key} {}", descriptor.address());
        if self.seen.get(&name).is_some_and(|seen| seen > time) {
            return Err(Refusal::Replayed);
        }
        self.seen.insert(name, *time);
        if self.seen.len() > MOST_SEEN {
            let oldest = self.seen.iter().min_by_key(|(_, time)| **time).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| self.seen.remove(&oldest));
        }
        Ok(())
    }

    fn shrink(&mut self, now: Millis) {
        self.candidates
            .retain(|candidate| !candidate.source.is_elsewhere() || now.since(candidate.seen) < KEEP);
        if self.candidates.len() > MOST {
            self.candidates.sort_by_key(|candidate| candidate.rank(None));
            self.candidates.truncate(MOST);
        }
    }

    /// The candidates, best first: by who named them and how far that is trusted, priority, whether
    /// they are in the region, round trip, and misses. Who does not answer is behind all others.
    #[must_use]
    pub fn ranked(&self, region: Option<Region>) -> Vec<&Candidate> {
        let mut ranked: Vec<_> = self.candidates.iter().collect();
        ranked.sort_by_key(|candidate| candidate.rank(region));
        ranked
    }

    /// The addresses that are to be checked now; each is followed by [`Self::checked`].
    pub fn due(&mut self, now: Millis) -> Vec<String> {
        let due =
            |candidate: &&mut Candidate| candidate.checked.is_none_or(|checked| now.since(checked) >= CHECK);
        let due = self.candidates.iter_mut().filter(due);
        due.map(|candidate| {
            candidate.checked = Some(now);
            candidate.descriptor.address()
        })
        .collect()
    }

    /// What became of a check: how long the answer took, or that there was none.
    pub fn checked(&mut self, address: &str, round_trip: Option<u64>, now: Millis) {
        let known = self.candidates.iter_mut().find(|known| known.descriptor.address() == address);
        let Some(candidate) = known else { return };
        match round_trip {
            Some(round_trip) => {
                candidate.round_trip = Some(round_trip);
                candidate.misses = 0;
                candidate.seen = now;
            }
            None => candidate.misses = candidate.misses.saturating_add(1),
        }
    }

    /// The cache: what came from elsewhere. What is configured is there at the next start anyway.
    #[must_use]
    pub fn write(&self) -> String {
        let kept = self.candidates.iter().filter(|candidate| candidate.source.is_elsewhere());
        serde_json::to_string(&kept.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Reads a cache; whoever wrote to it, what is in there is checked like anything that is found.
    pub fn read(&mut self, text: &str, pins: &[String], now: Millis) -> Vec<Refusal> {
        if text.len() > MOST_BYTES {
            return [crate::Invalid::Size.into()].into();
        }
        let Ok(kept) = serde_json::from_str::<Vec<Value>>(text) else {
            return [crate::Invalid::Form.into()].into();
        };
        kept.into_iter().take(MOST).filter_map(|kept| self.read_one(kept, pins, now).err()).collect()
    }

    fn read_one(&mut self, kept: Value, pins: &[String], now: Millis) -> Result<(), Refusal> {
        let Kept { descriptor, source, seen, round_trip, misses } =
            serde_json::from_value(kept).map_err(|_| crate::Invalid::Form)?;
        let descriptor = Descriptor::read(&descriptor)?;
        let trust = descriptor.verify(pins, now)?;
        if seen > now {
            return Err(Refusal::Future);
        }
        if !source.is_elsewhere() || now.since(seen) >= KEEP {
            return Err(Refusal::Expired);
        }
        let address = descriptor.address();
        self.offer(descriptor, source, trust, seen)?;
        let known = self.candidates.iter_mut().find(|known| known.descriptor.address() == address);
        if let Some(known) = known {
            (known.round_trip, known.misses) = (round_trip, misses);
        }
        Ok(())
    }
}

/// A candidate as it is read: its trust is not, as that is found out anew.
#[derive(Deserialize)]
struct Kept {
    descriptor: Value,
    source: Source,
    seen: Millis,
    round_trip: Option<u64>,
    #[serde(default)]
    misses: u32,
}

type Rank = (bool, Source, Trust, u32, bool, u64, u32);

impl Candidate {
    fn rank(&self, region: Option<Region>) -> Rank {
        let is_far = region.is_some() && self.descriptor.region != region;
        let round_trip = self.round_trip.unwrap_or(u64::MAX);
        let is_lost = self.misses >= MISSES;
        (is_lost, self.source, self.trust, priority(&self.descriptor), is_far, round_trip, self.misses)
    }
}
