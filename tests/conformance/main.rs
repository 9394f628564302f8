//! The node over real sockets: every MUST of the wire, every fault that must not come back.
//!
//! The names of the tests are the specification. Each starts nodes of its own, so that they may run
//! at once and in any order.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, their helpers too")]

mod admission;
mod bodies;
mod bootstrap;
mod config_js;
mod demo_files;
mod departures;
mod dht;
mod discovery;
mod draining;
mod events;
mod holding;
mod http_api;
mod hubs;
mod mesh;
mod package_js;
mod pressure;
mod records;
mod refusals;
mod relay;
mod serverless;
mod serverless_bootstrap;
mod settings;
mod signals;
mod signed_records;
mod transports;
mod trust;
