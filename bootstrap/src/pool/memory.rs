//! What a pool knows beside the nodes that it found, for hosts that keep nothing in memory: how all
//! candidates did, the configured ones too, and which signed descriptors are the latest.

use alloc::collections::BTreeMap;
use alloc::string::String;

use pigeonhub_protocol::Millis;
use pigeonhub_protocol::limit::SKEW;
use serde::{Deserialize, Serialize};

use super::{MOST_SEEN, Pool};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    seen: BTreeMap<String, Millis>,
    health: BTreeMap<String, Health>,
}

/// How a candidate did.
#[derive(Serialize, Deserialize)]
struct Health {
    checked: Millis,
    round_trip: Option<u64>,
    misses: u32,
}

impl Pool {
    /// What [`Self::write`] leaves out, to be given to [`Self::remember`].
    #[must_use]
    pub fn memory(&self) -> String {
        let health = self.candidates.iter().filter_map(|candidate| {
            let checked = candidate.checked?;
            let health = Health { checked, round_trip: candidate.round_trip, misses: candidate.misses };
            Some((candidate.descriptor.address(), health))
        });
        let memory = Memory { seen: self.seen.clone(), health: health.collect() };
        serde_json::to_string(&memory).unwrap_or_default()
    }

    /// Takes in what was known, after the candidates are there: a candidate may be older than the
    /// latest of its descriptors, and is no replay for that. What cannot be read is left out, and so
    /// are times that are still to come: they would make all that is true a replay.
    pub fn remember(&mut self, text: &str, now: Millis) {
        let memory: Memory = serde_json::from_str(text).unwrap_or_default();
        let latest = now.plus(SKEW);
        for (name, time) in memory.seen.into_iter().filter(|(_, time)| *time <= latest).take(MOST_SEEN) {
            let seen = self.seen.entry(name).or_insert(time);
            *seen = time.max(*seen);
        }
        for candidate in &mut self.candidates {
            let health = memory.health.get(&candidate.descriptor.address());
            if let Some(health) = health.filter(|health| health.checked <= now) {
                candidate.checked = Some(health.checked);
                candidate.round_trip = health.round_trip;
                candidate.misses = health.misses;
            }
        }
    }
}
