//! `GET /peers`: the live peers of a network, page by page.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId, RawJson};
use serde::Serialize;

use super::{Reply, iso_8601, query};
use crate::{Home, Node, Presence};

/// Peers on one page at most.
const LONGEST: usize = 500;
/// Peers on one page if nobody says how many.
const USUAL: usize = 100;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageQuery {
    /// Of this network; `global` if none is named.
    pub network: NetworkName,
    /// Peers after this one.
    pub cursor: Option<PeerId>,
    /// At most so many. (Ask the store for one more, to know whether there is a next page.)
    pub limit: usize,
}

impl PageQuery {
    pub(super) fn read(text: &str) -> Result<Self, Reply> {
        let network = query::parameter(text, "network").unwrap_or_default();
        let network = network.parse().map_err(|_| Reply::invalid("network is no network name"))?;
        let cursor = query::parameter(text, "cursor").map(|cursor| cursor.parse()).transpose();
        let cursor = cursor.map_err(|_| Reply::invalid("cursor is no peer id"))?;
        let limit = query::parameter(text, "limit").map_or(Ok(USUAL), |limit| limit.parse());
        let limit = limit.map_err(|_| Reply::invalid("limit is no number"))?;
        Ok(Self { network, cursor, limit: limit.clamp(1, LONGEST) })
    }
}

/// A peer as `/peers` and `/signaling` show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    peer_id: String,
    full_peer_id: PeerId,
    node_id: &'a NodeId,
    network_name: &'a NetworkName,
    connected: bool,
    /// When it was last heard of.
    timestamp: u64,
    data: &'a RawJson,
}

impl<'a> Entry<'a> {
    pub(super) fn of(node: &'a Node, presence: &'a Presence) -> Self {
        let short = presence.peer.as_str().get(..8).unwrap_or_default();
        Self {
            peer_id: alloc::format!("{short}..."),
            full_peer_id: presence.peer,
            node_id: match &presence.home {
                Home::Here(_) => &node.id,
                Home::At(node) => node,
            },
            network_name: &presence.network,
            connected: presence.is_live(),
            timestamp: presence.until.0.saturating_sub(node.settings.lease),
            data: &presence.profile,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    node_id: &'a NodeId,
    network_name: &'a NetworkName,
    peers: Vec<Entry<'a>>,
    count: usize,
    next: Option<PeerId>,
    timestamp: String,
}

/// A page; `presences` are up to one more than were asked for.
#[must_use]
pub fn peers(node: &Node, query: &PageQuery, presences: &[Arc<Presence>], now: Millis) -> Reply {
    let shown = presences.get(..query.limit).unwrap_or(presences);
    let next = shown.last().filter(|_| shown.len() < presences.len());
    Reply::ok(&Page {
        node_id: &node.id,
        network_name: &query.network,
        peers: shown.iter().map(|presence| Entry::of(node, presence)).collect(),
        count: shown.len(),
        next: next.map(|last| last.peer),
        timestamp: iso_8601(now),
    })
}
