//! How other nodes took a signal.

use alloc::vec::Vec;

use pigeonhub_protocol::Code;
use pigeonhub_protocol::mesh::Routed;

use crate::Outcome;

/// How one node was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the signal.
    Taken,
    /// It did not.
    Refused(Code),
    /// It did not answer.
    None,
}

impl Answer {
    /// The answers for the parcels of a batch, each in its place; `body` is what came back, if
    /// anything did. Without end: who is not answered for was not answered.
    pub fn each(body: Option<&[u8]>) -> impl Iterator<Item = Self> + use<> {
        let routed: Vec<Routed> = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let answer = |routed: Routed| match routed {
            Routed { routed: true, .. } => Self::Taken,
            Routed { code, .. } => Self::Refused(code.unwrap_or(Code::PeerUnavailable)),
        };
        routed.into_iter().map(answer).chain(core::iter::repeat(Self::None))
    }
}

/// What the nodes answered so far that did not take it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    refused: Option<Code>,
    silent: bool,
}

impl Tally {
    /// One more node answered, or did not.
    pub const fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Taken => {}
            // Any other reason says more than that the peer is not there.
            Answer::Refused(Code::PeerUnavailable) if self.refused.is_some() => {}
            Answer::Refused(code) => self.refused = Some(*code),
            Answer::None => self.silent = true,
        }
    }

    /// What it comes to, if no node took the signal.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.refused {
            Some(code) if !self.silent => Outcome::Refused(code),
            _ => Outcome::Unreachable,
        }
    }
}
