//! Why a node closes a WebSocket.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// Bytes that the reason in a close frame may have.
const REASON: usize = 123;

/// WebSocket close codes that a node uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The peer said goodbye or left in an orderly way.
    Normal = 1000,
    /// Refused: bad id, id in use, node full.
    Policy = 1008,
    /// A frame was larger than [`crate::limit::MESSAGE`].
    TooLarge = 1009,
    /// The node restarts; come back, here or elsewhere.
    Restart = 1012,
    /// The peer does not read as fast as it is written to; come back later.
    TryLater = 1013,
    /// Somebody proved to be the same peer and took the session over.
    TakenOver = 4001,
}

/// A close frame: code and reason text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: CloseCode,
    /// The reason, for people.
    pub reason: &'static str,
}

impl Close {
    /// The `peerId` of the URL is missing or no peer id.
    pub const INVALID_PEER_ID: Self = Self { code: CloseCode::Policy, reason: "Invalid peerId format" };
    /// The id has a live socket on this node.
    pub const ALREADY_CONNECTED: Self = Self { code: CloseCode::Policy, reason: "Peer already connected" };
    /// The node has as many sockets as it may.
    pub const FULL: Self = Self { code: CloseCode::Policy, reason: "Maximum connections reached" };
    /// A frame was too large.
    pub const TOO_LARGE: Self = Self { code: CloseCode::TooLarge, reason: "Message too large" };
    /// The node is stopping.
    pub const RESTART: Self = Self { code: CloseCode::Restart, reason: "Server shutting down" };
    /// The peer reads too slowly.
    pub const SLOW: Self = Self { code: CloseCode::TryLater, reason: "Reading too slowly" };
    /// The same peer connected again.
    pub const TAKEN_OVER: Self = Self { code: CloseCode::TakenOver, reason: "Session taken over" };
    /// No answer to pings.
    pub const SILENT: Self = Self { code: CloseCode::Policy, reason: "No answer to pings" };

    /// The reason of [`Self::RESTART`], and where else to go, as far as a close frame has room for it:
    /// `Server shutting down; wss://a.example wss://b.example`.
    #[must_use]
    pub fn restart_hinting<'a>(nodes: impl IntoIterator<Item = &'a str>) -> String {
        let mut reason = Self::RESTART.reason.to_owned();
        for (number, node) in nodes.into_iter().enumerate() {
            let mark = if number == 0 { "; " } else { " " };
            if reason.len() + mark.len() + node.len() > REASON {
                break;
            }
            reason.push_str(mark);
            reason.push_str(node);
        }
        reason
    }

    /// Where else to go, as the reason of a close frame has it.
    pub fn hints(reason: &str) -> impl Iterator<Item = &str> {
        let hints = reason.strip_prefix(Self::RESTART.reason).and_then(|rest| rest.strip_prefix("; "));
        hints.into_iter().flat_map(|hints| hints.split(' '))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_restart_names_as_many_nodes_as_there_is_room_for() {
        let hints = |reason: &str| Close::hints(reason).map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(Close::restart_hinting([]), Close::RESTART.reason);
        assert!(hints(Close::RESTART.reason).is_empty());
        let reason = Close::restart_hinting(["wss://a.example", "wss://b.example"]);
        assert_eq!(reason, "Server shutting down; wss://a.example wss://b.example");
        assert_eq!(hints(&reason), ["wss://a.example", "wss://b.example"]);
        let long = Close::restart_hinting(vec!["wss://a-node.example"; 20]);
        assert!(long.len() <= REASON);
        assert_eq!(hints(&long).len(), 4);
    }
}
