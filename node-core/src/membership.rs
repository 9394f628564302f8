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
//! * Who cannot be dialled is reached through another node that reaches both, see [`Detour`]. It is
//!   dialled directly at every heartbeat all the same, and that counts as soon as it works.

mod contact;
mod detour;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor, http_url, is_node_url};
use pigeonhub_protocol::{Millis, Moment, NodeId};
use serde::{Deserialize, Serialize};

pub use self::contact::{Contact, Standing};
use self::contact::{HEARTBEAT, LONGEST_PAUSE, differ, jittered};
pub use self::detour::{Detour, Passage, Way};

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

    /// The nodes that answered at their own URL: others are told of these only.
    pub fn direct(&self) -> impl Iterator<Item = &NodeDescriptor> {
        self.contacts
            .iter()
            .filter(|contact| contact.is_direct())
            .filter_map(|contact| contact.descriptor.as_ref())
    }

    /// Where this node is, and those that it has reached there.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        core::iter::once(&self.own).chain(self.direct()).map(|node| node.u.clone()).collect()
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
            nodes: self.direct().cloned().collect(),
            incarnation: self.incarnation.wrapping_add(losses),
        }
    }

    /// Whom to dial now. Each URL is to be followed by [`Self::met`] or [`Self::failed`].
    pub fn due(&mut self, now: Millis) -> Vec<String> {
        self.contacts.retain(|contact| {
            contact.configured || contact.is_up() || now.since(contact.last_heard) < FORGET
        });
        // No pause is longer than the longest, unless the clock was set back.
        let due = self
            .contacts
            .iter_mut()
            .filter(|contact| contact.next_try <= now || contact.next_try.since(now) > LONGEST_PAUSE);
        due.map(|contact| {
            contact.dials_until(now, now.plus(DIAL_LIMIT));
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
        if self.is_own(&meeting.node) {
            self.contacts.remove(index);
            return Ok(Vec::new());
        }
        if self.is_taken(&meeting.node, url, None) {
            self.contacts[index].give_up(at);
            return Err(Impostor);
        }
        Ok(self.answered(index, None, meeting, at))
    }

    /// The node that was dialled as this contact answered, perhaps through another one.
    fn answered(
        &mut self,
        index: usize,
        via: Option<&NodeId>,
        meeting: Meeting,
        at: Moment,
    ) -> Vec<MeshChange> {
        let Meeting { node, nodes, incarnation } = meeting;
        let (index, speaker) = (self.unite(index, &node), node.node_id.clone());
        let mut changes = Vec::new();
        if self.contacts[index].losses != self.contacts[index].losses_told {
            // It was given up since it was dialled, and has to hear that first.
            self.contacts[index].next_try = at.now;
            return changes;
        }
        self.contacts[index].identify(node, incarnation, &mut changes);
        if !self.contacts[index].is_up() {
            self.spread(at);
        }
        self.contacts[index].answered(via, at, &mut changes);
        self.hear_of(&speaker, nodes, at.now);
        changes
    }

    /// A node met this one; that it is who it says was checked against its known key, or against the
    /// descriptor at its own URL.
    ///
    /// # Errors
    /// [`Impostor`].
    pub fn heard(&mut self, meeting: Meeting, at: Moment) -> Result<Vec<MeshChange>, Impostor> {
        self.hears(None, meeting, at)
    }

    fn hears(
        &mut self,
        via: Option<&NodeId>,
        meeting: Meeting,
        at: Moment,
    ) -> Result<Vec<MeshChange>, Impostor> {
        let Meeting { node, nodes, incarnation } = meeting;
        let (url, speaker) = (node.http_url(), node.node_id.clone());
        if self.is_own(&node) {
            return Ok(Vec::new());
        }
        if self.is_taken(&node, &url, via) {
            return Err(Impostor);
        }
        let known = |contact: &Contact| contact.node() == Some(&speaker);
        let known = self.contacts.iter().position(known);
        let Some(index) = known.or_else(|| self.add(&url, false, at.now)) else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        let contact = &mut self.contacts[index];
        if contact.descriptor.is_none() || contact.denies(&node) {
            // It was looked up, unless another node spoke for it.
            contact.proven = via.is_none();
        }
        contact.learn(url);
        contact.identify(node, incarnation, &mut changes);
        contact.last_heard = at.now;
        if !contact.is_up() {
            contact.next_try = at.now;
        }
        self.hear_of(&speaker, nodes, at.now);
        if let Some(contact) = via.and_then(|_| self.find_mut(&speaker)) {
            via.into_iter().for_each(|via| contact.is_reached_by(via));
        }
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

    /// Nobody (or nobody sensible) answered at `url`, nor through other nodes.
    pub fn failed(&mut self, url: &str, at: Moment) -> Vec<MeshChange> {
        let contact = self.contacts.iter_mut().find(|contact| contact.dials(url));
        contact.and_then(|contact| contact.missed(at)).into_iter().collect()
    }

    /// The node did not answer what was brought to it: it is dialled at once.
    pub fn silent(&mut self, node: &NodeId, now: Millis) {
        if let Some(contact) = self.find_mut(node) {
            contact.doubt(DIAL_LIMIT, now);
        }
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

    fn is_own(&self, node: &NodeDescriptor) -> bool {
        node.node_id == self.own.node_id && node.public_key == self.own.public_key
    }

    /// Whether a node that can be reached elsewhere has this id and another key, or we do. What was
    /// found at a URL gives way to nothing that others say, and what others say to what was found.
    fn is_taken(&self, node: &NodeDescriptor, url: &str, via: Option<&NodeId>) -> bool {
        let holds = |contact: &Contact| match via {
            None => contact.is_up() && contact.proven && !contact.dials(url),
            Some(_) => contact.is_up() || contact.proven,
        };
        let taken = |contact: &Contact| holds(contact) && contact.denies(node);
        differ(&self.own, node) || self.contacts.iter().any(taken)
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

    /// A node says which others it reaches: a reason to dial them, and perhaps a way to them.
    fn hear_of(&mut self, speaker: &NodeId, nodes: Vec<NodeDescriptor>, now: Millis) {
        for contact in &mut self.contacts {
            contact.reached_by.retain(|witness| witness != speaker);
        }
        for node in nodes {
            if node.node_id == self.own.node_id || node.node_id == *speaker {
                continue;
            }
            let url = node.http_url();
            let known = |contact: &Contact| contact.node() == Some(&node.node_id);
            let there = |contact: &Contact| contact.node().is_none() && contact.is_at(&url);
            let known = self.contacts.iter().position(known);
            let known = known.or_else(|| self.contacts.iter().position(there));
            let Some(index) = known.or_else(|| self.add(&url, false, now)) else { continue };
            self.contacts[index].said = Some(node.node_id);
            self.contacts[index].is_reached_by(speaker);
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
