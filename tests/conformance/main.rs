//! The node over real sockets: what `protocol.md` demands, test by test.
