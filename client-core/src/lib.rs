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
mod event;
mod input;
mod options;

pub use action::{Action, RtcCommand};
pub use event::{Event, LinkFailure, LinkState, NodeState, NodeView, PeerView};
pub use input::{Command, ConnectionState, Description, Input, RtcInput, SessionInput};
pub use options::{NodeUrl, Options, SessionId};

use alloc::vec::Vec;

use pigeonhub_protocol::Moment;

/// A client: a state machine.
#[derive(Debug)]
pub struct Client {
    options: Options,
}

impl Client {
    /// A client that has not started.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options }
    }

    /// The one door: something happened, what is to be done?
    pub fn handle(&mut self, input: Input, at: Moment) -> Vec<Action> {
        let _ = (&self.options, input, at);
        Vec::new()
    }
}
