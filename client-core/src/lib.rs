//! What a client decides: which nodes to be on, who is there, who offers, what is said again.
//!
//! [`Client::handle`] is the whole of it: an [`Input`] and a [`Moment`](pigeonhub_protocol::Moment)
//! go in, [`Action`]s come out, to be carried out in order. There is no clock, no randomness, no
//! socket and no `RTCPeerConnection` in here; a host (`client-wasm` in browsers, the simulation in
//! tests) owns those and decides nothing.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
mod backoff;
mod candidates;
mod client;
mod clock;
mod dedup;
mod dice;
mod event;
mod frames;
mod inbox;
mod input;
mod link;
mod links;
mod negotiation;
mod node;
mod numbers;
mod options;
mod outbox;
mod payload;
mod post;
mod roster;
mod sdp;
mod seal;
mod session;
mod sessions;
mod turn;
mod visit;
mod ways;

pub use action::{Action, RtcCommand};
pub use client::Client;
pub use event::{Event, LinkFailure, LinkState, NodeState, NodeView, PeerView};
pub use input::{Command, ConnectionState, Description, Input, RtcInput, SessionInput};
pub use options::{NodeUrl, Options, SessionId};
pub use visit::{Resumption, Visit, VisitAction, VisitInput};
pub use ways::{Transport, UnknownTransport, Ways};
