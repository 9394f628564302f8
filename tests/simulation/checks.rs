//! What holds when the air is clear again.

use std::collections::BTreeSet;

use pigeonhub_client_core::LinkState;
use pigeonhub_protocol::PeerId;

use crate::birth::NETWORKS;
use crate::world::World;

/// What a client may weigh, as its `Debug` text: with some peers, and for each peer more.
const WEIGHT: usize = 200_000;
const WEIGHT_OF_PEER: usize = 1_000;

impl World {
    /// The pairs of which one dials the other, who can reach each other, and that are not connected.
    pub fn apart(&self) -> Vec<String> {
        let mut apart = Vec::new();
        for (index, page) in self.pages.iter().enumerate().filter(|(_, page)| page.is_alive) {
            for peer in &page.wishes {
                let other = self.page_of[peer];
                let says = page.client.link_state(*peer);
                let other_says = self.pages[other].client.link_state(page.peer);
                let connected = Some(&LinkState::Connected);
                let is_apart =
                    !self.is_connected(index, *peer) || says != connected || other_says != connected;
                if is_apart && (self.is_whole() || self.can_reach(index, other)) {
                    apart.push(format!("{index} {says:?}, {other} {other_says:?}"));
                }
            }
        }
        apart
    }

    /// Whether every page can reach every other one, so that not even being on no node is an excuse.
    fn is_whole(&self) -> bool {
        self.scars.is_empty() && self.cuts.is_empty() && self.hubs.iter().all(|hub| hub.is_up)
    }

    /// Every node that has peers in a network names exactly those who are there, and the others name
    /// nobody else; and every page knows of all others (or, where only some are told, of nobody else).
    pub fn assert_presence_is_exact(&self) {
        for (network, _) in NETWORKS {
            let network = network.parse().unwrap();
            for (index, hub) in self.hubs.iter().enumerate() {
                let page = hub.shelf.memory.borrow().page(&network, None, usize::MAX);
                let named: BTreeSet<PeerId> = page.iter().map(|known| known.peer).collect();
                let there = self.known_to(index, &network);
                assert!(
                    named.is_subset(&there),
                    "{} knows {named:?} in {network}, not {there:?}",
                    hub.node.id
                );
                let has_peers = page.iter().any(|known| known.home.is_here());
                assert!(named == there || !has_peers, "{} has {named:?} of {there:?}", hub.node.id);
            }
        }
        for (index, page) in self.pages.iter().enumerate().filter(|(_, page)| page.is_alive) {
            let known: BTreeSet<PeerId> = page.client.peers().map(|view| view.peer).collect();
            let others = self.known_by(index);
            assert!(known.is_subset(&others), "page {index} knows {known:?}, not {others:?}");
            let all_are_told = others.len() < self.hubs[0].node.settings.discovery;
            assert!(known == others || !all_are_told, "page {index} knows {known:?} of {others:?}");
            let away = page.client.peers().filter(|view| view.is_away && all_are_told).count();
            assert_eq!(away, 0, "page {index} thinks that somebody is away");
        }
    }

    pub fn assert_no_signal_is_lost(&self) {
        let open = self.ledger.open();
        assert!(open.is_empty(), "{} of {} signals are lost: {open:?}", open.len(), self.ledger.len());
    }

    pub fn assert_state_is_bounded(&self) {
        for (index, page) in self.pages.iter().enumerate() {
            let weight = format!("{:?}", page.client).len();
            let most = WEIGHT + WEIGHT_OF_PEER * self.pages.len();
            assert!(weight < most, "page {index} keeps {weight} bytes");
        }
        for hub in &self.hubs {
            let waiting = hub.links.values().map(|link| link.waiting.len()).max().unwrap_or_default();
            assert!(waiting <= self.pages.len(), "{} has {waiting} parcels left", hub.node.id);
            assert!(hub.mesh.contacts().len() < self.hubs.len(), "{} knows too many nodes", hub.node.id);
            assert!(hub.sockets().count() <= self.pages.len(), "{} has too many sockets", hub.node.id);
            let (networks, _, peers) = hub.shelf.memory.borrow().count();
            assert!(
                networks <= NETWORKS.len() && peers <= self.pages.len(),
                "{} keeps too many",
                hub.node.id
            );
        }
    }

    /// Everybody is gone and their time is over.
    pub fn assert_nothing_is_kept(&self) {
        for hub in &self.hubs {
            assert_eq!(hub.shelf.memory.borrow().count(), (0, 0, 0), "{} remembers", hub.node.id);
            assert_eq!(hub.sockets().count(), 0, "{} has sockets", hub.node.id);
        }
    }
}
