//! What a node answers to a visitor.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::{Close, CloseCode, Code, Fields};
use serde_json::value::RawValue;

/// The body of a good answer to `POST /signaling/exchange`.
pub(super) struct Answer<'a> {
    pub(super) ticket: String,
    /// Whether the peer is announced at the node: only then there is mail for it.
    pub(super) is_announced: bool,
    /// Replies to what was said.
    pub(super) messages: Vec<&'a RawValue>,
    /// The peer's mail, with its numbers.
    pub(super) mail: Vec<(u64, &'a RawValue)>,
}

impl<'a> Answer<'a> {
    pub(super) fn read(body: &'a str) -> Option<Self> {
        let fields = Fields::parse(body)?;
        let item = |item| {
            let fields = Fields::read(item)?;
            Some((fields.get("id")?.get().parse().ok()?, fields.get("message")?))
        };
        Some(Self {
            ticket: fields.text("ticket")?,
            is_announced: fields.get("announced").is_some_and(|announced| announced.get() == "true"),
            messages: fields.list("messages"),
            mail: fields.list("mail").into_iter().filter_map(item).collect(),
        })
    }
}

/// Whether the node can be asked the same again.
pub(super) const fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 500 | 502..=504)
}

/// The close code of a socket that would have been closed for the same reason.
pub(super) const fn close_code(status: u16) -> u16 {
    /// "Protocol error": what answers is no node of this kind.
    const NO_NODE: u16 = 1002;
    match status {
        401 => CloseCode::Restart as u16,
        409 => CloseCode::Policy as u16,
        413 => CloseCode::TooLarge as u16,
        status if is_passing(status) => CloseCode::TryLater as u16,
        _ => NO_NODE,
    }
}

/// Why a node that is about to stop would close a socket, and where else to go.
pub(super) fn draining(body: &str) -> Option<String> {
    let fields = Fields::parse(body)?;
    if fields.text("code")? != Code::Draining.as_str() {
        return None;
    }
    let nodes = fields.list("nodes").into_iter();
    let nodes: Vec<&str> = nodes.map(|node| node.get().trim_matches('"')).collect();
    Some(Close::restart_hinting(nodes))
}

/// What the node says about a bad one, for people.
pub(super) fn reason(body: &str) -> String {
    Fields::parse(body).and_then(|fields| fields.text("error")).unwrap_or_default()
}
