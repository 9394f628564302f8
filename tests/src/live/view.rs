//! What an app knows by what its client told it.

use std::collections::{HashMap, HashSet};

use pigeonhub_client_core::{Event, LinkState, NodeState};
use pigeonhub_protocol::{NodeId, PeerId};

/// Nodes, peers and links, as they were told last.
#[derive(Debug, Default)]
pub struct View {
    nodes: HashMap<String, NodeState>,
    known: HashMap<PeerId, NodeId>,
    links: HashMap<PeerId, LinkState>,
    /// Peers whose link has changed since it was looked at.
    changed: HashSet<PeerId>,
}

impl View {
    /// The client tells something.
    pub fn hear(&mut self, event: Event) {
        match event {
            Event::Node(view) => drop(self.nodes.insert(view.url.0, view.state)),
            Event::Peer(view) => drop(self.known.insert(view.peer, view.node)),
            Event::PeerGone(peer) => drop(self.known.remove(&peer)),
            Event::Link { peer, state } => {
                self.changed.insert(peer);
                self.links.insert(peer, state);
            }
            Event::Ready | Event::Incoming(_) | Event::Path { .. } | Event::Refused(_) => {}
        }
    }

    /// Whether there is a session with the node at this URL.
    #[must_use]
    pub fn is_on(&self, url: &str) -> bool {
        self.nodes.get(url) == Some(&NodeState::Open)
    }

    /// How many sessions there are.
    #[must_use]
    pub fn open_nodes(&self) -> usize {
        self.nodes.values().filter(|state| **state == NodeState::Open).count()
    }

    /// The node at which a peer is; none if it is not known.
    #[must_use]
    pub fn whereabouts(&self, peer: PeerId) -> Option<&NodeId> {
        self.known.get(&peer)
    }

    /// Whether a call with this peer stands.
    #[must_use]
    pub fn is_connected(&self, peer: PeerId) -> bool {
        self.links.get(&peer) == Some(&LinkState::Connected)
    }

    /// How the call with this peer ended, if it did.
    #[must_use]
    pub fn is_over(&self, peer: PeerId) -> bool {
        matches!(self.links.get(&peer), Some(LinkState::Closed | LinkState::Failed(_)))
    }

    /// Whether anything was told of the call with this peer since this was asked last.
    pub fn take_change(&mut self, peer: PeerId) -> bool {
        self.changed.remove(&peer)
    }
}
