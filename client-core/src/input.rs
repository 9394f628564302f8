//! What happens to a client.

use alloc::string::String;

use pigeonhub_protocol::{PeerId, RawJson};

use crate::{NodeUrl, SessionId, Transport};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The app wants something.
    Command(Command),
    /// News of a socket that an [`Action::Dial`](crate::Action::Dial) asked for.
    Session(SessionId, SessionInput),
    /// News of the peer connection to a peer. `generation` is the one of the
    /// [`RtcCommand::Create`](crate::RtcCommand::Create) that made it; older ones are ignored.
    Rtc {
        /// The other peer.
        peer: PeerId,
        /// Which connection to it.
        generation: u32,
        /// The news.
        input: RtcInput,
    },
    /// The outcome of an [`Action::Sign`](crate::Action::Sign). Each has one, sooner or later.
    Signed {
        /// Its number.
        number: u32,
        /// The signature, 64 bytes in base64; none if the key could not be used.
        signature: Option<String>,
    },
    /// The outcome of an [`Action::Verify`](crate::Action::Verify). Each has one, sooner or later.
    Verified {
        /// Its number.
        number: u32,
        /// Whether it is a proof.
        holds: bool,
    },
    /// The host has no means to check a proof ([`Action::Verify`](crate::Action::Verify)): it counts as none.
    Unchecked {
        /// Which one.
        number: u32,
    },
    /// The time of the last [`Action::WakeAt`](crate::Action::WakeAt) has come (too early or too
    /// late does no harm).
    Tick,
    /// The page is about to be frozen: nothing will run until [`Input::Resume`], if ever. Others are
    /// told that this peer is away.
    Freeze,
    /// The page is back: online again, visible again, thawed, out of the back-forward cache. Waits are
    /// cut short.
    Resume,
}

/// What an app wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// Go on the nodes. Once, first.
    Start,
    /// Connect to a peer. Nothing happens if a link to it exists.
    Dial(PeerId),
    /// Close the link to a peer.
    Hangup(PeerId),
    /// Tell others something new about this peer.
    SetProfile(RawJson),
    /// One more node to choose from.
    AddNode(NodeUrl),
    /// A node no longer to choose from.
    RemoveNode(NodeUrl),
    /// Say goodbye, close everything.
    Close,
}

/// News of a socket to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionInput {
    /// It is open, and goes this way.
    Opened(Transport),
    /// A text frame came.
    Frame(String),
    /// It is closed, or could not be opened.
    Closed {
        /// The close code; 1006 if there was none.
        code: u16,
        /// The reason text.
        reason: String,
    },
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Whether it is an offer; else it is an answer.
    pub is_offer: bool,
    /// SDP, untouched.
    pub sdp: String,
}

/// `RTCPeerConnection.connectionState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nothing yet.
    New,
    /// On the way.
    Connecting,
    /// Connected.
    Connected,
    /// No packets for a moment; may recover by itself.
    Disconnected,
    /// Lost; only an ICE restart helps.
    Failed,
    /// Closed.
    Closed,
}

/// News of a peer connection.
#[derive(Clone, Debug)]
pub enum RtcInput {
    /// Tracks or channels changed: an offer is due.
    NegotiationNeeded,
    /// The local description is set, as [`RtcCommand::Offer`](crate::RtcCommand::Offer) or
    /// [`RtcCommand::Apply`](crate::RtcCommand::Apply) of an offer asked.
    Described(Description),
    /// A local candidate was gathered: `RTCIceCandidate.toJSON()`.
    Candidate(RawJson),
    /// The remote description of the last [`RtcCommand::Apply`](crate::RtcCommand::Apply) is set.
    Applied,
    /// The last [`RtcCommand::Offer`](crate::RtcCommand::Offer) or
    /// [`RtcCommand::Apply`](crate::RtcCommand::Apply) failed.
    Refused(String),
    /// The connection's state changed.
    State(ConnectionState),
    /// The data channel is open.
    ChannelOpened,
    /// The data channel closed.
    ChannelClosed,
    /// A text message on the data channel that is signaling
    /// (it starts with `{"type":"signaling"` or `{"type":"renegotiation-`).
    InBand(String),
}
