//! A node's URL, as apps give it, as sockets dial it, as its HTTP API is reached.

use pigeonhub_client_core::NodeUrl;
use pigeonhub_protocol::{PeerId, Ticket};
use web_sys::Url;

use crate::error::HubError;

/// Checks a URL of a node.
pub(crate) fn checked(url: &str) -> Result<NodeUrl, HubError> {
    match parsed(url)?.protocol().as_str() {
        "ws:" | "wss:" | "http:" | "https:" => Ok(NodeUrl(url.into())),
        _ => Err(HubError::new("invalid-url", "a node's URL starts with ws, wss, http or https")),
    }
}

/// Where the socket to a node goes: path and query stay, `peerId` is added, and `resume`, which asks
/// for a ticket and shows the last one.
pub(crate) fn of_socket(node: &NodeUrl, peer: &PeerId, ticket: Option<&Ticket>) -> Result<String, HubError> {
    let url = parsed(&node.0)?;
    with_scheme(&url, "ws:", "wss:");
    let query = url.search_params();
    query.set("peerId", peer.as_str());
    query.set("resume", ticket.map(Ticket::as_str).unwrap_or_default());
    Ok(url.href())
}

/// Where a node's HTTP API has this path.
pub(crate) fn of_api(node: &NodeUrl, path: &str) -> Result<String, HubError> {
    let url = parsed(&node.0)?;
    with_scheme(&url, "http:", "https:");
    Ok(url.origin() + path)
}

/// Where a node streams a visitor's mail.
pub(crate) fn of_events(node: &NodeUrl, ticket: &str, cursor: u64) -> Result<String, HubError> {
    let url = parsed(&of_api(node, "/signaling/events")?)?;
    let query = url.search_params();
    query.set("ticket", ticket);
    query.set("cursor", &cursor.to_string());
    Ok(url.href())
}

fn parsed(url: &str) -> Result<Url, HubError> {
    Url::new(url).map_err(|thrown| HubError::thrown("invalid-url", &thrown))
}

/// `secure` for `wss` and `https`, else `plain`.
fn with_scheme(url: &Url, plain: &str, secure: &str) {
    url.set_protocol(if matches!(url.protocol().as_str(), "wss:" | "https:") { secure } else { plain });
}
