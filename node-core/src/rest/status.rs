//! What a node tells of itself and of the mesh.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::NodeDescriptor;
use pigeonhub_protocol::{Millis, NodeId, PeerId, limit};
use serde::Serialize;

use super::page::Entry;
use super::{Reply, iso_8601};
use crate::{Contact, Membership, Node, Presence, Standing};

/// What a node knows of itself at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    /// The node.
    pub node: &'a Node,
    /// The nodes of the mesh, and the own descriptor.
    pub mesh: &'a Membership,
    /// The mesh's name for itself, `APP_ID`.
    pub app: &'a str,
    /// How peers may talk to it: `websocket`, `http`; best first.
    pub transports: &'a [&'static str],
    /// The port at which it listens.
    pub port: u16,
    /// When it was started.
    pub started: Millis,
    /// The current time.
    pub now: Millis,
    /// Open sockets.
    pub connections: usize,
    /// Live peers in all networks, here and at other nodes.
    pub peers: usize,
    /// Networks that have peers.
    pub networks: usize,
    /// Whether the node is about to stop, and takes nobody in.
    pub draining: bool,
    /// Whether it is in a DHT, and other nodes of that answer.
    pub dht_ready: bool,
}

/// Peers that `GET /signaling` lists; `GET /peers` has them all.
const LISTED: usize = 100;

impl Status<'_> {
    /// `GET /health`; 503 from a node that drains, so that nobody is sent to it.
    #[must_use]
    pub fn health(&self) -> Reply {
        let own = self.mesh.own();
        let nodes = self.mesh.up().count();
        let health = Reply::ok(&Health {
            status: if self.draining { "draining" } else { "healthy" },
            node_id: &self.node.id,
            port: self.port,
            uptime: self.now.since(self.started),
            connected: nodes > 0,
            is_bootstrapping: nodes == 0 && self.mesh.contacts().iter().any(|contact| contact.configured),
            dht_ready: self.dht_ready,
            signal_dir_ready: false,
            timestamp: iso_8601(self.now),
            connections: self.connections,
            region: own.region.as_deref(),
            version: &own.version,
            peers: self.peers,
            networks: self.networks,
            nodes,
        });
        Reply { status: if self.draining { 503 } else { 200 }, ..health }
    }

    /// `GET /signaling`; `listed` are some peers of the network `global`.
    #[must_use]
    pub fn signaling(&self, listed: &[Arc<Presence>]) -> Reply {
        let own = self.mesh.own();
        let local = format!("ws://127.0.0.1:{}", self.port);
        Reply::ok(&Signaling {
            node_id: &self.node.id,
            signaling_port: self.port,
            ws_url: &own.u,
            webrtc_url: &own.u,
            generate_peer_id_url: format!("{}/generate-peer-id", own.http_url()),
            connected_peers: listed.iter().take(LISTED).map(|p| Entry::of(self.node, p)).collect(),
            total_connections: self.connections,
            peer_data_entries: self.peers,
            instructions: "Open wsUrl with ?peerId=<40 hexadecimal digits>, then send an announce.",
            alternative_urls: AlternativeUrls { ws_url_127: &local, webrtc_url_127: &local },
            transports: self.transports,
            limits: Limits {
                message: limit::MESSAGE,
                profile: limit::PROFILE,
                network_name: limit::NETWORK_NAME,
                discovery: self.node.settings.discovery,
                hold: self.node.settings.hold,
                lease: self.node.settings.lease,
            },
            app: self.app,
            node: own,
            nodes: self.neighbours(),
            timestamp: iso_8601(self.now),
        })
    }

    /// `GET /hubs`
    #[must_use]
    pub fn hubs(&self) -> Reply {
        let hubs = self.neighbours();
        Reply::ok(&Hubs { timestamp: iso_8601(self.now), total_hubs: hubs.len(), hubs })
    }

    /// `GET /api/node`
    #[must_use]
    pub fn descriptor(&self) -> Reply {
        Reply::ok(&self.mesh.own().given_out(self.now))
    }

    /// `GET /.well-known/pigeonhub-bootstrap`
    #[must_use]
    pub fn bootstrap(&self) -> Reply {
        let own = self.mesh.own().given_out(self.now);
        let peers = core::iter::once(&own).chain(self.mesh.direct()).collect();
        Reply::ok(&Bootstrap { app: self.app, peers, timestamp: self.now })
    }

    /// `GET /`
    #[must_use]
    pub fn root(&self) -> Reply {
        let own = self.mesh.own();
        Reply::ok(&Root {
            service: "PigeonHub node",
            node_id: &self.node.id,
            version: &own.version,
            url: &own.u,
            demo: "/demo/",
            health: "/health",
            signaling: "/signaling",
            peers: "/peers",
        })
    }

    /// `GET /generate-peer-id`
    #[must_use]
    pub fn generated(&self, peer: PeerId) -> Reply {
        let own = self.mesh.own();
        let url = |base: &str| format!("{}/?peerId={peer}", base.trim_end_matches('/'));
        Reply::ok(&Generated {
            peer_id: peer,
            length: peer.as_str().len(),
            ws_url: url(&own.u),
            usage: Usage {
                description: "Open the WebSocket with this id; announce to be found.",
                example: format!("new WebSocket('{}')", url(&own.u)),
                alternative_example: format!(
                    "new WebSocket('{}')",
                    url(&format!("ws://127.0.0.1:{}", self.port))
                ),
            },
            node_id: &self.node.id,
            timestamp: iso_8601(self.now),
        })
    }

    fn neighbours(&self) -> Vec<Neighbour<'_>> {
        self.mesh.contacts().iter().map(Neighbour::of).collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health<'a> {
    status: &'static str,
    node_id: &'a NodeId,
    port: u16,
    uptime: u64,
    /// At least one other node can be reached.
    connected: bool,
    /// Nodes are configured, and none was reached yet.
    is_bootstrapping: bool,
    dht_ready: bool,
    signal_dir_ready: bool,
    timestamp: String,
    connections: usize,
    region: Option<&'a str>,
    version: &'a str,
    peers: usize,
    networks: usize,
    nodes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signaling<'a> {
    node_id: &'a NodeId,
    signaling_port: u16,
    ws_url: &'a str,
    webrtc_url: &'a str,
    generate_peer_id_url: String,
    connected_peers: Vec<Entry<'a>>,
    total_connections: usize,
    peer_data_entries: usize,
    instructions: &'static str,
    alternative_urls: AlternativeUrls<'a>,
    transports: &'a [&'static str],
    limits: Limits,
    app: &'a str,
    node: &'a NodeDescriptor,
    nodes: Vec<Neighbour<'a>>,
    timestamp: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlternativeUrls<'a> {
    ws_url_127: &'a str,
    webrtc_url_127: &'a str,
}

