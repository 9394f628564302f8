//! A world as its number makes it: how large it is, who names which nodes, who dials whom.

use pigeonhub_node_core::Settings;

use crate::FEW;
use crate::hub::Hub;
use crate::page::Page;
use crate::world::World;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub nodes: usize,
    pub pages: usize,
}

/// Networks, and how likely each is, in percent of what is left.
pub const NETWORKS: [(&str, u64); 3] = [("room", 75), ("hall", 80), ("attic", 100)];
/// Nodes that a page names at most.
const NAMED: u64 = 5;
/// Pages that a page dials at most, where there are many.
const WISHES: u64 = 3;

impl World {
    /// 3 to 30 nodes and 10 to 400 pages, mostly few: many small worlds find more than a few large ones.
    pub fn size(&mut self) -> Size {
        let (few, many) = match self.fate.below(1_000) {
            0..780 => ((3, 5), (10, 14)),
            780..950 => ((3, 8), (15, 30)),
            950..995 => ((5, 12), (31, 90)),
            995..999 => ((8, 20), (91, 200)),
            _ => ((15, 30), (200, 400)),
        };
        let nodes = self.fate.between(few.0, few.1) as usize;
        Size { nodes, pages: self.fate.between(many.0, many.1) as usize }
    }

    /// Nodes that know of each other as a chain, and pages that name some of them.
    pub fn populated(seed: u64, size: Option<Size>) -> Self {
        let mut world = Self::new(seed);
        let by_dice = world.size();
        let Size { nodes, pages } = size.unwrap_or(by_dice);
        let settings = Settings {
            // Mostly everybody is told of everybody, as in any network of up to 64.
            discovery: if world.fate.percent(75) { 64 } else { 2 },
            // Short leases are over sooner, but cost more.
            lease: if pages > FEW || world.fate.percent(10) {
                90_000
            } else {
                world.fate.between(20_000, 45_000)
            },
            ..Settings::default()
        };
        for number in 0..nodes {
            let bootstrap = number.checked_sub(1).map(|before| format!("ws://n{before}"));
            world.hubs.push(Hub::new(&format!("n{number}"), settings, bootstrap.into_iter().collect(), 1));
            // No two clocks show the same.
            world.hubs[number].clock = world.error();
        }
        // Two nodes that never reach each other, though there are some that reach both. Neighbours in
        // the chain are none: nobody would tell the others of them.
        if world.fate.percent(15) {
            let (one, two) = (world.fate.index(nodes), world.fate.index(nodes));
            if one.abs_diff(two) > 1 {
                world.scars.extend([(one, two), (two, one)]);
            }
        }
        (0..nodes).for_each(|hub| world.start_hub(hub));
        world.populate_pages(nodes, pages);
        world
    }

    /// How far a clock may be off: up to three hours.
    pub fn error(&mut self) -> i64 {
        self.fate.between(0, 20_000_000).cast_signed() - 10_000_000
    }

    fn populate_pages(&mut self, nodes: usize, pages: usize) {
        for number in 0..pages {
            let network = NETWORKS.iter().find(|(_, chance)| self.fate.percent(*chance)).unwrap().0;
            let (first, step) = (self.fate.index(nodes), self.fate.between(0, 1) as usize);
            let named = self.fate.between(1, NAMED.min(nodes as u64)) as usize;
            let hubs = (0..named).map(|number| (first + number * (1 + step * (nodes - 2))) % nodes).collect();
            let mut page = Page::new(number, network, hubs);
            page.clock = self.error();
            self.page_of.insert(page.peer, number);
            self.pages.push(page);
        }
        for one in 0..pages {
            let network = &self.pages[one].network;
            let others = (0..pages).filter(|two| *two != one && self.pages[*two].network == *network);
            let others: Vec<usize> = others.collect();
            let most = if pages > 14 { self.fate.below(WISHES + 1) } else { 14 };
            for _ in 0..most.min(others.len() as u64) {
                if self.fate.percent(30) {
                    let peer = self.pages[others[self.fate.index(others.len())]].peer;
                    self.pages[one].wishes.insert(peer);
                }
            }
            let wait = self.fate.between(0, 10_000);
            self.after(wait, move |world| world.come_back(one));
        }
    }
}
