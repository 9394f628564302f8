//! The words on the wire: ids, messages in both directions, error codes, close codes, limits.
//!
//! Everything that two programs must agree on lives here and nothing else does: no clock, no
//! randomness, no socket. `data` fields are kept as the raw JSON text that came in
//! ([`RawJson`]), so a node passes them on bit for bit without looking inside.
//!
//! * [`PeerMessage`]: what a peer says to a node. [`NodeMessage`]: what a node says to a peer.
//! * [`mesh`]: what nodes say to each other over HTTP.
//! * [`http_signature`]: how a node proves that an HTTP request is its own (RFC 9421).
//! * [`proof`]: how a peer proves that a message is its own.
//! * [`signed_json`]: how anybody proves that a JSON value is theirs (RFC 8785).
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod canonical;
mod close;
mod code;
mod fields;
mod frame;
pub mod http_signature;
mod id;
pub mod limit;
pub mod mesh;
mod node_message;
mod peer_message;
pub mod proof;
mod record;
mod signal;
pub mod signed_json;
mod time;

pub use canonical::canonical;
pub use close::{Close, CloseCode};
pub use code::{Code, UnknownCode};
pub use fields::Fields;
pub use frame::{Frame, RawJson, raw_json};
pub use id::{InvalidId, MessageId, NetworkName, NodeId, PeerId, Ticket};
pub use node_message::{NodeMessage, ParseNodeMessageError, Refusal};
pub use peer_message::{ParseError, PeerMessage, profile};
pub use record::Record;
pub use signal::{Signal, SignalKind};
pub use time::{Millis, Moment};
