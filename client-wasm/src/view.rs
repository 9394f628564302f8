//! Who is there and which nodes there are, as the client's events tell it.

use std::collections::BTreeMap;

use pigeonhub_client_core::{Event, NodeState, NodeUrl, NodeView, PeerView};
use pigeonhub_protocol::PeerId;

/// The state of things.
#[derive(Default)]
pub(crate) struct View {
    peers: BTreeMap<PeerId, PeerView>,
    nodes: Vec<NodeView>,
}

impl View {
    pub(crate) fn new(nodes: &[NodeUrl]) -> Self {
        let mut view = Self::default();
        nodes.iter().for_each(|url| view.add_node(url));
        view
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &PeerView> {
        self.peers.values()
    }

    pub(crate) fn nodes(&self) -> &[NodeView] {
        &self.nodes
    }

    /// Takes an event in.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Peer(peer) => drop(self.peers.insert(peer.peer, peer.clone())),
            Event::PeerGone(peer) => drop(self.peers.remove(peer)),
            Event::Node(news) => {
                // News of a node that was removed is no news.
                if let Some(node) = self.nodes.iter_mut().find(|node| node.url == news.url) {
                    node.clone_from(news);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn add_node(&mut self, url: &NodeUrl) {
        if self.nodes.iter().all(|node| node.url != *url) {
            self.nodes.push(NodeView { url: url.clone(), node: None, state: NodeState::Idle });
        }
    }

    pub(crate) fn remove_node(&mut self, url: &NodeUrl) {
        self.nodes.retain(|node| node.url != *url);
    }
}
