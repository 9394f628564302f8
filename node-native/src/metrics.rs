//! Figures of this process, and `GET /metrics` in Prometheus' text form.

use std::sync::atomic::{AtomicU64, Ordering};

use pigeonhub_bootstrap::Refusal;
use pigeonhub_node_core::rest::Figures;

/// Counters. Sockets count for themselves and add up now and then, so that no core waits for
/// another's count.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Frames from peers.
    pub frames_in: AtomicU64,
    /// Frames to peers.
    pub frames_out: AtomicU64,
    /// Sockets that were refused.
    pub refused: AtomicU64,
    /// Requests to other nodes.
    pub posts: AtomicU64,
    /// Requests to other nodes that failed.
    pub failed_posts: AtomicU64,
    /// Nodes that were named by a domain, DNS or the cache; one counts each time.
    pub found: AtomicU64,
    /// What was found and not used, in the order of [`Refusal::CODES`].
    pub refused_finds: [AtomicU64; Refusal::CODES.len()],
}

/// Figures of the moment.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Open sockets.
    pub connections: usize,
    /// Sockets that were ever open.
    pub sessions: u64,
    /// Live peers.
    pub peers: usize,
    /// Networks.
    pub networks: usize,
    /// Other nodes that can be reached.
    pub nodes: usize,
    /// Whether it is in a DHT, and other nodes of that answer.
    pub dht_ready: bool,
    /// Records.
    pub records: usize,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// The text.
    pub fn text(&self, gauges: &Gauges) -> String {
        let mut figures = Figures::default();
        figures.gauge("connections", "Open sockets.", gauges.connections as u64);
        figures.gauge("peers", "Live peers in all networks, at all nodes.", gauges.peers as u64);
        figures.gauge("networks", "Networks that have peers.", gauges.networks as u64);
        figures.gauge("nodes", "Other nodes that can be reached.", gauges.nodes as u64);
        figures.gauge("dht_ready", "Whether the DHT answers.", u64::from(gauges.dht_ready));
        figures.gauge("records", "Records that are kept.", gauges.records as u64);
        figures.counter("sessions_total", "Sockets that were opened.", gauges.sessions);
        for (name, help, counter) in [
            ("refused_total", "Sockets that were refused.", &self.refused),
            ("frames_in_total", "Frames from peers.", &self.frames_in),
            ("frames_out_total", "Frames to peers.", &self.frames_out),
            ("posts_total", "Requests to other nodes.", &self.posts),
            ("bootstrap_found_total", "Nodes that were found, each time.", &self.found),
            ("failed_posts_total", "Requests to other nodes that failed.", &self.failed_posts),
        ] {
            figures.counter(name, help, counter.load(Ordering::Relaxed));
        }
        let refused = self.refused_finds.iter().map(|counter| counter.load(Ordering::Relaxed));
        let refused = Refusal::CODES.into_iter().zip(refused);
        figures.counters("bootstrap_refused_total", "What was found and not used.", "reason", refused);
        figures.text()
    }
}
