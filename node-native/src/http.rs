//! HTTP: requests in as bytes, the core's replies out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pigeonhub_node_core::MailSeq;
use pigeonhub_node_core::gate::{MESH_HEADER, Signed};
use pigeonhub_node_core::rest::{self, Reply};
use pigeonhub_protocol::http_signature::{self, decode_key};
use pigeonhub_protocol::{Code, NodeId};
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::clock::{now, wall};
use crate::host::Host;
use crate::mesh::signed;
use crate::{demo, upgrade};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of a body that is too large so many bytes are read and forgotten, for so long.
const DISCARDED: usize = 16 * 1024 * 1024;
const DISCARDING: Duration = Duration::from_secs(2);

/// All that the node answers.
pub fn router(host: Arc<Host>, origins: Option<Vec<HeaderValue>>) -> Router {
    let origins = origins.map_or_else(AllowOrigin::any, AllowOrigin::list);
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers([CONTENT_TYPE])
        .max_age(Duration::from_secs(24 * 60 * 60));
    // By default images and event streams are left alone, too.
    let large = DefaultPredicate::new().and(SizeAbove::new(1024));
    Router::new()
        .route("/demo", any(demo::to_index))
        .route("/demo/", any(demo::index))
        .route("/demo/{*path}", any(demo::file))
        .fallback(answer)
        .layer(CompressionLayer::new().gzip(true).compress_when(large))
        .layer(cors)
        .layer(from_fn_with_state(Arc::clone(&host), sockets_first))
        .with_state(host)
}

/// Sockets are accepted on any path, as existing nodes do.
async fn sockets_first(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    if upgrade::is_wanted(&request) { upgrade::accept(host, request) } else { next.run(request).await }
}

async fn answer(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match read(&parts, body).await {
        Ok(body) => respond(&host, &parts, &body).await,
        Err(reply) => response(reply),
    }
}

async fn read(parts: &Parts, mut body: Body) -> Result<Bytes, Reply> {
    let most = rest::body_limit(parts.uri.path());
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let read = if length.is_some_and(|length: usize| length > most) {
        Err(Reply::refuse(Code::MessageTooLarge))
    } else {
        match timeout(PATIENCE, Limited::new(&mut body, most).collect()).await {
            Ok(Ok(read)) => return Ok(read.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Reply::refuse(Code::MessageTooLarge)),
            Ok(Err(_)) => Err(Reply::refuse_saying(Code::InvalidRequest, "the body breaks off")),
            Err(_) => return Err(Reply::refuse_saying(Code::InvalidRequest, "the body does not come")),
        }
    };
    discard(body).await;
    read
}

/// Reads and forgets, up to a point: a connection that is closed with data unread is reset, and the
/// refusal lost on the way.
async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // Whoever sends slowly hears of it, or not.
    let _ = timeout(DISCARDING, all).await;
}

async fn respond(host: &Arc<Host>, parts: &Parts, body: &[u8]) -> Response {
    let (path, query) = (parts.uri.path(), parts.uri.query());
    let query_signed = format!("?{}", query.unwrap_or_default());
    let authority = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let proven = http_signature::Request {
        method: parts.method.as_str(),
        authority,
        path,
        query: &query_signed,
        body,
    };
    let claimed = signed(&parts.headers).transpose();
    let signed = match claimed {
        Ok(signed) => signed,
        Err(code) => return response(Reply::refuse_saying(code, "the signature headers are malformed")),
    };
    // Who meets us may be unknown yet: that is checked with what it says of itself.
    let is_meeting = path.trim_end_matches('/') == "/api/meet";
    let node = match &signed {
        Some(signed) if !is_meeting => match signer(host, signed, &proven) {
            Ok(node) => Some(node),
            Err(error) => return response(Reply::refuse_saying(Code::Unauthorized, error)),
        },
        _ => None,
    };
    let request = rest::Request {
        method: parts.method.as_str(),
        path,
        query: query.unwrap_or_default(),
        body,
        node: node.as_ref(),
    };
    match rest::route(&request) {
        Ok(rest::Call::Meet(meeting)) => {
            let met = host.met_by(meeting, signed.as_ref(), &proven).await;
            let mut response = response(met.unwrap_or_else(|refusal| refusal));
            if let (Some(secret), Some(signed)) = (host.mesh.gate.secret(), &signed) {
                response.headers_mut().extend(header(MESH_HEADER, &signed.answer(secret)));
            }
            response
        }
        Ok(rest::Call::Relay(by, relayed)) => response(host.relay(&by, &relayed).await),
        Ok(rest::Call::Events(query)) => {
            let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
            host.events(&query.ticket, MailSeq(last.unwrap_or(query.cursor)))
        }
        Ok(rest::Call::Metrics) => host.figures().await.into_response(),
        Ok(rest::Call::Watch(topic)) => host.watch(topic),
        Ok(call) => response(host.call(call).await),
        Err(refusal) => response(refusal),
    }
}

/// The known node that signed a request.
pub fn signer(
    host: &Arc<Host>,
    signed: &Signed,
    request: &http_signature::Request<'_>,
) -> Result<NodeId, &'static str> {
    let node = signed.node().ok_or("keyid is no node id")?;
    let key = {
        let membership = host.mesh.membership();
        let descriptor = membership.find(&node).and_then(|contact| contact.descriptor.as_ref());
        descriptor.and_then(|descriptor| decode_key(&descriptor.public_key))
    };
    let key = key.ok_or("the node is not known here; meet first")?;
    host.mesh.gate.check(signed, &key, request, wall())?;
    host.mesh.membership().spoke(&node, now());
    Ok(node)
}

/// A reply of the core on the wire.
pub fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (status, headers, reply.body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().extend(header(name, value));
    }
    response
}

fn header(name: &'static str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_static(name), value.parse().ok()?))
}
