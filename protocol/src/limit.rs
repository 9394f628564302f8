//! Limits that every node keeps and every client may rely on. Sizes in bytes, times in
//! milliseconds.

/// One WebSocket frame or HTTP body; a larger frame closes the socket with 1009, a larger body is
/// answered 413.
pub const MESSAGE: usize = 1024 * 1024;
/// The profile (`data`) of an announce. It is copied to every peer of the network.
pub const PROFILE: usize = 16 * 1024;
/// A network's name.
pub const NETWORK_NAME: usize = 128;
/// A node's id.
pub const NODE_ID: usize = 64;
/// The `id` of a message.
pub const MESSAGE_ID: usize = 64;
/// The ticket of a socket.
pub const TICKET: usize = 128;
/// How many peers an announce is told to, and how many a newcomer is told of.
pub const DISCOVERY: usize = 64;
/// Messages that may wait for one peer.
pub const MAILBOX_MESSAGES: usize = 1024;
/// Bytes that may wait for one peer. More than the largest message, so that it fits.
pub const MAILBOX_BYTES: usize = 4 * 1024 * 1024;
/// How long a signal waits for a peer that was here a moment ago.
pub const HOLD: u64 = 10_000;
/// How long a peer that said that it is away (its page is frozen) is kept after its last session.
pub const AWAY: u64 = 300_000;
/// A presence that is not refreshed is over after this time.
pub const LEASE: u64 = 90_000;
/// Messages in one batch between nodes, or in one HTTP exchange.
pub const BATCH: usize = 256;
/// A record's data.
pub const RECORD: usize = 64 * 1024;
/// A record's topic.
pub const TOPIC: usize = 256;
/// What tells the records of one publisher under one topic apart.
pub const SALT: usize = 64;
/// For how many seconds a record may be found.
pub const TTL: u64 = 24 * 60 * 60;
/// By how much the clocks of those who sign may be wrong.
pub const SKEW: u64 = 10 * 60 * 1000;
/// By how much a peer's proof may be older or newer than its receiver's clock says.
pub const PROOF: u64 = 24 * 60 * 60 * 1000;
