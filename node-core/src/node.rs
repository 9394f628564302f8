//! A node: its name, its settings, and whom it lets in.

use pigeonhub_protocol::{Close, NodeId, PeerId, limit};

/// Numbers that an operator may choose; times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many peers an announce is told to, and a newcomer is told of.
    pub discovery: usize,
    /// How long a signal waits for a peer that was here a moment ago.
    pub hold: u64,
    /// How long a presence holds unless renewed.
    pub lease: u64,
    /// How many sockets (or streams) may be open.
    pub connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { discovery: limit::DISCOVERY, hold: limit::HOLD, lease: limit::LEASE, connections: 100_000 }
    }
}

/// A node. It holds nothing that changes.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub id: NodeId,
    /// Its settings.
    pub settings: Settings,
}

/// Whether a peer may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Welcome(PeerId),
    /// The id has a socket already: find out whether that one still answers. If not, it is closed
    /// and the newcomer is welcome; if it does, the newcomer is closed with
    /// [`Close::ALREADY_CONNECTED`].
    Probe(PeerId),
    /// It may not: the socket is closed with this, after the upgrade (browsers hear nothing else).
    Refuse(Close),
}

impl Node {
    /// Decides on a new socket: the `peerId` of its URL, whether that peer has one already, and how
    /// many there are.
    #[must_use]
    pub fn admit(
        &self,
        peer: Option<&str>,
        is_connected: impl Fn(&PeerId) -> bool,
        open: usize,
    ) -> Admission {
        match peer.unwrap_or_default().parse::<PeerId>() {
            Err(_) => Admission::Refuse(Close::INVALID_PEER_ID),
            Ok(peer) if is_connected(&peer) => Admission::Probe(peer),
            Ok(_) if open >= self.settings.connections => Admission::Refuse(Close::FULL),
            Ok(peer) => Admission::Welcome(peer),
        }
    }
}
