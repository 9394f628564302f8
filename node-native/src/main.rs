//! The binary `pigeonhub`: a node until it is told to stop.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use pigeonhub::{Config, LogFormat};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A PigeonHub node: introduces WebRTC peers to each other, together with the other nodes of its mesh.
#[derive(Debug, Parser)]
#[command(name = "pigeonhub", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a key for a node and prints it as NODE_KEY=…, for an environment file
    Keygen,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Keygen) => pigeonhub::keygen().map(|lines| print!("{lines}")).map_err(Into::into),
        None => run(cli.config).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pigeonhub: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    log(&config)?;
    // Asked for before the node is up, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let node = pigeonhub::start(config).await?;
    println!("pigeonhub listening on http://{}", node.addr());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tokio::select! {
        () = node.stop() => {}
        // Told again: at once.
        () = told() => {}
    }
    Ok(())
}

/// Logs go to standard error; standard output has the address and nothing else.
fn log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).with_context(|| format!("LOG={}", config.log))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
