//! Where descriptors come from, and how far they are trusted.

use serde::{Deserialize, Serialize};

/// Where a descriptor comes from; the earlier the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Named in code or by a flag.
    Custom,
    /// `BOOTSTRAP_PEERS`.
    Environment,
    /// A document of a configured domain.
    WellKnown,
    /// DNS of a configured domain.
    Dns,
    /// The keys `bootstrap-peer-*` of a DHT.
    Dht,
    /// The built-in list.
    BuiltIn,
}

impl Source {
    /// Whether somebody may say anything there, so that it has to be checked, and may be gone
    /// tomorrow, so that it is worth to be kept.
    #[must_use]
    pub const fn is_elsewhere(self) -> bool {
        matches!(self, Self::WellKnown | Self::Dns | Self::Dht)
    }
}

/// How far a descriptor is trusted; the earlier the further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Fully: one's own infrastructure, as configured.
    Own,
    /// Highly: built in, or signed by a pinned key.
    Project,
    /// Somewhat: signed by the node itself.
    Community,
    /// Not at all before it has answered.
    Discovered,
}
