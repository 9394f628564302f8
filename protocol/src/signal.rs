//! Signals: what two peers say to each other to connect. A node passes them on and looks into none.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{MessageId, NetworkName, NodeId, PeerId, RawJson};

/// The kinds of signal that nodes pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// A session description that wants an answer.
    Offer,
    /// The description that answers an offer.
    Answer,
    /// One trickled ICE candidate.
    IceCandidate,
    /// An offer for a connection that exists (only when the data channel refused it).
    RenegotiationOffer,
    /// The answer to a renegotiation offer.
    RenegotiationAnswer,
}

impl SignalKind {
    /// The wire's `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::IceCandidate => "ice-candidate",
            Self::RenegotiationOffer => "renegotiation-offer",
            Self::RenegotiationAnswer => "renegotiation-answer",
        }
    }

    /// The kind with this `type`, if it is one.
    #[must_use]
    pub fn from_type(text: &str) -> Option<Self> {
        [Self::Offer, Self::Answer, Self::IceCandidate, Self::RenegotiationOffer, Self::RenegotiationAnswer]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signal on its way from one peer to another, inside one network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signal {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: SignalKind,
    /// Who sent it; set by the sender's node from the session, never by the sender.
    #[serde(rename = "fromPeerId")]
    pub from: PeerId,
    /// Whom it is for.
    #[serde(rename = "targetPeerId")]
    pub target: PeerId,
    /// The network of both; set by the sender's node from its announce.
    #[serde(rename = "networkName")]
    pub network: NetworkName,
    /// The description or candidate, untouched.
    pub data: RawJson,
    /// The sender's id for this message, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The node at which it was said, once another node has it: there its sender waits for an answer,
    /// wherever the signal follows its target to. Peers are not told.
    #[serde(default, rename = "originNode", skip_serializing_if = "Option::is_none")]
    pub origin: Option<NodeId>,
}

impl AsRef<Self> for Signal {
    fn as_ref(&self) -> &Self {
        self
    }
}
