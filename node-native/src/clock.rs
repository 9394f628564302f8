//! Time and dice for the cores.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use pigeonhub_node_core::dice::{STEP, stir};
use pigeonhub_protocol::{Millis, Moment};

use crate::Error;

/// The time by which the node decides: what the system's clock showed at first, and from then on as
/// much more as has passed. Were it the system's, no lease or pause would hold when that is set.
pub fn now() -> Millis {
    static FIRST: OnceLock<(Instant, Millis)> = OnceLock::new();
    let (first, at) = FIRST.get_or_init(|| (Instant::now(), wall()));
    at.plus(u64::try_from(first.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// What the system's clock shows, for what others compare with theirs: signatures and descriptors.
pub fn wall() -> Millis {
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

    /// A counter, well stirred.
    pub fn dice(&self) -> u64 {
        stir(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }
}
