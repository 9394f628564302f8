//! Clients outside of a browser: the real `client-core`, with real sockets and requests to real
//! nodes, and made-up connections to each other.
//!
//! What `client-wasm` is for a page, this is for a test: it carries out what the client decides,
//! and decides nothing.

mod engine;
mod ether;
mod lines;
mod view;
mod visit;

use pigeonhub_client_core::{Command, Event, Input, NodeUrl, Options, SessionId, VisitInput};
use pigeonhub_protocol::{NetworkName, PeerId, raw_json};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

pub use self::ether::{Counts, Ether};
pub use self::view::View;

/// What happens to a client.
enum Told {
    Input(Input),
    /// A node was asked what it offers; none if it did not answer.
    Asked(SessionId, Option<String>),
    Visit(SessionId, VisitInput),
}

type Tell = UnboundedSender<Told>;

/// A client that runs. Dropped, it is gone without a word.
pub struct LiveClient {
    /// Its id.
    pub peer: PeerId,
    tell: Tell,
    engine: AbortHandle,
}

/// What a client is to be.
pub struct Wish<'a> {
    /// Its id.
    pub peer: PeerId,
    /// Its network.
    pub network: &'a str,
    /// What others see of it.
    pub name: &'a str,
    /// Nodes to choose from, best first.
    pub nodes: Vec<String>,
    /// How many of them to be on at once.
    pub sessions: usize,
}

impl LiveClient {
    /// A peer id that nobody else has.
    ///
    /// # Panics
    /// If there are no random bytes.
    #[must_use]
    pub fn fresh_id() -> PeerId {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).expect("random bytes");
        PeerId::from_bytes(bytes)
    }

    /// Starts a client. `hear` is told what an app would be told.
    ///
    /// # Panics
    /// If the network's name is none.
    pub fn start(wish: Wish<'_>, ether: &Ether, hear: impl FnMut(Event) + Send + 'static) -> Self {
        let network: NetworkName = wish.network.parse().expect("the name of a network");
        let nodes = wish.nodes.into_iter().map(NodeUrl).collect();
        let options = Options {
            profile: raw_json(&json!({"name": wish.name})),
            sessions: wish.sessions,
            ..Options::new(wish.peer, network, nodes)
        };
        let (tell, told) = unbounded_channel();
        let engine = tokio::spawn(engine::run(options, ether.clone(), tell.clone(), told, hear));
        let client = Self { peer: wish.peer, tell, engine: engine.abort_handle() };
        client.command(Command::Start);
        client
    }

    /// Connects to a peer.
    pub fn dial(&self, peer: PeerId) {
        self.command(Command::Dial(peer));
    }

    /// Hangs up.
    pub fn hang_up(&self, peer: PeerId) {
        self.command(Command::Hangup(peer));
    }

    /// Says goodbye.
    pub fn close(&self) {
        self.command(Command::Close);
    }

    fn command(&self, command: Command) {
        // It may be closed.
        let _ = self.tell.send(Told::Input(Input::Command(command)));
    }
}

impl Drop for LiveClient {
    fn drop(&mut self) {
        self.engine.abort();
    }
}