/// Sizes in bytes, times in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    message: usize,
    profile: usize,
    network_name: usize,
    discovery: usize,
    hold: u64,
    lease: u64,
}

/// Another node as this one sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Neighbour<'a> {
    node_id: Option<&'a NodeId>,
    u: &'a str,
    t: &'a str,
    state: &'static str,
    /// The node through which it is reached, if it cannot be dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'a NodeId>,
    region: Option<&'a str>,
    round_trip: Option<u64>,
}

impl<'a> Neighbour<'a> {
    fn of(contact: &'a Contact) -> Self {
        let descriptor = contact.descriptor.as_ref();
        let u = descriptor.map_or(contact.url.as_str(), |descriptor| &descriptor.u);
        Self {
            node_id: contact.node(),
            u,
            t: u.split(':').next().unwrap_or_default(),
            state: match contact.standing {
                Standing::Unknown => "unknown",
                Standing::Up => "up",
                Standing::Down { .. } => "down",
            },
            via: contact.via.as_ref(),
            region: descriptor.and_then(|descriptor| descriptor.region.as_deref()),
            round_trip: contact.round_trip,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hubs<'a> {
    timestamp: String,
    total_hubs: usize,
    hubs: Vec<Neighbour<'a>>,
}

#[derive(Serialize)]
struct Bootstrap<'a> {
    app: &'a str,
    peers: Vec<&'a NodeDescriptor>,
    timestamp: Millis,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    service: &'static str,
    node_id: &'a NodeId,
    version: &'a str,
    url: &'a str,
    demo: &'static str,
    health: &'static str,
    signaling: &'static str,
    peers: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generated<'a> {
    peer_id: PeerId,
    length: usize,
    ws_url: String,
    usage: Usage,
    node_id: &'a NodeId,
    timestamp: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    description: &'static str,
    example: String,
    alternative_example: String,
}
