//! What goes wrong: sockets break, nodes die and forget or are restarted in an orderly way, pause or are slow, clocks are set, nodes and
//! pages are cut off, pages freeze, are loaded again, leave or crash, paths between pages break.

use pigeonhub_client_core::Input;

use crate::FEW;
use crate::hub::Hub;
use crate::wire::{Break, WireId};
use crate::world::{Weather, World};

impl World {
    /// Trouble for so long, from now; then the air clears and everybody is back.
    pub fn cause_trouble(&mut self, millis: u64) {
        // In a large world more happens.
        let crowd = (self.hubs.len() + self.pages.len()) as u64;
        let pause = (self.fate.between(500, 8_000) * 16 / crowd.max(16)).max(20);
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
        let chance = if self.pages.len() <= FEW { 45 } else { 8 };
        if self.fate.percent(chance) {
            self.trouble_at_hub(hub, how, wait);
        } else {
            self.trouble_at_page(page, how, wait, rest);
        }
    }

    fn trouble_at_hub(&mut self, hub: usize, how: Break, wait: u64) {
        let (other, two_ways) = (self.fate.index(self.hubs.len()), self.fate.percent(60));
        match self.fate.below(100) {
            0..15 => self.crash_hub(hub, how, wait),
            15..30 => self.drain_hub(hub, wait),
            30..60 if hub != other => {
                self.cuts.insert((hub, other));
                if two_ways {
                    self.cuts.insert((other, hub));
                }
                self.after(wait, move |world| {
                    world.cuts.remove(&(hub, other));
                    world.cuts.remove(&(other, hub));
                });
            }
            60..80 => self.pause_hub(hub, wait),
            80..90 => self.hubs[hub].desk.slowness = self.fate.between(1, 8),
            // Its host's clock never goes back, but it may jump, or stand while the machine sleeps.
            90..95 => self.hubs[hub].clock += self.error().abs(),
            _ => {
                self.pause_hub(hub, wait);
                self.hubs[hub].clock -= wait.cast_signed();
            }
        }
    }

    fn trouble_at_page(&mut self, page: usize, how: Break, wait: u64, rest: u64) {
        let is_alive = self.pages[page].is_alive;
        match self.fate.below(100) {
            0..35 => self.break_one_of(page, how),
            35..40 => self.pages[page].clock = self.error(),
            40..50 => {
                let hub = self.pages[page].hubs[self.fate.index(self.pages[page].hubs.len())];
                self.blocks.insert((page, hub));
                self.break_wires(Break::Silent, |wire| wire == (page, hub));
                self.after(wait, move |world| {
                    world.blocks.remove(&(page, hub));
                });
            }
            50..60 if is_alive => {
                let (is_told, is_cut) = (self.fate.percent(60), self.fate.percent(50));
                let is_told = is_told && self.pages.len() <= FEW;
                self.freeze_page(page, is_told);
                if is_cut {
                    self.after(1_000.min(wait), move |world| world.break_one_of(page, Break::Silent));
                }
                self.after(wait, move |world| world.thaw_page(page));
            }
            60..66 if is_alive => {
                self.close_page(page);
                self.after(wait, move |world| world.come_back(page));
            }
            66..80 if is_alive => {
                self.crash_page(page, how);
                let wait = if self.fate.percent(50) { 300.min(rest) } else { wait };
                self.after(wait, move |world| world.come_back(page));
            }
            80..92 => {
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

    fn break_one_of(&mut self, page: usize, how: Break) {
        let wires: Vec<WireId> = self.pages[page].wires.values().copied().collect();
        if !wires.is_empty() {
            let wire = wires[self.fate.index(wires.len())];
            self.break_wire(wire, how);
        }
    }

    /// Breaks the sockets between those pages and nodes.
    fn break_wires(&mut self, how: Break, concerns: impl Fn((usize, usize)) -> bool) {
        let up = self.wires.iter().filter(|(_, wire)| wire.is_up && concerns((wire.page, wire.hub)));
        let up: Vec<WireId> = up.map(|(id, _)| *id).collect();
        up.into_iter().for_each(|wire| self.break_wire(wire, how));
    }

    pub fn come_back(&mut self, page: usize) {
        if !self.pages[page].is_alive {
            self.load_page(page);
        }
    }

    /// A node dies and forgets everything; it is back after a while.
    pub fn crash_hub(&mut self, hub: usize, how: Break, wait: u64) {
        if self.hubs[hub].is_up {
            self.ledger.hub_died(hub);
            self.restart_hub(hub, how, wait);
        }
    }

    /// The same of a node that may have taken leave.
    pub fn restart_hub(&mut self, hub: usize, how: Break, wait: u64) {
        let old = &self.hubs[hub];
        let bootstrap = old.mesh.contacts().iter().filter(|contact| contact.configured);
        let bootstrap = bootstrap.map(|contact| contact.url.clone()).collect();
        let (name, clock) = (old.node.id.as_str().to_owned(), old.clock);
        self.hubs[hub] = Hub::new(&name, old.node.settings, bootstrap, old.life + 1);
        self.hubs[hub].clock = clock;
        self.break_wires(how, |(_, to)| to == hub);
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
        self.blocks.clear();
        for hub in 0..self.hubs.len() {
            // It may have been made slow while it was down.
            self.cure_hub(hub);
            if self.hubs[hub].is_draining {
                self.crash_hub(hub, Break::Loud, 0);
            }
            if !self.hubs[hub].is_up {
                self.start_hub(hub);
            }
        }
        for page in 0..self.pages.len() {
            self.thaw_page(page);
            self.come_back(page);
        }
    }
}
