//! From an HTTP request to a WebSocket, on any path.
//!
//! The handshake is done here and not by axum's extractor, because a socket that was taken out of
//! hyper again is a plain TCP stream: no virtual calls and no buffers of hyper's for each of ten
//! thousand sockets, and the WebSocket's errors keep their types.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use pigeonhub_node_core::Knock;
use pigeonhub_node_core::rest::Reply;
use pigeonhub_protocol::{Code, limit};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::host::Host;
use crate::http::response;
use crate::socket::Session;

/// Whether the request wants to become a WebSocket.
pub fn is_wanted(request: &Request) -> bool {
    request.method() == Method::GET && names(request.headers(), &UPGRADE, "websocket")
}

/// Does what it wants. Whether the peer is welcome it hears afterwards, by a close code: a browser
/// tells its page nothing about an upgrade that failed.
pub fn accept(host: Arc<Host>, mut request: Request) -> Response {
    let headers = request.headers();
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let (Some(key), true) = (key, names(headers, &CONNECTION, "upgrade")) else {
        return refuse("the WebSocket handshake is incomplete");
    };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let version = [(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))];
        return (version, refuse("only version 13 of the WebSocket protocol is understood")).into_response();
    }
    let knock = Knock::read(request.uri().query().unwrap_or_default());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Boxed: what is needed only to begin takes no room in ten thousand tasks.
        if let Some(session) = Box::pin(begin(upgrade, host, knock)).await {
            session.serve().await;
        }
    });
    let headers =
        [(CONNECTION, HeaderValue::from_static("upgrade")), (UPGRADE, HeaderValue::from_static("websocket"))];
    (StatusCode::SWITCHING_PROTOCOLS, headers, [(SEC_WEBSOCKET_ACCEPT, key)]).into_response()
}

async fn begin(upgrade: OnUpgrade, host: Arc<Host>, knock: Knock) -> Option<Box<Session>> {
    Session::enter(open(upgrade).await?, host, &knock).await
}

async fn open(upgrade: OnUpgrade) -> Option<WebSocketStream<TcpStream>> {
    // The peer went before the handshake was over, or it is no TCP stream (it always is).
    let Parts { io, read_buf, .. } = upgrade.await.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
    let config = WebSocketConfig::default()
        // The library's 128 KiB for each socket is the usual memory disaster.
        .read_buffer_size(4 * 1024)
        // Frames up to this are collected and written at once.
        .write_buffer_size(32 * 1024)
        .max_write_buffer_size(4 * limit::MESSAGE)
        .max_message_size(Some(limit::MESSAGE))
        .max_frame_size(Some(limit::MESSAGE));
    let io = io.into_inner();
    // Copied: hyper's buffer would live on as the socket's, with twice the room.
    Some(WebSocketStream::from_partially_read(io, read_buf.to_vec(), Role::Server, Some(config)).await)
}

fn refuse(error: &str) -> Response {
    response(Reply::refuse_saying(Code::InvalidRequest, error))
}

/// Whether one of a header's values, in a list separated by commas, is this word.
fn names(headers: &HeaderMap, header: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
}
