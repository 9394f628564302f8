//! The mesh as its nodes tell of it: who answers, who knows whom, which peers are where.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::address::NodeAddress;

/// `GET /health`, as far as the picture needs it. Whatever is missing is unknown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Health {
    node_id: Option<String>,
    region: Option<String>,
}

/// `GET /signaling`, likewise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Signaling {
    node_id: Option<String>,
    nodes: Vec<Neighbour>,
}

/// A node as another node tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Neighbour {
    node_id: Option<String>,
    u: Option<String>,
    state: Option<String>,
}

/// `GET /peers`, likewise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Peers {
    peers: Vec<Presence>,
}

/// A peer as a node tells of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Presence {
    full_peer_id: Option<String>,
    node_id: Option<String>,
    data: serde_json::Value,
}

/// All that a node answered in one round.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// From `/health`.
    pub health: Health,
    /// From `/signaling`.
    pub signaling: Signaling,
    /// From `/peers`.
    pub peers: Peers,
}

/// Whether a node is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nobody asked it yet.
    #[default]
    Unknown,
    /// It answers, or another node that answers says that it does.
    Up,
    /// It does not answer.
    Down,
}

impl Standing {
    /// The word for `data-state`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Why a node did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nobody is there, or nobody who speaks our language.
    Refused,
    /// It took too long, so many times in a row. It, or this page, may just be busy.
    Slow(u8),
}

/// What is known of one node.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sight {
    node_id: Option<String>,
    region: Option<String>,
    answered: bool,
    silence: Option<Silence>,
    neighbours: Vec<Neighbour>,
    presences: Vec<Presence>,
}

/// All nodes that were heard of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    sights: BTreeMap<NodeAddress, Sight>,
    held: BTreeSet<NodeAddress>,
}

/// A node in the picture. Two addresses of one node are one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id, or its host while it never answered.
    pub name: String,
    /// Where it answers.
    pub address: NodeAddress,
    /// Where in the world it says that it is.
    pub region: Option<String>,
    /// Whether it is there.
    pub standing: Standing,
}

/// A peer in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dot {
    /// The peer's id.
    pub peer_id: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// The names of the nodes that it is at.
    pub nodes: Vec<String>,
}

/// How many nodes a page asks and draws; a larger mesh is drawn in part.
const MOST_NODES: usize = 16;

/// A node that was too slow so many times in a row is down.
const SLOW_ROUNDS: u8 = 3;

impl Mesh {
    /// Takes a node in, if it is new and there is room.
    pub fn add(&mut self, address: NodeAddress) {
        if self.sights.len() < MOST_NODES {
            self.sights.entry(address).or_default();
        }
    }

    /// The nodes to ask.
    pub fn addresses(&self) -> Vec<NodeAddress> {
        self.sights.keys().cloned().collect()
    }

    /// A node answered: believe it, and take in the nodes that it tells of.
    pub fn answered(&mut self, address: &NodeAddress, answers: Answers) {
        let Some(sight) = self.sights.get_mut(address) else { return };
        *sight = Sight {
            node_id: answers.health.node_id.or(answers.signaling.node_id).or(sight.node_id.take()),
            region: answers.health.region,
            answered: true,
            silence: None,
            neighbours: answers.signaling.nodes,
            presences: answers.peers.peers,
        };
        for neighbour in sight.neighbours.clone() {
            let known = neighbour.node_id.as_ref().is_some_and(|id| self.address_of(id).is_some());
            if let (false, Some(address)) = (known, neighbour.u.as_deref().and_then(NodeAddress::parse)) {
                self.add(address.clone());
                if let Some(sight) = self.sights.get_mut(&address) {
                    sight.node_id = neighbour.node_id;
                }
            }
        }
    }

    /// A node did not answer.
    pub fn silent(&mut self, address: &NodeAddress, refused: bool) {
        if let Some(sight) = self.sights.get_mut(address) {
            sight.silence = Some(match sight.silence {
                _ if refused => Silence::Refused,
                Some(Silence::Slow(times)) => Silence::Slow(times.saturating_add(1)),
                Some(Silence::Refused) | None => Silence::Slow(1),
            });
        }
    }

    /// This page has sessions with these nodes now. They live, however slow their answers are.
    pub fn hold(&mut self, nodes: impl IntoIterator<Item = NodeAddress>) {
        self.held = nodes.into_iter().collect();
    }

