//! The PigeonHub client for browsers: as a Rust crate for apps compiled to WebAssembly, and as
//! the module inside the npm package `pigeonhub-wasm` (`pkg/`).
//!
//! [`Hub::connect`] goes on the mesh, [`Hub::dial`] gives a [`Link`] to a peer, both tell what
//! happens as streams of events. `pigeonhub_client_core` decides; this crate carries its actions
//! out with what browsers have, and holds no rule of its own.

mod address;
mod ambient;
mod asking;
mod canonical;
mod channel;
mod connection;
mod directory;
mod engine;
mod error;
mod event;
mod feed;
mod framing;
mod http;
mod hub;
mod identity;
mod js;
mod keys;
mod lines;
mod link;
mod listener;
mod options;
mod outbox;
mod page;
mod proofs;
mod records;
mod socket;
mod visit;
mod watching;

/// A third of the size of the one that comes with Rust.
#[cfg(all(feature = "small-allocator", target_family = "wasm"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

pub use directory::{SignalDirectory, SignalEndpoint, SignalUrl};
pub use error::HubError;
pub use event::{HubEvent, LinkEvent, Payload, PeerInfo};
pub use hub::Hub;
pub use link::Link;
pub use options::{HubOptions, NodeEntry};
pub use pigeonhub_client_core::{LinkFailure, LinkState, NodeState, NodeUrl, NodeView, Transport};
pub use pigeonhub_protocol::Record;
pub use records::{Copies, PublishOptions, PublishedRecord};
pub use watching::RecordEvent;
