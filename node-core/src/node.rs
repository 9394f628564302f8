//! A node: its name, its settings, and whom it lets in.

use pigeonhub_protocol::{Close, Millis, NodeId, PeerId, Ticket, limit};

use crate::ticket::{self, TicketKey};
use crate::{Absence, SessionId};

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
    /// Whether announces and signals without a proof are refused.
    pub require_proof: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            discovery: limit::DISCOVERY,
            hold: limit::HOLD,
            lease: limit::LEASE,
            connections: 100_000,
            require_proof: false,
        }
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

/// What a new socket says in its URL.
#[derive(Clone, Debug, Default)]
pub struct Knock {
    /// `peerId`, if it is one.
    pub peer: Option<PeerId>,
    /// Whether there is a `resume`: then the greeting brings a ticket for the next socket.
    pub wants_ticket: bool,
    /// `resume`: the ticket of the peer's last socket.
    pub ticket: Option<Ticket>,
}

impl Knock {
    /// Reads the query of the URL. What needs percent-decoding is neither a peer id nor a ticket.
    #[must_use]
    pub fn read(query: &str) -> Self {
        let field = |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        Self {
            peer: field("peerId").and_then(|id| id.parse().ok()),
            wants_ticket: field("resume").is_some(),
            ticket: field("resume").and_then(|ticket| ticket.parse().ok()),
        }
    }
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
    /// It holds the ticket of the session that has the id: that one is closed with
    /// [`Close::TAKEN_OVER`], whether it lives or not, and the newcomer is welcome.
    TakeOver(PeerId),
    /// It may not: the socket is closed with this, after the upgrade (browsers hear nothing else).
    Refuse(Close),
}

impl Node {
    /// Until when a peer is kept in mind that goes now.
    #[must_use]
    pub const fn absence(&self, now: Millis) -> Absence {
        Absence { usual: now.plus(self.settings.hold), said: now.plus(limit::AWAY) }
    }

    /// Decides on a new socket: what its URL says, the session that this peer has already, and how
    /// many sockets there are.
    #[must_use]
    pub fn admit(
        &self,
        knock: &Knock,
        session_of: impl Fn(&PeerId) -> Option<SessionId>,
        open: usize,
        key: &TicketKey,
    ) -> Admission {
        let Some(peer) = knock.peer else { return Admission::Refuse(Close::INVALID_PEER_ID) };
        let is_its = |ticket: &Ticket, session| ticket::is_of_socket(ticket, &peer, session, key);
        match session_of(&peer) {
            Some(session) if knock.ticket.as_ref().is_some_and(|ticket| is_its(ticket, session)) => {
                Admission::TakeOver(peer)
            }
            Some(_) => Admission::Probe(peer),
            None if open >= self.settings.connections => Admission::Refuse(Close::FULL),
            None => Admission::Welcome(peer),
        }
    }
}
