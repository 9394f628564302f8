//! The book of signals: each that a node took ends at its target, or as an error at its sender, or
//! there is an excuse that no node could help.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::WireId;

/// How long it takes until every node knows where everybody is, and where nobody is any more.
const SETTLED: u64 = 75_000;

/// The signals, by the id that their sender gave them.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<String, Entry>,
    /// Those that may not have ended: there are many of which nobody needs to think again.
    open: BTreeSet<String>,
    /// For each pair of sockets, of sender and target, the signal that arrived last.
    last: BTreeMap<(WireId, WireId), usize>,
    /// How many signals there were.
    count: usize,
}

#[derive(Debug, Default)]
struct Entry {
    /// Its place among all signals, and when it was taken first.
    place: usize,
    at: u64,
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
    pub fn taken(&mut self, id: &str, by: WireId, hub: usize, now: u64) {
        self.count += 1;
        let new = || Entry { place: self.count, at: now, ..Entry::default() };
        let entry = self.entries.entry(id.into()).or_insert_with(new);
        entry.taken += 1;
        entry.by.insert(by);
        entry.hands.insert(hub);
        self.open.insert(id.into());
    }

    /// Another node has it now.
    pub fn passed(&mut self, id: &str, hub: usize) {
        self.entries.entry(id.into()).or_default().hands.insert(hub);
    }

    /// Its target got it, or its sender heard why not.
    pub fn ended(&mut self, id: &str) {
        self.entries.entry(id.into()).or_default().ended += 1;
    }

    /// Whether it arrives in order on the target's socket `at`, when that is there and nothing goes
    /// wrong since `since`. What was said more than once has no order, nor what was sent while nodes
    /// came and went.
    pub fn arrives(&mut self, id: &str, at: WireId, since: u64) -> bool {
        let judged = |entry: &&Entry| entry.taken == 1 && entry.ended == 0 && entry.at > since + SETTLED;
        let Some(entry) = self.entries.get(id).filter(judged) else { return true };
        let by = entry.by.first().copied().unwrap_or_default();
        let last = self.last.entry((by, at)).or_default();
        let in_order = *last < entry.place;
        *last = entry.place.max(*last);
        in_order
    }

    /// It (or the error) was under way when the way broke.
    pub fn lost(&mut self, id: &str) {
        self.entries.entry(id.into()).or_default().lost += 1;
    }

    /// A node took it that has yet to hear of its sender, and so could not tell it of a failure.
    pub fn taken_blindly(&mut self, id: &str) {
        self.entries.entry(id.into()).or_default().excused = true;
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
        let Self { entries, open, .. } = self;
        open.retain(|id| {
            let Some(entry) = entries.get_mut(id) else { return false };
            entry.excused |= concerns(entry);
            entry.is_open()
        });
    }

    /// Signals of which nobody ever heard again.
    pub fn open(&self) -> Vec<&str> {
        self.entries.iter().filter(|(_, entry)| entry.is_open()).map(|(id, _)| id.as_str()).collect()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
