//! What is to be done: changes to the store, errands to other nodes, replies.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{Departure, Return, Routed};
use pigeonhub_protocol::{Code, Frame, Millis, NetworkName, NodeId, PeerId, RawJson, Signal};

use crate::{Home, Mail, Presence};

/// A change to the store, all in one network: each is one statement, safe to repeat and to
/// interleave with others.
#[derive(Clone, Debug)]
pub enum Change {
    /// A peer is at a home; replaces what was known of it at the same place.
    Remember(Arc<Presence>),
    /// The lease of a presence is longer; nothing happens if it is no longer there.
    Renew {
        /// The peer.
        peer: PeerId,
        /// The place (for this node: and the session).
        home: Home,
        /// The new end.
        until: Millis,
    },
    /// A live presence becomes an absence; nothing happens if the session is another by now.
    Leave {
        /// The peer.
        peer: PeerId,
        /// The place and session.
        home: Home,
        /// What is for it waits until then.
        until: Millis,
        /// Whether the others were told.
        told: bool,
    },
    /// A presence is over; nothing happens if the session is another by now.
    Forget {
        /// The peer.
        peer: PeerId,
        /// The place and session.
        home: Home,
    },
    /// Mail for one peer. If it has a session here that reads, it is sent at once.
    Deliver {
        /// The peer.
        to: PeerId,
        /// The mail.
        mail: Mail,
    },
    /// The same news for several peers of this node.
    Tell {
        /// The peers.
        to: Vec<PeerId>,
        /// The frame.
        frame: Frame,
    },
    /// The same news for every peer of the network at this node, but one.
    TellAll {
        /// Whom not.
        except: PeerId,
        /// The frame.
        frame: Frame,
    },
}

/// Something to be done at other nodes, all in one network. Errands to one node are done in the
/// order in which they were given.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Say that there are peers here in a network, so that nodes which have some there tell of them: see
    /// [`Interest`](pigeonhub_protocol::mesh::Interest). Nothing is said if none is here, nor was a moment
    /// ago: what waits for one follows it.
    Interest {
        /// The network.
        network: NetworkName,
        /// To this node; to every reachable one if none is named.
        to: Option<NodeId>,
        /// Whether they are to say the same.
        answer: bool,
    },
    /// Tell a node of every peer that is here in a network.
    Introduce {
        /// The node.
        to: NodeId,
        /// The network.
        network: NetworkName,
    },
    /// Tell that a peer is here to every reachable node that has peers in its network, as far as is
    /// known: see [`Node::news`](crate::Node::news).
    Announce {
        /// The presence.
        presence: Arc<Presence>,
        /// Peers at other nodes that the newcomer was told of: they are to be told of it.
        tell: Vec<(NodeId, PeerId)>,
        /// Only to keep the lease.
        refresh: bool,
    },
    /// Tell every reachable node that a peer is no longer here: also those that wanted to hear of it once.
    Withdraw {
        /// The peer.
        peer: PeerId,
        /// Its network.
        network: NetworkName,
        /// How it went.
        departure: Departure,
        /// What it said.
        data: RawJson,
    },
    /// Bring a signal to a node that takes it.
    Route(Route),
    /// Tell the sender of a signal, at its node, that it could not be delivered after all.
    Return {
        /// Where the sender is, or was, best first: the first that can be reached is told.
        nodes: Vec<NodeId>,
        /// What it is to hear.
        back: Return,
    },
}

/// A signal on its way to another node.
#[derive(Clone, Debug)]
pub struct Route {
    /// The nodes, best first: the next is asked when one does not take it.
    pub nodes: Vec<NodeId>,
    /// Whether all are to be asked at once: nobody knows where the target is.
    pub ask_all: bool,
    /// The signal.
    pub signal: Signal,
    /// How long it may still wait, if it waited before.
    pub deadline: Option<Millis>,
    /// The node that brought it, if it waited here for a target that has gone on.
    pub by: Option<NodeId>,
}

/// How a [`Errand::Route`] ended. The other errands have no outcome: what they tell is said again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A node took it.
    Routed(NodeId),
    /// Every node that was asked answered, and none took it.
    Refused(Code),
    /// None took it, and at least one did not answer.
    Unreachable,
}

/// What is to be done about an event.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Frames for the caller, before anything else that it gets.
    pub replies: Vec<Frame>,
    /// For the store, at once.
    pub changes: Vec<Change>,
    /// For other nodes, after the changes are in the store.
    pub errands: Vec<Errand>,
    /// The network that the caller is in from now on.
    pub joined: Option<NetworkName>,
    /// The caller is in no network from now on.
    pub left: bool,
    /// For another node: what became of its signal.
    pub routed: Option<Routed>,
    /// For another node: how many peers were told of its peer.
    pub told: usize,
}
