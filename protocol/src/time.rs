//! Points in time as the wire writes them, and the moment that hosts hand to the cores.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The point `millis` later; saturates instead of wrapping.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to here; 0 if `earlier` is in fact later (clocks jump).
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What a core cannot make itself: the current time, and fresh dice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The current time. Hosts that can keep it from going back do: waits would grow by the jump.
    pub now: Millis,
    /// Fresh randomness; never used twice by a host.
    pub seed: u64,
}
