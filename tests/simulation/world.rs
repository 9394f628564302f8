//! A world: virtual time, what happens when, and all that it happens to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use pigeonhub_protocol::{PeerId, Refusal, limit};

use crate::fate::Fate;
use crate::hub::Hub;
use crate::ledger::Ledger;
use crate::page::Page;
use crate::wire::{Wire, WireId};

/// When a world begins; clocks never show less.
pub const DAWN: u64 = 1_000_000_000;
/// A socket that broke is noticed within this time, and a node that died.
const SILENCE: u64 = 75_000;
/// More than this does not happen unless something goes round in circles.
const MOST: u64 = 30_000_000;

pub type Happening = Box<dyn FnOnce(&mut World)>;

/// How bad the air is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Every way takes at least 5 ms and at most this.
    pub delay: u64,
    /// Percent of requests between nodes that arrive twice.
    pub repeats: u64,
    /// Percent of requests between nodes, and of answers, that do not arrive.
    pub loss: u64,
}

impl Weather {
    pub const FAIR: Self = Self { delay: 30, repeats: 0, loss: 0 };
}

/// Nodes, pages, and the wires between them.
pub struct World {
    pub now: u64,
    pub fate: Fate,
    pub weather: Weather,
    /// Since when nothing goes wrong; none while something may.
    pub fair_since: Option<u64>,
    /// Nodes.
    pub hubs: Vec<Hub>,
    /// Clients.
    pub pages: Vec<Page>,
    /// Sockets between them.
    pub wires: BTreeMap<WireId, Wire>,
    /// Whose page is which.
    pub page_of: HashMap<PeerId, usize>,
    /// From which node nothing gets to which other one.
    pub cuts: BTreeSet<(usize, usize)>,
    /// Cuts that are never mended.
    pub scars: BTreeSet<(usize, usize)>,
    /// Which page cannot reach which node.
    pub blocks: BTreeSet<(usize, usize)>,
    /// What pages heard of signals that could not be delivered.
    pub refusals: Vec<Refusal>,
    /// Whether a page said that it is away.
    pub has_frozen: bool,
    pub ledger: Ledger,
    happenings: BTreeMap<(u64, u64), Happening>,
    order: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World({} ms old)", self.now - DAWN)
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: DAWN,
            fate: Fate::new(seed),
            weather: Weather::FAIR,
            fair_since: Some(DAWN),
            hubs: Vec::new(),
            pages: Vec::new(),
            wires: BTreeMap::new(),
            page_of: HashMap::new(),
            cuts: BTreeSet::new(),
            scars: BTreeSet::new(),
            blocks: BTreeSet::new(),
            refusals: Vec::new(),
            has_frozen: false,
            ledger: Ledger::default(),
            happenings: BTreeMap::new(),
            order: 0,
        }
    }

    /// Something will happen, so many milliseconds from now.
    pub fn after(&mut self, wait: u64, happening: impl FnOnce(&mut Self) + 'static) {
        self.order += 1;
        assert!(self.order < MOST, "the world does not come to rest");
        self.happenings.insert((self.now + wait, self.order), Box::new(happening));
    }

    /// Runs until so long after the beginning.
    pub fn run_until(&mut self, millis: u64) {
        let until = DAWN + millis;
        while let Some(next) = self.happenings.first_entry().filter(|next| next.key().0 <= until) {
            let ((at, _), happening) = next.remove_entry();
            self.now = at;
            happening(self);
        }
        self.now = until;
    }

    /// How long a way takes.
    pub const fn delay(&mut self) -> u64 {
        self.fate.between(5, self.weather.delay)
    }

    /// Whether nothing gets from one node to another.
    pub fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.contains(&(from, to)) || self.scars.contains(&(from, to))
    }

    /// Runs for so long.
    pub fn pass(&mut self, millis: u64) {
        self.run_until(self.age() + millis);
    }

    /// Runs until all who can reach each other are connected, which must not take longer than this.
    pub fn assert_all_connect_within(&mut self, millis: u64) {
        let end = self.age() + millis;
        while !self.apart().is_empty() {
            assert!(self.age() < end, "{:?}", self.apart());
            self.pass(1_000);
        }
    }

    /// How long nodes remember those who left.
    pub fn memory(&self) -> u64 {
        let settings = self.hubs[0].node.settings;
        let away = if self.has_frozen { limit::AWAY } else { 0 };
        settings.lease.max(away) + settings.hold + SILENCE
    }

    /// How old the world is.
    pub const fn age(&self) -> u64 {
        self.now - DAWN
    }
}
