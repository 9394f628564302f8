//! The binary `pigeonhub`: a node until it is told to stop.

use anyhow::Context;
use clap::Parser;
use pigeonhub::{Config, LogFormat};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> anyhow::Result<()> {
    let config = Config::parse();
    log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    // Asked for before the node is up, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let node = pigeonhub::start(config).await?;
    println!("pigeonhub listening on http://{}", node.addr());
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    node.stop().await;
    Ok(())
}

/// Logs go to standard error; standard output has the address and nothing else.
fn log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).with_context(|| format!("LOG={}", config.log))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
