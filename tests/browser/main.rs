//! The house in real pages: the client of PeerPigeon, our npm package, the demo.
//!
//! Few tests, each a story: a Chromium of its own for every page, every page on another node.

mod demo;
mod package;
mod page;
mod peerpigeon;
