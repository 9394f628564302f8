//! Time and dice for the cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use pigeonhub_protocol::{Millis, Moment};

use crate::Error;

/// Milliseconds since the epoch.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Where moments come from. Its dice are seeded by the system, are never the same twice, and are
/// fit for choices and names, not for keys.
#[derive(Debug)]
pub struct Clock(AtomicU64);

impl Clock {
    /// A clock with fresh dice.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn new() -> Result<Self, Error> {
        getrandom::u64().map(AtomicU64::new).map(Self).map_err(Error::Randomness)
    }

    /// This moment.
    pub fn moment(&self) -> Moment {
        Moment { now: now(), seed: self.dice() }
    }

    /// Splitmix64: a counter, well stirred.
    pub fn dice(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
