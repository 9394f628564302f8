//! The house in real pages: the client of PeerPigeon, our npm package, the demo.
//!
//! Few tests, each a story: a Chromium of its own for every page, every page on another node.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, their helpers too")]

mod control;
mod demo;
mod demo_call;
mod demo_phone;
mod demo_trouble;
mod handlers;
mod identity;
mod lifecycle;
mod loading;
mod package;
mod page;
mod peerpigeon;
mod plain_http;
mod roaming;
mod story;
mod survival;
mod visitor;
