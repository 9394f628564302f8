//! `bench`: what the node costs, measured in one run beside a bare frame relay. The servers are
//! processes of their own, the load comes from this one; the result is Markdown on stdout.
//!
//! `cargo xtask bench` builds what it needs, release, and calls it.

mod announce;
mod crowd;
mod events;
mod latency;
mod memory;
mod pairs;
mod peer;
mod plan;
mod relay;
mod relayed;
mod server;
mod size;
mod socket;

use anyhow::Result;
use clap::Parser;
use pigeonhub_tests::{machine, table};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::plan::{Options, Plan, Topic};

fn main() -> Result<()> {
    let options = Options::parse();
    if options.is_relay() {
        // As the node's own runtime is: one worker per core.
        return runtime::Runtime::new()?.block_on(relay::serve());
    }
    // One thread, so that the load takes at most one core away from the server.
    let plan = options.plan();
    // `reqwest` wants to be told once whose cryptography to use; an error means that it was.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        tokio::select! {
            outcome = measure(&plan) => outcome,
            // Dropping the measurement stops the server that it started.
            outcome = interrupted() => outcome,
        }
    })
}

async fn measure(plan: &Plan) -> Result<()> {
    machine::raise_file_limit()?;
    println!("{}", machine::describe()?);
    for topic in &plan.topics {
        match topic {
            Topic::Relay => relayed::measure(plan).await?,
            Topic::Latency => latency::measure(plan).await?,
            Topic::Memory => memory::measure(plan).await?,
            Topic::Announce => announce::measure(plan).await?,
            Topic::Events => events::measure(plan).await?,
            Topic::Size => size::measure()?,
        }
    }
    Ok(())
}

async fn interrupted() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        outcome = tokio::signal::ctrl_c() => outcome?,
    }
    anyhow::bail!("interrupted")
}
