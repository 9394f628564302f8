//! Watching a topic: what is different from the last look.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::Record;

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A record that is new, or has changed.
    Record(Record),
    /// The id of a record that is not found any more: deleted, or its time is over.
    Gone(String),
}

/// What a watcher was told: the version of each record, by id.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: BTreeMap<String, String>,
}

impl Watch {
    /// What is to be told, now that these are found.
    pub fn look(&mut self, found: Vec<Record>) -> Vec<Seen> {
        let now: BTreeMap<_, _> = found.iter().map(|record| (record.id(), record.version())).collect();
        let gone = self.known.keys().filter(|id| !now.contains_key(*id)).cloned().map(Seen::Gone);
        let mut seen: Vec<Seen> = gone.collect();
        let is_news = |record: &Record| self.known.get(&record.id()) != Some(&record.version());
        // Oldest first: as they came.
        seen.extend(found.into_iter().rev().filter(is_news).map(Seen::Record));
        self.known = now;
        seen
    }
}
