//! The book of signals: each that a node took ends at its target, or as an error at its sender, or
//! there is an excuse that no node could help.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::WireId;

/// The signals, by the id that their sender gave them.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// How often nodes took it, and by which sockets of its sender.
    taken: usize,
    by: BTreeSet<WireId>,
    /// Nodes that had it in their hands.
    hands: BTreeSet<usize>,
    /// How often its target got it, or its sender an error.
    ended: usize,
    /// How often it was lost with a socket or a request that was under way.
    lost: usize,
    /// Its sender, or a node that had it, is gone.
    excused: bool,
}

impl Entry {
    const fn is_open(&self) -> bool {
        !self.excused && self.ended + self.lost < self.taken
    }
}

impl Ledger {
    /// A node took it from its sender.
    pub fn taken(&mut self, id: &str, by: WireId, hub: usize) {
        let entry = self.entries.entry(id.into()).or_default();
        entry.taken += 1;
        entry.by.insert(by);
        entry.hands.insert(hub);
    }

    /// Another node has it now.
    pub fn passed(&mut self, id: &str, hub: usize) {
        self.entries.entry(id.into()).or_default().hands.insert(hub);
    }

    /// Its target got it, or its sender heard why not.
    pub fn ended(&mut self, id: &str) {
        self.entries.entry(id.into()).or_default().ended += 1;
    }

    /// It (or the error) was under way when the way broke.
    pub fn lost(&mut self, id: &str) {
        self.entries.entry(id.into()).or_default().lost += 1;
    }

    /// The sender's socket is gone: whatever is open can end nowhere.
    pub fn sender_left(&mut self, by: WireId) {
        self.excuse(|entry| entry.by.contains(&by));
    }

    /// A node lost its memory.
    pub fn hub_died(&mut self, hub: usize) {
        self.excuse(|entry| entry.hands.contains(&hub));
    }

    fn excuse(&mut self, concerns: impl Fn(&Entry) -> bool) {
        self.entries
            .values_mut()
            .filter(|entry| entry.is_open() && concerns(entry))
            .for_each(|entry| entry.excused = true);
    }

    /// Signals of which nobody ever heard again.
    pub fn open(&self) -> Vec<&str> {
        self.entries.iter().filter(|(_, entry)| entry.is_open()).map(|(id, _)| id.as_str()).collect()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
