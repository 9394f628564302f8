//! From a request to what it asks for.

use alloc::string::String;

use pigeonhub_protocol::mesh::{
    Interest, Leave, Meeting, OneOrMany, PeerAnnouncement, PeerWithdrawal, Relayed, Routing,
};
use pigeonhub_protocol::{Code, NodeId, limit, profile};

use super::{
    EventsQuery, FindQuery, PageQuery, Publication, Records, RecordsQuery, Reply, bodies, query, replicate,
};
use crate::Talk;
use crate::records::Digests;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Upper case.
    pub method: &'a str,
    /// As sent, without query.
    pub path: &'a str,
    /// As sent, without question mark.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The node that signed the request, if one did whose key is known.
    pub node: Option<&'a NodeId>,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub enum Call {
    /// `GET /`
    Root,
    /// `GET /health`
    Health,
    /// `GET /signaling`
    Signaling,
    /// `POST /signaling/exchange`
    Exchange(Talk),
    /// `GET /signaling/events`: a stream, which only the host can keep open.
    Events(EventsQuery),
    /// `GET /generate-peer-id`
    GeneratePeerId,
    /// `GET /peers`
    Peers(PageQuery),
    /// `GET /hubs`
    Hubs,
    /// `GET /metrics`: the one answer that is not JSON.
    Metrics,
    /// `GET /api/node`
    Descriptor,
    /// `GET /.well-known/pigeonhub-bootstrap`
    Bootstrap,
    /// `GET /.well-known/peerpigeon.json`: the same for existing programs, signed by the host.
    Seeds,
    /// `POST /api/meet`. Who speaks may be unknown yet: the host checks the signature against the
    /// key of the meeting itself, and that key against the node's own URL.
    Meet(Meeting),
    /// `POST /api/leave`
    Leave(NodeId),
    /// `POST /api/interest`
    Interest(NodeId, OneOrMany<Interest>),
    /// `POST /api/announce-peer`
    Announce(NodeId, OneOrMany<PeerAnnouncement>),
    /// `POST /api/withdraw-peer`
    Withdraw(NodeId, OneOrMany<PeerWithdrawal>),
    /// `POST /api/route-signal`
    RouteSignal(NodeId, OneOrMany<Routing>),
    /// `POST /api/relay`: see [`crate::Membership::passage`].
    Relay(NodeId, Relayed),
    /// `POST /api/publish`
    Publish(Publication),
    /// `GET /api/find/{topic}`
    Find(FindQuery),
    /// `GET /api/watch/{topic}`: a stream, which only the host can keep open.
    Watch(String),
    /// `POST /api/replicate`: another node gives records.
    Replicate(Records),
    /// `POST /api/records`: another node wants records.
    Records(RecordsQuery),
    /// `POST /api/reconcile`: another node compares.
    Reconcile(NodeId, Digests),
}

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";

/// Several messages in one body are wrapped, so it may be this much larger than one.
const WRAPPING: usize = 64 * 1024;

/// How many bytes the body of a request may have; more is refused with
/// [`Code::MessageTooLarge`] before it is read.
#[must_use]
pub fn body_limit(path: &str) -> usize {
    match path {
        "/api/publish" => limit::MESSAGE,
        "/api/relay" => limit::MESSAGE + 2 * WRAPPING,
        _ => limit::MESSAGE + WRAPPING,
    }
}

/// Finds out what a request asks for.
///
/// # Errors
/// The reply that refuses it.
pub fn route(request: &Request<'_>) -> Result<Call, Reply> {
    let path = match request.path {
        "/" => "/",
        path => path.strip_suffix('/').unwrap_or(path),
    };
    let allow = match path {
        "/"
        | "/health"
        | "/signaling"
        | "/signaling/events"
        | "/generate-peer-id"
        | "/peers"
        | "/hubs"
        | "/metrics"
        | "/api/node"
        | "/.well-known/pigeonhub-bootstrap"
        | "/.well-known/peerpigeon.json" => GET,
        "/signaling/exchange"
        | "/api/meet"
        | "/api/leave"
        | "/api/interest"
        | "/api/announce-peer"
        | "/api/withdraw-peer"
        | "/api/route-signal"
        | "/api/relay"
        | "/api/publish"
        | "/api/replicate"
        | "/api/records"
        | "/api/reconcile" => POST,
        _ if path.starts_with("/api/find/") || path.starts_with("/api/watch/") => GET,
        _ => return Err(Reply::refuse(Code::NotFound)),
    };
    match request.method {
        "GET" | "HEAD" if allow == GET => get(path, request.query),
        "POST" if allow == POST => post(path, request.body, request.node),
        _ => Err(Reply::method_not_allowed(allow)),
    }
}

