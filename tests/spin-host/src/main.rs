//! `spin-host`: the stand-in for `spin up` as a program.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use pigeonhub_spin_host::{Options, SpinHost, precompile};
use tokio::signal::unix::{SignalKind, signal};

/// Serves a Spin component where no Spin is installed.
#[derive(Parser)]
struct Arguments {
    /// The component, a .wasm file, or what --precompile made of it.
    #[arg(long)]
    component: PathBuf,
    /// Serve nothing: compile the component to this file, which loads at once.
    #[arg(long, value_name = "FILE")]
    precompile: Option<PathBuf>,
    /// A folder that the component may read, as folder=/where/it/sees/it.
    #[arg(long = "files", value_parser = pair)]
    files: Vec<(String, String)>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// A variable as name=value; SPIN_VARIABLE_NAME in the environment does the same.
    #[arg(long = "variable", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Where the databases are kept; without it they end with the process.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// A database that the component may open.
    #[arg(long = "database", default_value = "default")]
    databases: Vec<String>,
    /// Where the component may send requests, as http://127.0.0.1:*
    #[arg(long = "allowed-outbound-host")]
    allowed_outbound_hosts: Vec<String>,
    /// Instances at once; a request above fails.
    #[arg(long, env = "SPIN_MAX_INSTANCE_COUNT", default_value_t = 1_000)]
    max_instances: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.precompile {
        return Ok(std::fs::write(file, precompile(&arguments.component)?)?);
    }
    let mut variables: HashMap<String, String> = std::env::vars()
        .filter_map(|(name, value)| Some((name.strip_prefix("SPIN_VARIABLE_")?.to_lowercase(), value)))
        .collect();
    variables.extend(arguments.variables);

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let running = SpinHost::start(Options {
        component: arguments.component,
        files: arguments.files.into_iter().map(|(folder, seen_at)| (folder.into(), seen_at)).collect(),
        listen: arguments.listen,
        variables,
        data_dir: arguments.data_dir,
        databases: arguments.databases,
        allowed_outbound_hosts: arguments.allowed_outbound_hosts,
        max_instances: arguments.max_instances,
    })
    .await?;
    println!("spin-host listening on {}", running.url());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected one=other")?;
    Ok((name.to_owned(), value.to_owned()))
}
