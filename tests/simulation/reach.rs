//! Who can reach whom: by a node of both, by nodes that reach each other, or by one that reaches both.

use std::collections::BTreeSet;

use pigeonhub_protocol::{NetworkName, PeerId};

use crate::world::World;

impl World {
    /// The nodes that a page is on.
    fn homes(&self, page: usize) -> BTreeSet<usize> {
        let wires = self.pages[page].wires.values().map(|wire| &self.wires[wire]);
        wires.filter(|wire| wire.is_up && wire.rhythm.is_some()).map(|wire| wire.hub).collect()
    }

    fn is_linked(&self, one: usize, two: usize) -> bool {
        one == two || !(self.is_cut(one, two) || self.is_cut(two, one))
    }

    fn is_path(&self, one: usize, two: usize) -> bool {
        // Nodes pass signals on for each other where the direct way is cut.
        self.is_linked(one, two)
            || (0..self.hubs.len()).any(|relay| self.is_linked(one, relay) && self.is_linked(relay, two))
    }

    /// Whether a node of the one leads to a node of the other.
    pub fn can_reach(&self, one: usize, two: usize) -> bool {
        let (ones, twos) = (self.homes(one), self.homes(two));
        ones.iter().any(|one| twos.iter().any(|two| self.is_path(*one, *two)))
    }

    /// The peers of a network of which a node can know.
    pub fn known_to(&self, hub: usize, network: &NetworkName) -> BTreeSet<PeerId> {
        let is_known = |page: &usize| {
            let there = self.pages[*page].is_alive && self.pages[*page].network == *network;
            there && self.homes(*page).iter().any(|home| self.is_path(hub, *home))
        };
        (0..self.pages.len()).filter(is_known).map(|page| self.pages[page].peer).collect()
    }

    /// The peers of which a page can know.
    pub fn known_by(&self, page: usize) -> BTreeSet<PeerId> {
        let network = &self.pages[page].network;
        let mut known: BTreeSet<PeerId> =
            self.homes(page).into_iter().flat_map(|hub| self.known_to(hub, network)).collect();
        known.remove(&self.pages[page].peer);
        known
    }
}
