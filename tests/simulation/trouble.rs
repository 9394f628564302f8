//! What goes wrong: sockets break, nodes die and forget, nodes are cut off from each other, pages are
//! loaded again, leave or crash, paths between pages break.

use pigeonhub_client_core::Input;

use crate::hub::Hub;
use crate::wire::{Break, WireId};
use crate::world::{DAWN, Weather, World};

/// A world as its number makes it.
impl World {
    /// Nodes that know of each other as a chain, and pages that name some of them.
    pub fn populated(seed: u64) -> Self {
        let mut world = Self::new(seed);
        let nodes = world.fate.between(1, 4) as usize;
        // Mostly everybody is told of everybody, as in any network of up to 64.
        let discovery = if world.fate.percent(75) { 64 } else { 2 };
        for number in 0..nodes {
            let settings = pigeonhub_node_core::Settings { discovery, ..Default::default() };
            let bootstrap = number.checked_sub(1).map(|before| format!("ws://n{before}"));
            world.hubs.push(Hub::new(&format!("n{number}"), settings, bootstrap.into_iter().collect(), 1));
        }
        (0..nodes).for_each(|hub| world.start_hub(hub));
        world.populate_pages();
        world
    }

    fn populate_pages(&mut self) {
        let pages = self.fate.between(2, 6) as usize;
        for number in 0..pages {
            let network = if self.fate.percent(75) { "room" } else { "hall" };
            let mut nodes: Vec<String> = self.hubs.iter().map(|hub| hub.mesh.own().u.clone()).collect();
            let first = self.fate.index(nodes.len());
            nodes.rotate_left(first);
            let named = self.fate.between(1, nodes.len() as u64) as usize;
            nodes.truncate(named);
            self.pages.push(crate::page::Page::new(number, network, &nodes));
        }
        for one in 0..pages {
            for two in 0..pages {
                let same = self.pages[one].network == self.pages[two].network;
                if one != two && same && self.fate.percent(60) {
                    let peer = self.pages[two].peer;
                    self.pages[one].wishes.insert(peer);
                }
            }
            let wait = self.fate.between(0, 10_000);
            self.after(wait, move |world| world.load_page(one));
        }
    }

    /// Trouble for so long, from now; then the air clears and everybody is back.
    pub fn cause_trouble(&mut self, millis: u64) {
        let pause = self.fate.between(500, 8_000);
        self.weather = Weather {
            delay: self.fate.between(30, 400),
            repeats: self.fate.below(30),
            loss: if self.fate.percent(50) { 0 } else { self.fate.below(20) },
        };
        let until = self.now + millis;
        self.fair_since = None;
        self.trouble(until, pause);
        self.after(millis, Self::clear_up);
    }

    fn trouble(&mut self, until: u64, pause: u64) {
        if self.now >= until {
            return;
        }
        self.one_trouble(until);
        let wait = self.fate.between(1, pause);
        self.after(wait, move |world| world.trouble(until, pause));
    }

    fn one_trouble(&mut self, until: u64) {
        let how = if self.fate.percent(60) { Break::Loud } else { Break::Silent };
        let rest = until - self.now;
        let wait = self.fate.between(100, 20_000).min(rest);
        let (hub, page) = (self.fate.index(self.hubs.len()), self.fate.index(self.pages.len()));
        match self.fate.below(100) {
            0..35 => {
                let up: Vec<WireId> =
                    self.wires.iter().filter(|(_, wire)| wire.is_up).map(|(id, _)| *id).collect();
                if !up.is_empty() {
                    let wire = up[self.fate.index(up.len())];
                    self.break_wire(wire, how);
                }
            }
            35..50 => self.crash_hub(hub, how, wait),
            50..65 => {
                let other = self.fate.index(self.hubs.len());
                if hub != other {
                    let pair = (hub.min(other), hub.max(other));
                    self.cuts.insert(pair);
                    self.after(wait, move |world| {
                        world.cuts.remove(&pair);
                    });
                }
            }
            65..70 if self.pages[page].is_alive => {
                self.close_page(page);
                self.after(wait, move |world| world.come_back(page));
            }
            70..85 if self.pages[page].is_alive => {
                self.crash_page(page, how);
                let wait = if self.fate.percent(50) { 300.min(rest) } else { wait };
                self.after(wait, move |world| world.come_back(page));
            }
            85..95 => {
                if let Some(peer) = self.pages[page].rtcs.keys().next().copied() {
                    self.break_path(page, peer);
                }
            }
            _ => {
                let life = self.pages[page].life;
                self.tell(page, life, Input::Resume);
            }
        }
    }

    fn come_back(&mut self, page: usize) {
        if !self.pages[page].is_alive {
            self.load_page(page);
        }
    }

    /// A node dies and forgets everything; it is back after a while.
    pub fn crash_hub(&mut self, hub: usize, how: Break, wait: u64) {
        if !self.hubs[hub].is_up {
            return;
        }
        let sockets: Vec<WireId> =
            self.wires.iter().filter(|(_, wire)| wire.hub == hub && wire.is_up).map(|(id, _)| *id).collect();
        let old = &self.hubs[hub];
        let bootstrap = old.mesh.contacts().iter().filter(|contact| contact.configured);
        let bootstrap = bootstrap.map(|contact| contact.url.clone()).collect();
        let name = old.node.id.as_str().to_owned();
        self.hubs[hub] = Hub::new(&name, old.node.settings, bootstrap, old.life + 1);
        self.ledger.hub_died(hub);
        sockets.into_iter().for_each(|wire| self.break_wire(wire, how));
        self.after(wait, move |world| {
            if !world.hubs[hub].is_up {
                world.start_hub(hub);
            }
        });
    }

    fn clear_up(&mut self) {
        self.weather = Weather::FAIR;
        self.fair_since = Some(self.now);
        self.cuts.clear();
        for hub in 0..self.hubs.len() {
            if !self.hubs[hub].is_up {
                self.start_hub(hub);
            }
        }
        (0..self.pages.len()).for_each(|page| self.come_back(page));
    }

    /// How old the world is.
    pub const fn age(&self) -> u64 {
        self.now - DAWN
    }
}
