//! The PigeonHub node as a Spin component: every request is a fresh instance that opens the database,
//! lets `node-core` decide, and is gone. It holds no rule and keeps nothing in memory.
//!
//! Calls of the SDK are in `clock`, `database`, `files`, `outbound`, `request` and `settings` only,
//! so that another version of it is a change to small files.
#![allow(unsafe_code, reason = "the macro writes the exports of a component; nothing of ours is unsafe")]

mod bootstrap;
mod chores;
mod clock;
mod database;
mod delivery;
mod detour;
mod errands;
mod events;
mod files;
mod gate;
mod host;
mod mesh;
mod metrics;
mod outbound;
mod records;
mod request;
mod routes;
mod settings;
mod watching;

use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

#[http_component]
async fn handle(incoming: IncomingRequest, out: ResponseOutparam) {
    routes::serve(incoming, out).await;
}
