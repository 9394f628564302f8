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
/// … up to a heartbeat for a node that was met or is configured: it costs no more than when it is
/// up, and it is back within seconds; and up to this for one that was only heard of.
pub(super) const LONGEST_PAUSE: u64 = 30_000;
/// Further URLs of one node that are remembered.
const ALIASES: usize = 4;
/// Nodes that say they reach it, of which so many are remembered.
const WITNESSES: usize = 4;

/// Whether a node can be reached, directly or through another one.
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
    /// The node through which it is reached while it cannot be dialled.
    pub via: Option<NodeId>,
    /// Whether its key was found at its own URL; if not, another node said so.
    pub(super) proven: bool,
    /// Who is said to be at its URL, as long as nobody answered there.
    pub(super) said: Option<NodeId>,
    /// Nodes that said lately that they reach it.
    pub(super) reached_by: Vec<NodeId>,
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
    /// The same when it was dialled last: what the dial said of us does not hold if it is another now.
    pub(super) losses_told: u64,
}

impl Contact {
    pub(super) const fn new(url: String, configured: bool, now: Millis) -> Self {
        Self {
            url,
            aliases: Vec::new(),
            descriptor: None,
            standing: Standing::Unknown,
            via: None,
            proven: false,
            said: None,
            reached_by: Vec::new(),
            incarnation: 0,
            configured,
            last_heard: now,
            round_trip: None,
            next_try: now,
            dialled: now,
            misses: 0,
            losses: 0,
            losses_told: 0,
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

    /// Whether it answered our last dial itself, and not through another node.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.is_up() && self.via.is_none()
    }

    /// Whether it has this id and another key.
    pub(super) fn denies(&self, node: &NodeDescriptor) -> bool {
        self.descriptor.as_ref().is_some_and(|own| differ(own, node))
    }

    /// Another node says that it reaches this one.
    pub(super) fn is_reached_by(&mut self, witness: &NodeId) {
        if !self.reached_by.contains(witness) && self.reached_by.len() < WITNESSES {
            self.reached_by.push(witness.clone());
        }
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

    /// It answered our dial, perhaps through another node.
    pub(super) fn answered(&mut self, via: Option<&NodeId>, at: Moment, changes: &mut Vec<MeshChange>) {
        if !self.is_up() {
            changes.extend(self.node().cloned().map(MeshChange::Up));
        }
        self.via = via.cloned();
        self.proven |= via.is_none();
        self.standing = Standing::Up;
        self.misses = 0;
        self.last_heard = at.now;
        self.round_trip = Some(at.now.since(self.dialled));
        self.next_try = at.now.plus(HEARTBEAT - jittered(HEARTBEAT / 10, at.seed));
    }

    /// It is dialled; that has an outcome until then.
    pub(super) const fn dials_until(&mut self, now: Millis, limit: Millis) {
        self.dialled = now;
        self.losses_told = self.losses;
        self.next_try = limit;
    }

    /// What it was to be brought did not reach it: whether it is still there is for a dial to find out.
    pub(super) fn doubt(&mut self, limit: u64, now: Millis) {
        self.misses += 1;
        let is_dialled = self.next_try == self.dialled.plus(limit);
        if !is_dialled {
            self.next_try = self.next_try.min(now);
        }
    }

    /// It did not answer a dial. If it is up it is asked once more at once.
    pub(super) fn missed(&mut self, at: Moment) -> Option<MeshChange> {
        self.misses += 1;
        if self.is_up() && self.misses < MISSES {
            self.next_try = at.now;
            return None;
        }
        self.give_up(at)
    }

    /// It is down, and asked again after a pause that grows.
    pub(super) fn give_up(&mut self, at: Moment) -> Option<MeshChange> {
        let was_up = self.is_up();
        let failures = match self.standing {
            Standing::Down { failures } => failures.saturating_add(1),
            Standing::Unknown | Standing::Up => 1,
        };
        self.standing = Standing::Down { failures };
        self.via = None;
        let is_ours = self.configured || self.descriptor.is_some();
        let longest = if is_ours { HEARTBEAT } else { LONGEST_PAUSE };
        let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(longest);
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
        self.via = other.via;
        self.proven = other.proven;
        self.incarnation = other.incarnation;
        self.losses = self.losses.max(other.losses);
    }
}

/// Whether one id has two keys.
pub(super) fn differ(one: &NodeDescriptor, other: &NodeDescriptor) -> bool {
    one.node_id == other.node_id && one.public_key != other.public_key
}

/// Between 0 and `most`, by dice.
pub(super) const fn jittered(most: u64, dice: u64) -> u64 {
    dice % (most + 1)
}
