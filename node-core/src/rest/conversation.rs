//! `POST /signaling/exchange` and `GET /signaling/events`.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::{Frame, NodeId, PeerId, RawJson};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Reply, query};
use crate::{Conversation, MailSeq};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    ticket: &'a str,
    peer_id: PeerId,
    node_id: &'a NodeId,
    /// Only who is announced has mail, and a stream of it.
    announced: bool,
    messages: Vec<RawJson>,
    mail: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    id: u64,
    message: RawJson,
}

/// What a stream is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsQuery {
    /// The caller's ticket; empty if it gave none.
    pub ticket: String,
    /// It has its mail up to here; a header `Last-Event-ID` counts more.
    pub cursor: u64,
}

impl EventsQuery {
    pub(super) fn read(query: &str) -> Self {
        let cursor = query::parameter(query, "cursor").and_then(|cursor| cursor.parse().ok());
        Self {
            ticket: query::parameter(query, "ticket").unwrap_or_default(),
            cursor: cursor.unwrap_or_default(),
        }
    }
}

/// What came of what a peer said: a ticket for the next time, the replies in order, and its mail if
/// it asked for it.
#[must_use]
pub fn conversation(node: &NodeId, conversation: &Conversation) -> Reply {
    let item = |(seq, frame): &(MailSeq, Frame)| Item { id: seq.0, message: raw(frame) };
    Reply::ok(&Answer {
        ticket: &conversation.ticket,
        peer_id: conversation.caller.peer,
        node_id: node,
        announced: conversation.caller.network.is_some(),
        messages: conversation.replies.iter().map(raw).collect(),
        mail: conversation.mail.iter().map(item).collect(),
    })
}

/// Frames are JSON: we made them.
fn raw(frame: &Frame) -> RawJson {
    RawValue::from_string(frame.as_str().into()).unwrap_or_default()
}
