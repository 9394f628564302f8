//! Why something that was found is not used.

use core::fmt;

use crate::Invalid;

/// Why something that was found is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is no descriptor or no document.
    Invalid(Invalid),
    /// The signature does not hold.
    Forged,
    /// Its time is over.
    Expired,
    /// It is from a time to come.
    Future,
    /// A newer one of the same key and URL was seen before.
    Replayed,
    /// It is of another mesh.
    OtherApp,
    /// Its signer is none of the pinned keys.
    UnknownKey,
}

impl Refusal {
    /// Every code.
    pub const CODES: [&'static str; 7] =
        ["invalid", "forged", "expired", "future", "replayed", "other-app", "unknown-key"];

    /// The place of [`Self::code`] in [`Self::CODES`], for who counts.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Invalid(_) => 0,
            Self::Forged => 1,
            Self::Expired => 2,
            Self::Future => 3,
            Self::Replayed => 4,
            Self::OtherApp => 5,
            Self::UnknownKey => 6,
        }
    }

    /// For programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        Self::CODES[self.index()]
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid(invalid) => return invalid.fmt(f),
            Self::Forged => "the signature does not hold",
            Self::Expired => "its time is over",
            Self::Future => "it is from a time to come, or a clock is wrong",
            Self::Replayed => "a newer one was seen before",
            Self::OtherApp => "it is of another mesh",
            Self::UnknownKey => "its signer is none of the pinned keys",
        })
    }
}

impl core::error::Error for Refusal {}
