//! Ways around a cut: a node that cannot be dialled is reached through one that reaches both.
//!
//! * One hop, and no loops: a node passes on only what the requester itself has signed, and only to
//!   nodes that it reaches directly.
//! * What is passed on is signed end to end, requests and answers. A key that was found at its own URL
//!   is never replaced on another node's word. Of a node that was never reached there, the word of
//!   the one that reached it has to do, until a direct dial is answered.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{Meeting, Relayed};
use pigeonhub_protocol::{Code, Moment, NodeId};

use super::contact::{Contact, MISSES};
use super::{Impostor, Membership, MeshChange};
use crate::gate::Signed;

/// Other nodes that are asked for a way to one, at most.
const DETOURS: usize = 2;
/// Nodes that are reached through others, at most.
const MOST: usize = 64;
/// What nodes pass on for each other.
const PATHS: [&str; 9] = [
    "/api/meet",
    "/api/leave",
    "/api/interest",
    "/api/announce-peer",
    "/api/withdraw-peer",
    "/api/route-signal",
    "/api/replicate",
    "/api/records",
    "/api/reconcile",
];

/// A way that may lead to a node which does not answer at its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detour {
    /// The node that does not answer.
    pub node: NodeId,
    /// One that says it reaches it.
    pub relay: NodeId,
    /// Where that one is.
    pub url: String,
}

/// The way to a node that can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is at this URL.
    Direct(String),
    /// Through another one.
    Via {
        /// That one, and where it is.
        detour: Detour,
        /// The key of the node itself: its answers are signed.
        public_key: String,
    },
}

/// What is to be done with a relayed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is for this node.
    Here,
    /// It goes on, unchanged, to the node at this URL.
    On(String),
}

impl Membership {
    /// Whom to ask for a way to the node that did not answer at `url`. A single missed heartbeat is
    /// no reason to.
    #[must_use]
    pub fn detours(&self, url: &str) -> Vec<Detour> {
        let Some(contact) = self.contacts.iter().find(|contact| contact.dials(url)) else {
            return Vec::new();
        };
        let is_first_miss = contact.is_direct() && contact.misses + 1 < MISSES;
        let others = self.contacts.iter().filter(|other| other.via.is_some() && other.url != contact.url);
        let Some(node) = contact.node().or(contact.said.as_ref()) else { return Vec::new() };
        if is_first_miss || others.count() >= MOST {
            return Vec::new();
        }
        let more = contact.reached_by.iter().filter(|witness| Some(*witness) != contact.via.as_ref());
        let relays = contact.via.iter().chain(more).filter_map(|relay| self.direct_url(relay));
        let detour = |(relay, url)| Detour { node: node.clone(), relay, url };
        relays.take(DETOURS).map(detour).collect()
    }

    fn direct_url(&self, node: &NodeId) -> Option<(NodeId, String)> {
        let contact = self.find(node).filter(|contact| contact.is_direct())?;
        Some((node.clone(), contact.url.clone()))
    }

    /// How a node is reached now; `None` if it is not.
    #[must_use]
    pub fn way(&self, node: &NodeId) -> Option<Way> {
        let contact = self.find(node).filter(|contact| contact.is_up())?;
        let Some(relay) = &contact.via else { return Some(Way::Direct(contact.url.clone())) };
        let (relay, url) = self.direct_url(relay)?;
        let public_key = contact.descriptor.as_ref()?.public_key.clone();
        Some(Way::Via { detour: Detour { node: node.clone(), relay, url }, public_key })
    }

    /// The node that did not answer at `url` answered through another one.
    ///
    /// # Errors
    /// [`Impostor`]: it is not who was asked for, or has not the key that it is known to have.
    pub fn met_via(
        &mut self,
        url: &str,
        relay: &NodeId,
        meeting: Meeting,
        at: Moment,
    ) -> Result<Vec<MeshChange>, Impostor> {
        let Some(index) = self.contacts.iter().position(|contact| contact.dials(url)) else {
            return Ok(Vec::new());
        };
        let (contact, node) = (&self.contacts[index], &meeting.node);
        if contact.is_direct() && contact.misses == 0 {
            // It has answered meanwhile.
            return Ok(Vec::new());
        }
        let is_asked = match contact.node() {
            Some(known) => *known == node.node_id,
            None => contact.said.as_ref() == Some(&node.node_id) && contact.dials(&node.http_url()),
        };
        if !is_asked || self.is_own(node) || self.is_taken(node, url, Some(relay)) {
            return Err(Impostor);
        }
        Ok(self.answered(index, Some(relay), meeting, at))
    }

    /// A node met this one through another one, which speaks for it if it is a stranger.
    ///
    /// # Errors
    /// [`Impostor`].
    pub fn heard_via(
        &mut self,
        relay: &NodeId,
        meeting: Meeting,
        at: Moment,
    ) -> Result<Vec<MeshChange>, Impostor> {
        self.hears(Some(relay), meeting, at)
    }

    /// Whether what `by` brings is for this node, or goes on, or neither.
    ///
    /// # Errors
    /// * [`Code::Unauthorized`]: the inner request is not signed.
    /// * [`Code::Forbidden`]: it is of somebody else, or not of the mesh.
    /// * [`Code::NodeUnreachable`]: this node does not reach the other one, or not directly.
    pub fn passage(&self, by: &NodeId, relayed: &Relayed) -> Result<Passage, Code> {
        let signer = Signed::of(&relayed.proof)?.node().ok_or(Code::Unauthorized)?;
        if !PATHS.contains(&relayed.path.as_str()) {
            return Err(Code::Forbidden);
        }
        let brings_own = signer == *by;
        if relayed.to == self.own.node_id {
            // Who speaks for others has to be known at first hand.
            let may = !brings_own && self.find(by).is_some_and(Contact::is_direct);
            return may.then_some(Passage::Here).ok_or(Code::Forbidden);
        }
        if !brings_own || !self.find(by).is_some_and(Contact::is_up) {
            return Err(Code::Forbidden);
        }
        self.direct_url(&relayed.to).map(|(_, url)| Passage::On(url)).ok_or(Code::NodeUnreachable)
    }
}
