//! What is counted over all requests, in the database, and `GET /metrics`.

use pigeonhub_bootstrap::{Refusal, Source};
use pigeonhub_node_core::rest::Figures;

use crate::host::{Host, StoreError};

/// Under what it is kept how many nodes were found.
const FOUND: &str = "count bootstrap_found";

/// The same for what was not used, by the reason's code.
fn refused(code: &str) -> String {
    format!("count bootstrap_refused {code}")
}

/// What became of what one look for nodes found.
#[derive(Debug, Default)]
pub struct Finds {
    used: u64,
    /// In the order of [`Refusal::CODES`].
    refused: [u64; Refusal::CODES.len()],
}

impl Finds {
    /// A node was named, by a source or in what was kept, and is used or not.
    pub fn count(&mut self, source: Option<Source>, outcome: Result<(), Refusal>) {
        match outcome {
            Ok(()) => self.used += 1,
            Err(refusal) => {
                let whence = source.map_or("kept".into(), |source| format!("{source:?}"));
                eprintln!("{whence}: what was found is not used: {refusal}");
                self.refused[refusal.index()] += 1;
            }
        }
    }
}

impl Host {
    /// Adds to what was counted before.
    pub async fn add_finds(&self, finds: &Finds) -> Result<(), StoreError> {
        let refused = Refusal::CODES.into_iter().map(refused).zip(finds.refused);
        let used = (FOUND.to_owned(), finds.used);
        for (name, more) in [used].into_iter().chain(refused).filter(|(_, more)| *more > 0) {
            self.store.add(&name, more).await?;
        }
        Ok(())
    }

    /// `GET /metrics`: by the names of the native node, what a node without memory can tell.
    pub async fn figures(&self) -> Result<String, StoreError> {
        let (networks, here, peers) = self.store.count().await?;
        let records = self.store.count_records().await?;
        let counted = |name: &str| self.kept.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut figures = Figures::default();
        figures.gauge("connections", "Live peers of this node.", here as u64);
        figures.gauge("peers", "Live peers in all networks, at all nodes.", peers as u64);
        figures.gauge("networks", "Networks that have peers.", networks as u64);
        figures.gauge("nodes", "Other nodes that can be reached.", self.mesh.up().count() as u64);
        figures.gauge("records", "Records that are kept.", records as u64);
        figures.counter("bootstrap_found_total", "Nodes that were found, each time.", counted(FOUND));
        let refused = Refusal::CODES.into_iter().map(|code| (code, counted(&refused(code))));
        figures.counters("bootstrap_refused_total", "What was found and not used.", "reason", refused);
        Ok(figures.text())
    }
}
