//! The PigeonHub client for browsers: as a Rust crate for apps compiled to WebAssembly, and as
//! the module inside the npm package `pigeonhub-wasm` (`pkg/`).
//!
//! [`Hub::connect`] goes on the mesh, [`Hub::dial`] gives a [`Link`] to a peer, both tell what
//! happens as streams of events. `pigeonhub_client_core` decides; this crate carries its actions
//! out with what browsers have, and holds no rule of its own.

mod address;
mod ambient;
mod channel;
mod connection;
mod engine;
mod error;
mod event;
mod feed;
mod framing;
mod http;
mod hub;
mod identity;
mod js;
mod lines;
mod link;
mod listener;
mod options;
mod outbox;
mod page;
mod records;
mod socket;
mod visit;

pub use error::HubError;
pub use event::{HubEvent, LinkEvent, Payload, PeerInfo};
pub use hub::Hub;
pub use link::Link;
pub use options::{HubOptions, NodeEntry};
pub use pigeonhub_client_core::{LinkFailure, LinkState, NodeState, NodeUrl, NodeView, Transport};
