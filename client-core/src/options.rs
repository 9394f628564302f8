//! What an app chooses when it connects.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pigeonhub_protocol::{Fields, NetworkName, PeerId, RawJson, raw_json};

/// A node's URL as the app gave it (`ws://`, `wss://`, `http://` or `https://`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeUrl(pub String);

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One try to be on a node. A new number for every dial, so that late news of an old socket is
/// told from news of the one that replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

/// What an app chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// The peer's own id.
    pub peer: PeerId,
    /// The network to be in.
    pub network: NetworkName,
    /// What others are told about this peer: a JSON object.
    pub profile: RawJson,
    /// Nodes to choose from, best first.
    pub nodes: Vec<NodeUrl>,
    /// The peer's public key, 32 bytes in base64, if it has one: then `peer` is its SHA-1, and all that
    /// the peer says is [to be signed](crate::Action::Sign).
    pub key: Option<String>,
    /// Whether peers that do not prove their ids are neither shown nor heard.
    pub require_verified: bool,
    /// How many nodes to be on at once; 2 unless the app says otherwise.
    pub sessions: usize,
}

impl Options {
    /// The usual choice: an empty profile, two sessions.
    #[must_use]
    pub fn new(peer: PeerId, network: NetworkName, nodes: Vec<NodeUrl>) -> Self {
        let profile = raw_json(&Fields::default());
        Self { peer, network, profile, nodes, key: None, require_verified: false, sessions: 2 }
    }
}
