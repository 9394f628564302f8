//! What nodes say to each other: the bodies of the HTTP routes between them.
//!
//! | route | body | answer |
//! | --- | --- | --- |
//! | `POST /api/meet` | [`Meeting`] | [`Meeting`] |
//! | `POST /api/leave` | [`Leave`] | `{success}` |
//! | `POST /api/announce-peer` | [`PeerAnnouncement`], one or a list | [`Announced`] |
//! | `POST /api/withdraw-peer` | [`PeerWithdrawal`], one or a list | `{success}` |
//! | `POST /api/route-signal` | [`Routing`], one or a list | [`Routed`], one or a list |
//! | `POST /api/relay` | [`Relayed`] | [`RelayedAnswer`] |
//!
//! Every request is signed ([`crate::http_signature`]).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Code, Millis, NetworkName, NodeId, PeerId, RawJson, Refusal, Signal};

/// One of something, or a list: bodies take both, and are answered in kind.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// A list.
    Many(Vec<T>),
    /// A single one.
    One(T),
}

impl<T> OneOrMany<T> {
    /// All of them, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(many) => many,
            Self::One(one) => alloc::vec![one],
        }
    }
}

/// Where a node is and what it is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeDescriptor {
    /// The node.
    pub node_id: NodeId,
    /// The scheme of `u`: `ws`, `wss`, `http` or `https`.
    pub t: String,
    /// Its URL, without a path, as peers and nodes reach it.
    pub u: String,
    /// Ed25519 public key, base64: proves its requests.
    pub public_key: String,
    /// `us-east`, `us-west`, `eu-west`, `asia-pacific`, `global`, `local` or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Lower is asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Version of the software.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// When the descriptor was made.
    #[serde(default)]
    pub timestamp: Millis,
    /// `signature`, `expires`, and what newer versions say: passed on as it came, because the node
    /// has signed it.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl NodeDescriptor {
    /// The descriptor as its node gives it out now; one that is signed stays as it was signed.
    #[must_use]
    pub fn given_out(&self, now: Millis) -> Self {
        let mut descriptor = self.clone();
        if !self.more.contains_key("signature") {
            descriptor.timestamp = now;
        }
        descriptor
    }

    /// The URL for HTTP requests: `ws` becomes `http`, `wss` becomes `https`.
    #[must_use]
    pub fn http_url(&self) -> String {
        http_url(&self.u)
    }
}

/// A node's URL for HTTP requests, without a trailing slash.
#[must_use]
pub fn http_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.strip_prefix("ws") {
        Some(rest) if rest.starts_with("s://") || rest.starts_with("://") => {
            let mut http = String::from("http");
            http.push_str(rest);
            http
        }
        _ => url.to_string(),
    }
}

/// `http` or `https`, a host, perhaps a port; no path, no query, no credentials.
#[must_use]
pub fn is_node_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|authority| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        (1..=256).contains(&authority.len()) && authority.bytes().all(good)
    })
}

/// Two nodes tell each other of themselves and of the nodes that they know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// The one that speaks.
    pub node: NodeDescriptor,
    /// Others that it has reached lately. Hearsay: only a reason to ask them.
    #[serde(default)]
    pub nodes: Vec<NodeDescriptor>,
    /// A number that is new each time the speaker starts: who meets another one knows that the
    /// node has forgotten everything.
    #[serde(default)]
    pub incarnation: u64,
}

/// A node stops.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leave {
    /// The one that speaks.
    pub node_id: NodeId,
}

/// A peer is at the node that speaks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerAnnouncement {
    /// The peer.
    pub peer_id: PeerId,
    /// The node that speaks.
    pub node_id: NodeId,
    /// The peer's network.
    #[serde(default)]
    pub network_name: NetworkName,
    /// The peer's profile.
    pub data: RawJson,
    /// Milliseconds that this holds for, unless it is said again.
    #[serde(default)]
    pub lease: Option<u64>,
    /// Peers of the receiving node that were named to the newcomer, and are to be told of it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tell: Vec<PeerId>,
    /// Said again only to keep the lease: nobody is to be told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub refresh: bool,
}

/// The node that speaks has peers in a network, and wants to hear of those that the receiving node has
/// there. Of networks in which it has none it is told nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interest {
    /// The node that speaks.
    pub node_id: NodeId,
    /// The network.
    #[serde(default)]
    pub network_name: NetworkName,
    /// Whether the receiver is to say the same of itself, if it is so.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub answer: bool,
}

/// The answer to `announce-peer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// Always true.
    pub success: bool,
    /// How many peers were told.
    pub notified_peers: usize,
    /// How many peers are at the answering node.
    pub total_connected: usize,
    /// The answering node.
    pub node_id: NodeId,
}

/// How a peer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Departure {
    /// It said goodbye: its connections are to be closed.
    Goodbye,
    /// Its socket was closed in an orderly way, or it went to another network.
    Closed,
    /// Its socket broke or fell silent: it may be back in a moment.
    Lost,
}

/// A peer is no longer at the node that speaks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerWithdrawal {
    /// The peer.
    pub peer_id: PeerId,
    /// The node that speaks.
    pub node_id: NodeId,
    /// The peer's network.
    #[serde(default)]
    pub network_name: NetworkName,
    /// How it went.
    pub departure: Departure,
    /// What it said with its goodbye.
    #[serde(default)]
    pub data: RawJson,
}

/// Something for a peer of the receiving node.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Routing {
    /// A signal could not be delivered after all; its sender is to hear it.
    Return(Return),
    /// A signal.
    Signal(Signal),
}

/// A refusal on its way back to the sender of a signal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    /// The sender.
    pub return_to: PeerId,
    /// The network of sender and target.
    pub network_name: NetworkName,
    /// The node at which the signal was said; who is another one passes this on to it.
    #[serde(default, rename = "originNode", skip_serializing_if = "Option::is_none")]
    pub origin: Option<NodeId>,
    /// What it is to hear.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// What became of a [`Routing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Routed {
    /// It is in the target's mailbox, and the target reads it.
    pub routed: bool,
    /// The target is here, or was a moment ago.
    pub target_found: bool,
    /// Why it was not routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The answering node.
    pub node_id: NodeId,
    /// How many peers are at the answering node.
    pub connection_count: usize,
}

/// A request of one node to another that it cannot reach, on its way through a third that reaches
/// both. The sender of the inner request signed it for its receiver, so who passes it on can drop
/// and delay it, and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relayed {
    /// For whom the inner request is.
    pub to: NodeId,
    /// Its path; it is a `POST`, its query is `?to=` and the receiver, its authority the receiver's
    /// id: it is for a node, and not for a host.
    pub path: String,
    /// Its proof.
    pub proof: Proof,
    /// Its body.
    pub body: RawJson,
}

/// The answer to a relayed request, signed by the node that gave it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The proof of who answered, and what.
    pub proof: Proof,
    /// The body.
    pub body: RawJson,
}

/// What would be headers, if the request came by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// `content-digest`.
    pub content_digest: String,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
    /// The proof that the signer knows the mesh's secret, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}
