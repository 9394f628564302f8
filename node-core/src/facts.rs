//! What a decision rests on: asked for by [`Needs`], answered by [`Facts`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId};
use smallvec::SmallVec;

use crate::{Mail, Presence};

/// A list that is hardly ever longer than two: each signal asks for two peers, and a peer is at one
/// node or two. So far it needs no allocation.
pub type Few<T> = SmallVec<[T; 2]>;

/// Which facts an event needs, all of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The network.
    pub network: NetworkName,
    /// Peers to be looked up: their homes and the state of their mailbox.
    pub targets: Few<PeerId>,
    /// Some live peers of the network.
    pub sample: Option<Sample>,
    /// Signals that wait here for this peer, to be sent after it.
    pub waiting_for: Option<PeerId>,
    /// Whether other live peers than the first target are here.
    pub others: bool,
    /// Whether this node is known to have peers in the network.
    pub node: Option<NodeId>,
    /// What is over at this time: presences and waiting signals.
    pub over_at: Option<Millis>,
    /// The nodes of the mesh that can be reached: wherever a target may be that is known nowhere. A
    /// store may spare itself the list if all are known.
    pub nodes: bool,
}

/// A choice of live peers: half nearest to one, half by dice; all of them if there are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Near this peer (by XOR distance), and never this peer itself.
    pub near: PeerId,
    /// At most so many.
    pub most: usize,
    /// Only peers of this node.
    pub here_only: bool,
    /// The dice.
    pub seed: u64,
}

/// What is known of one peer in the network.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Its homes: at most one here, and one for each other node.
    pub homes: Few<Arc<Presence>>,
    /// Its mailbox here takes no more.
    pub full: bool,
    /// Something waits in its mailbox here: what comes later goes behind it.
    pub waits: bool,
}

impl Target {
    /// Its presence at this node.
    #[must_use]
    pub fn here(&self) -> Option<&Arc<Presence>> {
        self.homes.iter().find(|presence| presence.home.is_here())
    }

    /// Whether it can be reached anywhere but at `home`.
    #[must_use]
    pub fn is_live_besides(&self, home: &crate::Home) -> bool {
        self.homes.iter().any(|other| other.is_live() && !other.home.same_place(home))
    }
}

/// The answers, a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// For each of the targets asked for, in that order.
    pub targets: Few<Target>,
    /// The sample.
    pub sample: Vec<Arc<Presence>>,
    /// Whether the sample is everyone.
    pub sample_is_all: bool,
    /// Whether other live peers than the first target are here.
    pub has_others: bool,
    /// Whether [`Needs::node`] is known to have peers in the network, or to have had some a moment ago.
    pub knows_node: bool,
    /// The signals that waited for [`Needs::waiting_for`], unless it has a live session here. The
    /// store has taken them out: whoever loads them takes care of them. So too with the next two.
    pub waiting: Vec<Mail>,
    /// Signals that nobody read in time, each with what is known of its sender.
    pub overdue: Vec<(Mail, Target)>,
    /// Signals that wait here for a peer that is live at another node, with what is known of it.
    pub stranded: Vec<(Mail, Target)>,
    /// Presences whose time is over, each with its peer's other homes.
    pub over: Vec<(Arc<Presence>, Target)>,
    /// Nodes that can be reached.
    pub nodes: Arc<[NodeId]>,
}
