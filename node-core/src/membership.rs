//! Which other nodes there are, where they are, and which of them can be reached.
//!
//! How nodes come to know each other:
//!
//! * A node dials URLs: those it was configured with, and those it hears of ([`Meeting::nodes`]).
//!   What it hears is only a reason to dial; who answers at a URL is what counts.
//! * A node is [`Standing::Up`] only after it answered a dial of ours. Being met by it makes us dial
//!   at once. So both sides hold each other's key before either tells the other of its peers.
//! * A new incarnation means that the other side has forgotten everything it was told, because it
//!   restarted or because it gave us up for a while. Both sides then forget and tell each other anew.
//! * A node id belongs to the key that was found at its URL. The same id with another key is refused
//!   while the first can be reached.

mod contact;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor, http_url, is_node_url};
use pigeonhub_protocol::{Millis, Moment, NodeId};
use serde::{Deserialize, Serialize};

pub use self::contact::{Contact, Standing};
use self::contact::{HEARTBEAT, MISSES, jittered};

/// Nodes that are kept at most; hearsay of more is ignored.
const MOST: usize = 256;
/// A node that was only heard of is forgotten when it could not be reached for this long.
const FORGET: u64 = 10 * 60 * 1000;
/// A dial that has no outcome by now is taken for lost, and the node is dialled again.
const DIAL_LIMIT: u64 = 15_000;
/// When a node comes up, those that are up already are told within this time.
const SPREAD: u64 = 500;

/// What became of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeshChange {
    /// The node has forgotten what it was told, and what it said does not hold any more.
    Restarted(NodeId),
    /// The node can be reached: it is to be told of every peer here.
    Up(NodeId),
    /// The node cannot be reached: its peers are away.
    Down(NodeId),
}

/// A node claims the id of another one that can be reached, or of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impostor;

impl fmt::Display for Impostor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node id belongs to another key")
    }
}

impl core::error::Error for Impostor {}

/// The nodes of the mesh as one of them sees it. It can be written down and read again, for hosts
/// that keep nothing in memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Membership {
    own: NodeDescriptor,
    incarnation: u64,
    contacts: Vec<Contact>,
}

impl Membership {
    /// The mesh before anybody was asked. `incarnation` must differ from that of the last start.
    #[must_use]
    pub fn new(own: NodeDescriptor, incarnation: u64, bootstrap: Vec<String>) -> Self {
        let mut membership = Self { own, incarnation, contacts: Vec::new() };
        for url in bootstrap {
            membership.add(&url, true, Millis::default());
        }
        membership
    }

    /// This node.
    #[must_use]
    pub const fn own(&self) -> &NodeDescriptor {
        &self.own
    }

    /// This node says something new of itself.
    pub fn renew(&mut self, own: NodeDescriptor) {
        self.own = own;
    }

    /// Somebody says that there is a node at `url`: it is dialled, unless it is known.
    pub fn suggest(&mut self, url: &str, now: Millis) {
        self.add(url, false, now);
    }

    /// What is known of the node at `url`.
    #[must_use]
    pub fn at(&self, url: &str) -> Option<&Contact> {
        let url = http_url(url);
        self.contacts.iter().find(|contact| contact.is_at(&url))
    }

