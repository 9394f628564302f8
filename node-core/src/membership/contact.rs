//! One other node: where it is, who it says it is, whether it answers, and when to ask it next.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::NodeDescriptor;
use pigeonhub_protocol::{Millis, Moment, NodeId};
use serde::{Deserialize, Serialize};

use super::MeshChange;

/// A node that is up is met again after this time.
pub(super) const HEARTBEAT: u64 = 5_000;
/// Dials in a row without answer that make a node that was up one that is down.
pub(super) const MISSES: u32 = 2;
/// The pause after the first failure; it doubles with each …
const FIRST_PAUSE: u64 = 500;
/// … up to this.
const LONGEST_PAUSE: u64 = 30_000;
/// Further URLs of one node that are remembered.
const ALIASES: usize = 4;

/// Whether a node can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It was not asked yet, or has just spoken after it was down.
    Unknown,
    /// It answered our last dial.
    Up,
    /// It did not.
    Down {
        /// How often in a row.
        failures: u32,
    },
}

/// Another node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// Where it is dialled: `http` or `https`, without a path.
    pub url: String,
    /// Other URLs at which the same node answered; tried in turn when it fails.
    pub aliases: Vec<String>,
    /// What it says of itself, once it was met.
    pub descriptor: Option<NodeDescriptor>,
    /// Whether it can be reached.
    pub standing: Standing,
    /// Its incarnation when it spoke last.
    pub incarnation: u64,
    /// It comes from the configuration and is never forgotten.
    pub configured: bool,
    /// When it spoke last, or was heard of first.
    pub last_heard: Millis,
    /// How long its last answer took, in milliseconds.
    pub round_trip: Option<u64>,
    /// When it is dialled next.
    pub next_try: Millis,
    /// When it was dialled last.
    pub(super) dialled: Millis,
    /// Dials in a row without an answer.
    pub(super) misses: u32,
    /// How often it was up and then down: each time we forgot what it had told us.
    pub(super) losses: u64,
}

impl Contact {
    pub(super) const fn new(url: String, configured: bool, now: Millis) -> Self {
        Self {
            url,
            aliases: Vec::new(),
            descriptor: None,
            standing: Standing::Unknown,
            incarnation: 0,
            configured,
            last_heard: now,
            round_trip: None,
            next_try: now,
            dialled: now,
            misses: 0,
            losses: 0,
        }
    }

    /// The node, once it was met.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        self.descriptor.as_ref().map(|descriptor| &descriptor.node_id)
    }

    /// Whether it answered our last dial.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.standing == Standing::Up
    }

    /// Whether it is dialled at this URL, now or after a failure.
    pub(super) fn dials(&self, url: &str) -> bool {
        self.url == url || self.aliases.iter().any(|alias| alias == url)
    }

    pub(super) fn is_at(&self, url: &str) -> bool {
        self.dials(url) || self.descriptor.as_ref().is_some_and(|descriptor| descriptor.http_url() == url)
    }

    /// It says that it is at this URL, too.
    pub(super) fn learn(&mut self, url: String) {
        if !self.dials(&url) && self.aliases.len() < ALIASES {
            self.aliases.push(url);
        }
    }

    /// Takes down who the node says it is. If that is somebody new, or somebody who has started
    /// anew, what was known is void.
    pub(super) fn identify(&mut self, node: NodeDescriptor, incarnation: u64, changes: &mut Vec<MeshChange>) {
        let same_life = core::mem::replace(&mut self.incarnation, incarnation) == incarnation;
        let known = self.descriptor.replace(node);
        let (Some(known), Some(node)) = (known, &self.descriptor) else { return };
        if known.node_id != node.node_id {
            if self.is_up() {
                changes.push(MeshChange::Down(known.node_id));
            }
            self.standing = Standing::Unknown;
        } else if known.public_key != node.public_key || !same_life {
            changes.push(MeshChange::Restarted(known.node_id));
            self.standing = Standing::Unknown;
        }
    }

    /// It answered our dial.
    pub(super) fn answered(&mut self, at: Moment, changes: &mut Vec<MeshChange>) {
        if !self.is_up() {
            changes.extend(self.node().cloned().map(MeshChange::Up));
        }
        self.standing = Standing::Up;
        self.misses = 0;
        self.last_heard = at.now;
        self.round_trip = Some(at.now.since(self.dialled));
        self.next_try = at.now.plus(HEARTBEAT - jittered(HEARTBEAT / 10, at.seed));
    }

    /// It did not: it is down, and asked again after a pause that grows.
    pub(super) fn give_up(&mut self, at: Moment) -> Option<MeshChange> {
        let was_up = self.is_up();
        let failures = match self.standing {
            Standing::Down { failures } => failures.saturating_add(1),
            Standing::Unknown | Standing::Up => 1,
        };
        self.standing = Standing::Down { failures };
        let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_PAUSE);
        self.next_try = at.now.plus(pause / 2 + jittered(pause / 2, at.seed));
        if !self.aliases.is_empty() {
            self.aliases.push(core::mem::replace(&mut self.url, self.aliases[0].clone()));
            self.aliases.remove(0);
        }
        if !was_up {
            return None;
        }
        self.losses += 1;
        self.node().cloned().map(MeshChange::Down)
    }

    /// Another contact turned out to be the same node: it goes on as this one.
    pub(super) fn absorb(&mut self, other: Self) {
        // What was merely heard of is no further address: the node told better ones itself.
        if other.configured {
            self.aliases.push(other.url);
        }
        self.aliases.extend(other.aliases);
        self.aliases.retain(|alias| *alias != self.url);
        self.configured |= other.configured;
        self.descriptor = other.descriptor;
        self.standing = other.standing;
        self.incarnation = other.incarnation;
        self.losses = self.losses.max(other.losses);
    }
}

/// Between 0 and `most`, by dice.
pub(super) const fn jittered(most: u64, dice: u64) -> u64 {
    dice % (most + 1)
}
