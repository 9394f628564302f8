//! Where a node is.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Region {
    /// Eastern North America.
    UsEast,
    /// Western North America.
    UsWest,
    /// Western Europe.
    EuWest,
    /// Asia and the Pacific.
    AsiaPacific,
    /// Near to everybody.
    Global,
    /// This machine or its network.
    Local,
    /// Of one's own: what was configured by hand.
    Custom,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 7] = [
        Self::UsEast,
        Self::UsWest,
        Self::EuWest,
        Self::AsiaPacific,
        Self::Global,
        Self::Local,
        Self::Custom,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsEast => "us-east",
            Self::UsWest => "us-west",
            Self::EuWest => "eu-west",
            Self::AsiaPacific => "asia-pacific",
            Self::Global => "global",
            Self::Local => "local",
            Self::Custom => "custom",
        }
    }

    /// The region of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
