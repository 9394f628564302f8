//! Decision tables: given this, exactly these actions and nothing else.
//!
//! The client under test is `5555…`. It is impolite towards `1111…` and polite towards `9999…`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod bounds;
mod dialling;
mod failover;
mod in_band;
mod late;
mod nodes;
mod peerpigeon;
mod proofs;
mod repair;
mod roster;
mod silence;
mod table;
mod visits;
