//! What an app is told, and how peers look to it.

use pigeonhub_client_core::{LinkState, NodeUrl, NodeView, PeerView};
use pigeonhub_protocol::{PeerId, Refusal};
use web_sys::{MediaStream, MediaStreamTrack};

use crate::{Link, feed};

/// Something about the hub that an app may want to show. None of it needs handling.
#[derive(Clone, Debug)]
pub enum HubEvent {
    /// A peer came, or changed what it says of itself.
    Peer(PeerInfo),
    /// A peer is gone from all nodes that this client is on. A link to it may live on.
    PeerGone(String),
    /// A node's state changed.
    Node(NodeView),
    /// A peer dialled this one.
    Link(Link),
    /// The path that a signal to or from a peer took.
    Path {
        /// The other peer.
        peer: String,
        /// The URL of this client's node; none if it went through the data channel.
        via: Option<String>,
    },
    /// A node refused something that no link is concerned with.
    Refused {
        /// For programs.
        code: String,
        /// For people.
        text: String,
    },
}

/// The same in the client's own words, before it is dressed for Rust or for JavaScript.
#[derive(Clone)]
pub(crate) enum Notice {
    Peer(PeerView),
    PeerGone(PeerId),
    Node(NodeView),
    Link(Link),
    Path { peer: PeerId, via: Option<NodeUrl> },
    Refused(Refusal),
}

impl feed::Event for Notice {}

impl From<Notice> for HubEvent {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Peer(peer) => Self::Peer(peer.into()),
            Notice::PeerGone(peer) => Self::PeerGone(peer.as_str().into()),
            Notice::Node(node) => Self::Node(node),
            Notice::Link(link) => Self::Link(link),
            Notice::Path { peer, via } => {
                Self::Path { peer: peer.as_str().into(), via: via.map(|url| url.0) }
            }
            Notice::Refused(refusal) => {
                Self::Refused { code: refusal.code.as_str().into(), text: refusal.text }
            }
        }
    }
}

/// A peer of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerInfo {
    /// Its id.
    pub peer_id: String,
    /// The node at which it is.
    pub node_id: String,
    /// What it says of itself: a JSON object.
    pub profile: serde_json::Value,
    /// Whether it proved its id: the profile is signed with the key that the id is made of.
    pub is_verified: bool,
    /// Whether its page is frozen, as far as it could say so: it may not answer for a while.
    pub is_away: bool,
}

impl From<PeerView> for PeerInfo {
    fn from(view: PeerView) -> Self {
        Self {
            peer_id: view.peer.as_str().into(),
            node_id: view.node.as_str().into(),
            // Raw JSON is JSON.
            profile: serde_json::from_str(view.profile.get()).unwrap_or_default(),
            is_verified: view.is_verified,
            is_away: view.is_away,
        }
    }
}

/// Something about a link.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// Its state changed.
    State(LinkState),
    /// The other side sent a message.
    Message(Payload),
    /// The other side sends a track.
    Track {
        /// The track.
        track: MediaStreamTrack,
        /// The stream that it belongs to, as the other side grouped its tracks.
        stream: Option<MediaStream>,
    },
}

/// A message between apps: it arrives as the kind that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Payload {
    /// Its length in bytes.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl feed::Event for Payload {
    fn weight(&self) -> usize {
        // An empty message takes memory too.
        self.len() + 64
    }
}