fn get(path: &str, query: &str) -> Result<Call, Reply> {
    Ok(match path {
        "/" => Call::Root,
        "/health" => Call::Health,
        "/signaling" => Call::Signaling,
        "/signaling/events" => Call::Events(EventsQuery::read(query)),
        "/generate-peer-id" => Call::GeneratePeerId,
        "/peers" => Call::Peers(PageQuery::read(query)?),
        "/hubs" => Call::Hubs,
        "/metrics" => Call::Metrics,
        "/api/node" => Call::Descriptor,
        "/.well-known/pigeonhub-bootstrap" => Call::Bootstrap,
        "/.well-known/peerpigeon.json" => Call::Seeds,
        _ => match path.strip_prefix("/api/watch/") {
            Some(text) => Call::Watch(topic(text)?),
            None => {
                let text = path.strip_prefix("/api/find/").unwrap_or_default();
                Call::Find(FindQuery::read(topic(text)?, query)?)
            }
        },
    })
}

fn topic(text: &str) -> Result<String, Reply> {
    query::decode(text)
        .filter(|topic| (1..=limit::TOPIC).contains(&topic.len()))
        .ok_or_else(|| Reply::invalid("the topic is empty, too long or not UTF-8"))
}

fn post(path: &str, body: &[u8], node: Option<&NodeId>) -> Result<Call, Reply> {
    match path {
        "/signaling/exchange" => return bodies::one(body).map(Call::Exchange),
        "/api/meet" => return bodies::one(body).map(Call::Meet),
        "/api/publish" => return Publication::read(body).map(Call::Publish),
        _ => {}
    }
    let node = node.cloned().ok_or_else(|| Reply::refuse(Code::Unauthorized))?;
    // A node speaks for itself only.
    let own = |named: &NodeId| (*named == node).then_some(()).ok_or_else(|| Reply::refuse(Code::Forbidden));
    match path {
        "/api/leave" => {
            let Leave { node_id } = bodies::one(body)?;
            own(&node_id)?;
            Ok(Call::Leave(node))
        }
        "/api/interest" => {
            let items = bodies::one_or_many::<Interest>(body, |item| serde_json::from_str(item))?;
            all(&items).try_for_each(|item| own(&item.node_id))?;
            Ok(Call::Interest(node, items))
        }
        "/api/announce-peer" => {
            let mut items = bodies::one_or_many::<PeerAnnouncement>(body, |item| serde_json::from_str(item))?;
            all(&items).try_for_each(|item| own(&item.node_id))?;
            // A node says where a peer is, and no more than a peer may it say what only we write.
            for item in all_mut(&mut items) {
                item.data = profile(Some(&item.data)).map_err(Reply::refuse)?;
            }
            Ok(Call::Announce(node, items))
        }
        "/api/withdraw-peer" => {
            let items = bodies::one_or_many::<PeerWithdrawal>(body, |item| serde_json::from_str(item))?;
            all(&items).try_for_each(|item| own(&item.node_id))?;
            Ok(Call::Withdraw(node, items))
        }
        "/api/route-signal" => {
            bodies::one_or_many(body, bodies::routing).map(|items| Call::RouteSignal(node, items))
        }
        "/api/relay" => bodies::one(body).map(|relayed| Call::Relay(node, relayed)),
        // Records prove themselves, whoever brings them.
        "/api/replicate" => Records::read(body).map(Call::Replicate),
        "/api/records" => RecordsQuery::read(body).map(Call::Records),
        _ => replicate::digests(body).map(|digests| Call::Reconcile(node, digests)),
    }
}

fn all_mut<T>(items: &mut OneOrMany<T>) -> impl Iterator<Item = &mut T> {
    match items {
        OneOrMany::One(one) => core::slice::from_mut(one),
        OneOrMany::Many(many) => many.as_mut_slice(),
    }
    .iter_mut()
}

fn all<T>(items: &OneOrMany<T>) -> impl Iterator<Item = &T> {
    match items {
        OneOrMany::One(one) => core::slice::from_ref(one),
        OneOrMany::Many(many) => many.as_slice(),
    }
    .iter()
}
