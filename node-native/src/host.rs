//! Everything that the tasks of a node share, and the one way in which things happen to it.

use std::sync::Arc;

use parking_lot::Mutex;
use pigeonhub_node_core::ticket::TicketKey;
use pigeonhub_node_core::{Decision, Event, Node, exchange_now};
use pigeonhub_protocol::{Millis, Moment};
use tokio::sync::{Semaphore, watch};

use crate::bootstrap::Bootstrap;
use crate::clock::Clock;
use crate::dht::Dht;
use crate::mesh::Mesh;
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::records::SqliteArchive;
use crate::sessions::Sessions;
use crate::store::Shards;
use crate::visits::Paces;

/// How far a node is with its going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It serves.
    Serving,
    /// It takes nobody in, and hands on what it has.
    Draining,
    /// It is over.
    Stopped,
}

/// A node at work.
#[derive(Debug)]
pub struct Host {
    /// The rules.
    pub node: Node,
    /// Time and dice.
    pub clock: Clock,
    /// Presences and mail.
    pub store: Shards,
    /// What was published.
    pub archive: SqliteArchive,
    /// Places for those who watch topics.
    pub watchers: Arc<Semaphore>,
    /// Who is connected.
    pub sessions: Arc<Sessions>,
    /// The other nodes.
    pub mesh: Mesh,
    /// Where other nodes are looked for.
    pub bootstrap: Bootstrap,
    /// Where both nodes and records are found that no other node told of.
    pub dht: Dht,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// What seals the tickets of peers that come over plain HTTP.
    pub tickets: TicketKey,
    /// `APP_ID`.
    pub app: String,
    /// The port at which it listens.
    pub port: u16,
    /// When it was started.
    pub started: Millis,
    /// Messages per second that a socket may send; 0 is no limit.
    pub rate_limit: u32,
    /// The same for peers that come over plain HTTP.
    pub paces: Paces,
    /// How fast records may be published; `None` is no limit.
    pub publishing: Mutex<Option<Pace>>,
    /// Whether it serves, or goes.
    pub stage: watch::Sender<Stage>,
}

impl Host {
    /// Something happened: decides, and commits what was decided. The errands are left to the caller.
    ///
    /// The store is in memory and never waits, so whoever calls this need not be async.
    pub fn step(&self, event: Event, at: Moment) -> Decision {
        exchange_now(&self.node, &self.store.step(), event, at)
    }

    /// Something happened, and nobody waits for an answer.
    pub fn happen(self: &Arc<Self>, event: Event) {
        let decision = self.step(event, self.clock.moment());
        self.carry_out(decision.errands);
    }

    /// Whether the node takes nobody in any more.
    pub fn is_draining(&self) -> bool {
        *self.stage.borrow() >= Stage::Draining
    }

    /// Whether the node has stopped.
    pub fn is_stopped(&self) -> bool {
        *self.stage.borrow() == Stage::Stopped
    }

    /// Waits until the node takes nobody in any more.
    pub async fn drains(&self) {
        // The sender is our own, so this cannot fail.
        let _ = self.stage.subscribe().wait_for(|stage| *stage >= Stage::Draining).await;
    }

    /// Waits until the node has stopped.
    pub async fn stopped(&self) {
        // As above.
        let _ = self.stage.subscribe().wait_for(|stage| *stage == Stage::Stopped).await;
    }
}
