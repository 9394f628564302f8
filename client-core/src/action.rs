//! What a client wants done.

use alloc::string::String;

use pigeonhub_protocol::proof::Proof;
use pigeonhub_protocol::{Frame, Millis, PeerId, RawJson, Ticket};

use crate::{Description, Event, NodeUrl, SessionId};

/// To be carried out, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Open a socket: `url` with `?peerId=`, and with `resume=`, which asks for a ticket.
    Dial {
        /// To be named in all news of it.
        session: SessionId,
        /// The node.
        url: NodeUrl,
        /// What `resume` is; empty if there is none.
        ticket: Option<Ticket>,
    },
    /// Send a text frame.
    Send {
        /// On this socket.
        session: SessionId,
        /// The text.
        frame: Frame,
    },
    /// Close a socket with code 1000; no news of it is expected any more.
    Hangup(SessionId),
    /// Do something to the peer connection to a peer.
    Rtc {
        /// The other peer.
        peer: PeerId,
        /// Which connection to it.
        generation: u32,
        /// What to do.
        command: RtcCommand,
    },
    /// Sign the [statement](pigeonhub_protocol::proof::statement) of this claim with the peer's key, and
    /// give it back as [`Input::Signed`](crate::Input::Signed).
    Sign {
        /// To be named in the answer.
        number: u32,
        /// The claim, as [JSON](pigeonhub_protocol::proof::Claim::json).
        claim: RawJson,
    },
    /// Check whether this [is a proof](pigeonhub_protocol::proof::is_proof), and say so as
    /// [`Input::Verified`](crate::Input::Verified).
    Verify {
        /// To be named in the answer.
        number: u32,
        /// Who is said to have signed.
        from: PeerId,
        /// The claim, as [JSON](pigeonhub_protocol::proof::Claim::json).
        claim: RawJson,
        /// The proof.
        proof: Proof,
    },
    /// Tell the app.
    Emit(Event),
    /// Give an [`Input::Tick`](crate::Input::Tick) at this time; replaces an earlier wish.
    WakeAt(Millis),
}

/// What to do to a peer connection.
#[derive(Clone, Debug)]
pub enum RtcCommand {
    /// Make it, with the app's media if it gave some.
    Create {
        /// Whether to open the data channel `messages` (who offers does); else it comes from the
        /// other side.
        open_channel: bool,
    },
    /// Make an offer, set it as local description, report it as `Described`.
    Offer {
        /// Restart ICE with it.
        ice_restart: bool,
    },
    /// Set a remote description, report `Applied`; if it is an offer (an own offer in flight is
    /// rolled back), make the answer, set it, report it as `Described`.
    Apply(Description),
    /// Add a remote candidate (`RTCIceCandidateInit`). It may fail without harm.
    AddCandidate(RawJson),
    /// Send this text on the data channel.
    SendInBand(String),
    /// Close and forget it.
    Close,
}
