//! What an app is told.

use alloc::string::String;

use pigeonhub_protocol::{NodeId, PeerId, RawJson, Refusal};

use crate::NodeUrl;

/// Something that an app may want to show. None of it needs handling.
#[derive(Clone, Debug)]
pub enum Event {
    /// The first node is there: the hub is connected. Once.
    Ready,
    /// A peer came, or changed what it says of itself.
    Peer(PeerView),
    /// A peer is gone from all nodes that this client is on. A link to it may live on.
    PeerGone(PeerId),
    /// A node's state changed.
    Node(NodeView),
    /// A peer dialled this one: its link exists now. (For an own dial the app has it already.)
    Incoming(PeerId),
    /// A link's state changed.
    Link {
        /// The other peer.
        peer: PeerId,
        /// Its new state.
        state: LinkState,
    },
    /// A signal went out for, or came in from, this peer: the path that it took.
    Path {
        /// The other peer.
        peer: PeerId,
        /// This client's node; none if it went through the data channel.
        via: Option<NodeUrl>,
    },
    /// A node refused something that no link is concerned with.
    Refused(Refusal),
}

/// A peer, as the app sees it.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// The peer.
    pub peer: PeerId,
    /// The node at which it is.
    pub node: NodeId,
    /// What it says of itself: a JSON object.
    pub profile: RawJson,
    /// Whether it has proven its id: what it says comes from the one who has the key of that id, and no
    /// node had a say in it.
    pub is_verified: bool,
    /// Whether its page is frozen, as far as it could say so: it may not answer for a while.
    pub is_away: bool,
}

/// A node, as the app sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Its URL.
    pub url: NodeUrl,
    /// Its id, once it said so.
    pub node: Option<NodeId>,
    /// Its state.
    pub state: NodeState,
}

/// How this client stands with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Not used now: enough others are.
    Idle,
    /// Being dialled.
    Dialing,
    /// In use.
    Open,
    /// Lost or unreachable; to be tried again later.
    Down,
}

/// The state of a link to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// On the way.
    Connecting,
    /// The data channel is open.
    Connected,
    /// Connection trouble; being repaired.
    Interrupted,
    /// Over, as one of the two sides wanted.
    Closed,
    /// Over, not as anybody wanted.
    Failed(LinkFailure),
}

/// Why a link could not be made or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkFailure {
    /// No node knows the peer.
    PeerUnavailable,
    /// The peer did not answer in time.
    NoAnswer,
    /// Both sides are known to each other, but no path between them was found (ICE failed).
    NoPath,
    /// The browser refused a description.
    Negotiation(String),
}

impl LinkFailure {
    /// The code that apps read.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PeerUnavailable => "peer-unavailable",
            Self::NoAnswer => "no-answer",
            Self::NoPath => "no-path",
            Self::Negotiation(_) => "negotiation-failed",
        }
    }
}
