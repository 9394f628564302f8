//! What a node answers to a visitor.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::{CloseCode, RawJson};
use serde::Deserialize;

/// The body of a good answer to `POST /signaling/exchange`.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) ticket: String,
    /// Whether the peer is announced at the node: only then there is mail for it.
    #[serde(default)]
    pub(super) announced: bool,
    #[serde(default)]
    pub(super) messages: Vec<RawJson>,
    #[serde(default)]
    pub(super) mail: Vec<Item>,
}

/// One message of the peer's mail.
#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) message: RawJson,
}

impl Answer {
    pub(super) fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
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

/// What the node says about a bad one, for people.
pub(super) fn reason(body: &str) -> String {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    serde_json::from_str(body).map(|Refused { error }| error).unwrap_or_default()
}
