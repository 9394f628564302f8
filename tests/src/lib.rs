//! What the tests of the whole house share: nodes as processes, peers as raw frames, pages in real
//! browsers.
//!
//! Everything here fails by panicking, as tests do, and ends what it started when it is dropped,
//! panic or not. Nothing waits for a fixed time: [`eventually`] waits for a condition, and a
//! silence is proven by a later message that arrives ([`WirePeer::fence`]).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails by panicking, like the tests")]

mod acquaintance;
mod browser;
mod cable;
pub mod chaos;
mod dns;
mod documents;
mod environment;
pub mod http;
pub mod live;
pub mod machine;
mod node;
mod pages;
mod place;
mod program;
pub mod scenario;
pub mod table;
mod torrent;
mod wait;
mod wire;
#[cfg(target_os = "linux")]
pub mod wires;

pub use acquaintance::{StalledPeer, meet};
pub use browser::{Browser, Lid, one_browser_test_at_a_time};
pub use cable::Cable;
pub use dns::DnsServer;
pub use documents::DocumentServer;
pub use environment::{
    chrome, chromedriver, libtorrent, node_binary, node_modules, repository, spin_component, spin_host,
};
pub use node::{Mesh, TestNode};
pub use pages::PageServer;
pub use place::Place;
pub use program::Program;
pub use torrent::{TestDht, Torrent};
pub use wait::{PATIENCE, eventually};
pub use wire::{Closed, Heard, Transport, WirePeer, fresh_id};
