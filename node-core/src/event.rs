//! What happens to a node.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{Departure, Interest, PeerAnnouncement, PeerWithdrawal, Return};
use pigeonhub_protocol::{NetworkName, NodeId, PeerId, PeerMessage, Signal};

use crate::{Outcome, Presence, Route, SessionId};

/// The peer that speaks. The host vouches for it: a socket's own id, or a ticket that it sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The peer.
    pub peer: PeerId,
    /// Its session.
    pub session: SessionId,
    /// The network of its last announce; `None` before the first.
    pub network: Option<NetworkName>,
}

/// One thing that happened, all of it in one network.
#[derive(Clone, Debug)]
pub enum Event {
    /// A peer of this node said something.
    Said(Caller, PeerMessage),
    /// A peer of this node is still there: its lease is renewed. (On a host that keeps sockets,
    /// because its socket answers pings; on others, because it asked for its mail.)
    StillHere(Caller),
    /// A peer of this node went without a word.
    Gone(Caller, Departure),
    /// Another node: it has peers in this network, too.
    Interested(NodeId, Interest),
    /// Another node: a peer is there.
    Announced(NodeId, PeerAnnouncement),
    /// Another node: a peer is no longer there.
    Withdrawn(NodeId, PeerWithdrawal),
    /// Another node: a signal for a peer of this node. (The answer is the decision's `routed`.)
    Routed(NodeId, Signal),
    /// Another node: a signal of a peer of this node could not be delivered.
    Returned(NodeId, Return),
    /// A signal that was to be brought to another node was taken, or not.
    Settled(Route, Outcome),
    /// A presence was remembered, and these peers of the network were known before. Of two who
    /// announce themselves at the same moment neither is among them; but whoever is remembered last
    /// finds the other now.
    Remembered(Arc<Presence>, Vec<PeerId>),
    /// Some time passed in this network: leases end, mail is overdue.
    Passed(NetworkName),
}
