//! What holds when the air is clear again.

use std::collections::BTreeSet;

use pigeonhub_client_core::LinkState;
use pigeonhub_protocol::PeerId;

use crate::world::World;

/// What a client may weigh, as its `Debug` text.
const WEIGHT: usize = 200_000;

impl World {
    /// The pairs of which one dials the other, and that are not connected.
    pub fn apart(&self) -> Vec<String> {
        let mut apart = Vec::new();
        for (index, page) in self.pages.iter().enumerate().filter(|(_, page)| page.is_alive) {
            for peer in &page.wishes {
                let other = self.pages.iter().position(|other| other.peer == *peer).unwrap();
                let says = page.client.link_state(*peer);
                let other_says = self.pages[other].client.link_state(page.peer);
                let connected = Some(&LinkState::Connected);
                if !self.is_connected(index, *peer) || says != connected || other_says != connected {
                    apart.push(format!("{index} {says:?}, {other} {other_says:?}"));
                }
            }
        }
        apart
    }

    /// Every node names exactly those who are there, and every page knows of all others (or, where
    /// only some are told, of nobody else).
    pub fn assert_presence_is_exact(&self) {
        for network in ["room", "hall"].map(|name| name.parse().unwrap()) {
            let there = self.pages.iter().filter(|page| page.is_alive && page.network == network);
            let there: BTreeSet<PeerId> = there.map(|page| page.peer).collect();
            for hub in &self.hubs {
                let page = hub.shelf.memory.borrow().page(&network, None, usize::MAX);
                let named: BTreeSet<PeerId> = page.iter().map(|known| known.peer).collect();
                assert_eq!(named, there, "{} in {network}", hub.node.id);
            }
            let all_are_told = self.hubs[0].node.settings.discovery > self.pages.len();
            for page in self.pages.iter().filter(|page| page.is_alive && page.network == network) {
                let known: BTreeSet<PeerId> = page.client.peers().map(|view| view.peer).collect();
                let others: BTreeSet<PeerId> =
                    there.iter().filter(|peer| **peer != page.peer).copied().collect();
                assert!(known.is_subset(&others), "{} knows {known:?}", page.peer);
                assert!(known == others || !all_are_told, "{} knows {known:?} of {others:?}", page.peer);
            }
        }
    }

    pub fn assert_no_signal_is_lost(&self) {
        let open = self.ledger.open();
        assert!(open.is_empty(), "{} of {} signals are lost: {open:?}", open.len(), self.ledger.len());
    }

    pub fn assert_state_is_bounded(&self) {
        for (index, page) in self.pages.iter().enumerate() {
            let weight = format!("{:?}", page.client).len();
            assert!(weight < WEIGHT, "page {index} keeps {weight} bytes");
        }
        for hub in &self.hubs {
            let waiting: usize = hub.links.values().map(|link| link.waiting.len()).sum();
            assert_eq!(waiting, 0, "{} has parcels left", hub.node.id);
            assert!(hub.mesh.contacts().len() < self.hubs.len(), "{} knows too many nodes", hub.node.id);
            assert!(hub.sockets().count() <= self.pages.len(), "{} has too many sockets", hub.node.id);
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