    /// A node's name by its address.
    pub fn name_of(&self, address: &NodeAddress) -> String {
        let known = self.sights.get(address).and_then(|sight| sight.node_id.clone());
        known.unwrap_or_else(|| address.host().to_owned())
    }

    /// How a node stands, by its address.
    pub fn standing(&self, address: &NodeAddress) -> Standing {
        let Some(sight) = self.sights.get(address) else { return Standing::Unknown };
        match sight.silence {
            _ if self.answers(address, sight) => Standing::Up,
            Some(Silence::Refused) if sight.answered => Standing::Down,
            // Too slow, or only other nodes reach it (a firewall, a private address): they are believed.
            _ if self.is_vouched_for(sight) => Standing::Up,
            Some(Silence::Refused | Silence::Slow(SLOW_ROUNDS..)) => Standing::Down,
            _ => Standing::Unknown,
        }
    }

    /// Whether this page sees for itself that a node is there.
    fn answers(&self, address: &NodeAddress, sight: &Sight) -> bool {
        let patient = |times| times < SLOW_ROUNDS || self.held.contains(address);
        sight.answered
            && match sight.silence {
                None => true,
                Some(Silence::Slow(times)) => patient(times),
                Some(Silence::Refused) => false,
            }
    }

    /// The nodes, in a stable order.
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        for (address, sight) in &self.sights {
            let name = self.name_of(address);
            let standing = self.standing(address);
            let seen_better = nodes.get(&name).is_some_and(|n| n.standing == Standing::Up);
            if !seen_better || (standing == Standing::Up && sight.answered) {
                let node = Node {
                    name: name.clone(),
                    address: address.clone(),
                    region: sight.region.clone(),
                    standing,
                };
                nodes.insert(name, node);
            }
        }
        nodes.into_values().collect()
    }

    /// The pairs of nodes of which one knows the other, each once, and whether both are up.
    pub fn edges(&self) -> Vec<(String, String, bool)> {
        let nodes = self.nodes();
        let up = |name: &str| nodes.iter().any(|n| n.name == name && n.standing == Standing::Up);
        let mut edges = BTreeMap::new();
        for (address, sight) in &self.sights {
            let from = self.name_of(address);
            for to in sight.neighbours.iter().filter_map(|n| n.node_id.clone()) {
                if from != to && nodes.iter().any(|n| n.name == to) {
                    let alive = up(&from) && up(&to);
                    let (a, b) = if from < to { (from.clone(), to) } else { (to, from.clone()) };
                    edges.insert((a, b), alive);
                }
            }
        }
        edges.into_iter().map(|((a, b), alive)| (a, b, alive)).collect()
    }

    /// The peers that nodes which are up tell of, each once.
    pub fn dots(&self) -> Vec<Dot> {
        let mut dots: BTreeMap<String, Dot> = BTreeMap::new();
        for (address, sight) in &self.sights {
            if !self.answers(address, sight) {
                continue;
            }
            for presence in &sight.presences {
                let Some(peer_id) = presence.full_peer_id.clone() else { continue };
                let at = presence.node_id.clone().unwrap_or_else(|| self.name_of(address));
                let dot =
                    dots.entry(peer_id.clone()).or_insert(Dot { peer_id, name: None, nodes: Vec::new() });
                dot.name = name_in(&presence.data).or(dot.name.take());
                if !dot.nodes.contains(&at) {
                    dot.nodes.push(at);
                }
            }
        }
        dots.into_values().collect()
    }

    fn address_of(&self, node_id: &str) -> Option<&NodeAddress> {
        self.sights.iter().find(|(_, s)| s.node_id.as_deref() == Some(node_id)).map(|(address, _)| address)
    }

    fn is_vouched_for(&self, of: &Sight) -> bool {
        let says_so = |sight: &Sight| {
            sight.neighbours.iter().any(|n| n.node_id == of.node_id && n.state.as_deref() == Some("up"))
        };
        of.node_id.is_some()
            && self.sights.iter().any(|(at, sight)| self.answers(at, sight) && says_so(sight))
    }
}

/// The name in what a peer says of itself.
pub fn name_in(profile: &serde_json::Value) -> Option<String> {
    let name = profile.get("name")?.as_str()?.trim();
    (!name.is_empty()).then(|| name.chars().take(40).collect())
}

#[cfg(test)]
#[path = "mesh_tests.rs"]
mod tests;
