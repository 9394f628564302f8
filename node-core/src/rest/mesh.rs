//! Answers to other nodes.

use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::mesh::{Announced, Meeting, OneOrMany, Routed};
use serde::Serialize;

use super::Reply;

/// To `POST /api/meet`.
#[must_use]
pub fn meeting(meeting: &Meeting) -> Reply {
    Reply::ok(meeting)
}

/// To `POST /api/leave`, `/api/interest` and `/api/withdraw-peer`.
#[must_use]
pub fn done() -> Reply {
    #[derive(Serialize)]
    struct Done {
        success: bool,
    }
    Reply::ok(&Done { success: true })
}

/// To `POST /api/announce-peer`: how many peers were told, and how many there are here.
#[must_use]
pub fn announced(node: &NodeId, told: usize, here: usize) -> Reply {
    Reply::ok(&Announced {
        success: true,
        notified_peers: told,
        total_connected: here,
        node_id: node.clone(),
    })
}

/// To `POST /api/route-signal`, in kind.
#[must_use]
pub fn routed(routed: &OneOrMany<Routed>) -> Reply {
    Reply::ok(routed)
}