    /// The other nodes.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// The node with this id, if somebody at a URL of its own said that it is.
    #[must_use]
    pub fn find(&self, node: &NodeId) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.node() == Some(node))
    }

    /// The nodes that can be reached.
    pub fn up(&self) -> impl Iterator<Item = &NodeDescriptor> {
        self.contacts
            .iter()
            .filter(|contact| contact.is_up())
            .filter_map(|contact| contact.descriptor.as_ref())
    }

    /// Where this node is, and those that can be reached.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        core::iter::once(&self.own).chain(self.up()).map(|node| node.u.clone()).collect()
    }

    /// What this node says to the one that it dials at `url`.
    #[must_use]
    pub fn greeting(&self, url: &str, now: Millis) -> Meeting {
        self.meeting(self.contacts.iter().find(|contact| contact.dials(url)), now)
    }

    /// What this node answers to one that met it.
    #[must_use]
    pub fn answer(&self, node: &NodeId, now: Millis) -> Meeting {
        self.meeting(self.find(node), now)
    }

    fn meeting(&self, with: Option<&Contact>, now: Millis) -> Meeting {
        // To a node that we gave up for a while we are a new one: we forgot what it told us.
        let losses = with.map_or(0, |contact| contact.losses);
        Meeting {
            node: self.own.given_out(now),
            nodes: self.up().cloned().collect(),
            incarnation: self.incarnation.wrapping_add(losses),
        }
    }

    /// Whom to dial now. Each URL is to be followed by [`Self::met`] or [`Self::failed`].
    pub fn due(&mut self, now: Millis) -> Vec<String> {
        self.contacts.retain(|contact| {
            contact.configured || contact.is_up() || now.since(contact.last_heard) < FORGET
        });
        let due = self.contacts.iter_mut().filter(|contact| contact.next_try <= now);
        due.map(|contact| {
            contact.dialled = now;
            contact.next_try = now.plus(DIAL_LIMIT);
            contact.url.clone()
        })
        .collect()
    }

    /// The node at `url` answered.
    ///
    /// # Errors
    /// [`Impostor`]; it is dialled again later.
    pub fn met(&mut self, url: &str, meeting: Meeting, at: Moment) -> Result<Vec<MeshChange>, Impostor> {
        let Some(index) = self.contacts.iter().position(|contact| contact.dials(url)) else {
            return Ok(Vec::new());
        };
        let Meeting { node, nodes, incarnation } = meeting;
        if node.node_id == self.own.node_id && node.public_key == self.own.public_key {
            self.contacts.remove(index);
            return Ok(Vec::new());
        }
        if self.is_taken(&node, url) {
            self.contacts[index].give_up(at);
            return Err(Impostor);
        }
        let index = self.unite(index, &node);
        let mut changes = Vec::new();
        self.contacts[index].identify(node, incarnation, &mut changes);
        if !self.contacts[index].is_up() {
            self.spread(at);
        }
        self.contacts[index].answered(at, &mut changes);
        self.hear_of(nodes, at.now);
        Ok(changes)
    }

    /// A node met this one; that it is who it says was checked against its known key, or against the
    /// descriptor at its own URL.
    ///
    /// # Errors
    /// [`Impostor`].
    pub fn heard(&mut self, meeting: Meeting, at: Moment) -> Result<Vec<MeshChange>, Impostor> {
        let Meeting { node, nodes, incarnation } = meeting;
        let url = node.http_url();
        let is_own = node.node_id == self.own.node_id;
        if is_own && node.public_key == self.own.public_key {
            return Ok(Vec::new());
        }
        if is_own || self.is_taken(&node, &url) {
            return Err(Impostor);
        }
        let known = |contact: &Contact| contact.node() == Some(&node.node_id);
        let known = self.contacts.iter().position(known);
        let Some(index) = known.or_else(|| self.add(&url, false, at.now)) else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        let contact = &mut self.contacts[index];
        contact.learn(url);
        contact.identify(node, incarnation, &mut changes);
        contact.last_heard = at.now;
        if !contact.is_up() {
            contact.next_try = at.now;
        }
        self.hear_of(nodes, at.now);
        Ok(changes)
    }

    /// A known node said something: if it was thought lost, it is worth a dial.
    pub fn spoke(&mut self, node: &NodeId, now: Millis) {
        if let Some(contact) = self.find_mut(node) {
            contact.last_heard = now;
            if !contact.is_up() {
                contact.next_try = contact.next_try.min(now);
            }
        }
    }

    /// Nobody (or nobody sensible) answered at `url`. A node that is up is asked once more at once.
    pub fn failed(&mut self, url: &str, at: Moment) -> Vec<MeshChange> {
        let Some(contact) = self.contacts.iter_mut().find(|contact| contact.dials(url)) else {
            return Vec::new();
        };
        contact.misses += 1;
        if contact.is_up() && contact.misses < MISSES {
            contact.next_try = at.now;
            return Vec::new();
        }
        contact.give_up(at).into_iter().collect()
    }

    /// What the node was to be told did not reach it, so it must be told everything anew: it counts
    /// as lost, and is dialled at once.
    pub fn lost(&mut self, node: &NodeId, at: Moment) -> Vec<MeshChange> {
        let Some(contact) = self.find_mut(node).filter(|contact| contact.is_up()) else { return Vec::new() };
        let change = contact.give_up(at);
        contact.next_try = at.now;
        change.into_iter().collect()
    }

    /// The node said that it stops.
    pub fn left(&mut self, node: &NodeId, at: Moment) -> Vec<MeshChange> {
        let Some(contact) = self.find_mut(node) else { return Vec::new() };
        let change = contact.give_up(at);
        contact.next_try = at.now.plus(HEARTBEAT);
        change.into_iter().collect()
    }

    fn find_mut(&mut self, node: &NodeId) -> Option<&mut Contact> {
        self.contacts.iter_mut().find(|contact| contact.node() == Some(node))
    }

    /// Whether a node that can be reached elsewhere has this id and another key, or we do.
    fn is_taken(&self, node: &NodeDescriptor, url: &str) -> bool {
        let differs =
            |other: &NodeDescriptor| other.node_id == node.node_id && other.public_key != node.public_key;
        let holds = |contact: &Contact| {
            contact.is_up() && !contact.dials(url) && contact.descriptor.as_ref().is_some_and(differs)
        };
        differs(&self.own) || self.contacts.iter().any(holds)
    }

    /// Makes one contact of two that turned out to be one node (or that say so: one that cannot be
    /// reached gives way). The index of the one that is left.
    fn unite(&mut self, index: usize, node: &NodeDescriptor) -> usize {
        let same =
            |(other, contact): (usize, &Contact)| other != index && contact.node() == Some(&node.node_id);
        let Some(other) = self.contacts.iter().enumerate().position(same) else { return index };
        let other_contact = self.contacts.remove(other);
        let index = if other < index { index - 1 } else { index };
        self.contacts[index].absorb(other_contact);
        index
    }

    /// A node comes up: those that are up hear of it soon, not only with their next heartbeat.
    fn spread(&mut self, at: Moment) {
        let up = self.contacts.iter_mut().filter(|contact| contact.is_up());
        for (number, contact) in up.enumerate() {
            let soon = at.now.plus(jittered(SPREAD, at.seed.rotate_left(number as u32)));
            contact.next_try = contact.next_try.min(soon);
        }
    }

    fn hear_of(&mut self, nodes: Vec<NodeDescriptor>, now: Millis) {
        for node in nodes {
            if node.node_id != self.own.node_id && self.find(&node.node_id).is_none() {
                self.add(&node.http_url(), false, now);
            }
        }
    }

    /// Notes a URL to dial; `None` if it is none, our own, known or one too many.
    fn add(&mut self, url: &str, configured: bool, now: Millis) -> Option<usize> {
        let url = http_url(url.trim());
        let known = url == self.own.http_url() || self.contacts.iter().any(|contact| contact.is_at(&url));
        if known || !is_node_url(&url) || (self.contacts.len() >= MOST && !configured) {
            return None;
        }
        self.contacts.push(Contact::new(url, configured, now));
        Some(self.contacts.len() - 1)
    }
}
