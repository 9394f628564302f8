//! A server under test: a process of our own making, its CPU time and its memory.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::time::ClockId;
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::plan::Plan;

const STARTS_WITHIN: Duration = Duration::from_secs(15);
const LISTENING: &str = "listening on http://";

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Relay,
    Node,
    /// The node as a Spin component.
    Spin,
}

/// In the order of one round.
pub const BOTH: [Kind; 2] = [Kind::Relay, Kind::Node];

/// A running server; dropping it kills the process by its id.
pub struct Server {
    pub kind: Kind,
    pub address: SocketAddr,
    child: Child,
    pid: Pid,
}

impl Server {
    /// Starts it on a free port and waits until it says that it listens.
    pub async fn start(kind: Kind, plan: &Plan) -> Result<Self> {
        let mut command = match kind {
            Kind::Relay => relay()?,
            Kind::Node => node(plan)?,
            Kind::Spin => spin(plan)?,
        };
        let mut child = command
            .env("LOG", "warn")
            .env_remove("BOOTSTRAP_PEERS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.as_std().get_program()))?;
        let id = child.id().context("the server ended at once")?;
        let output = child.stdout.take().context("no output to read")?;
        let address =
            timeout(STARTS_WITHIN, listening(output)).await.context("the server does not start")??;
        Ok(Self { kind, address, child, pid: Pid::from_raw(i32::try_from(id)?) })
    }

    /// User and system time of all its threads so far, to the nanosecond (`/proc/PID/stat` counts
    /// the same in ticks of 10 ms).
    pub fn cpu(&self) -> Result<Duration> {
        Ok(ClockId::pid_cpu_clock_id(self.pid)?.now()?.into())
    }

    /// Resident memory in bytes: `VmRSS`.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kibibytes.context("no VmRSS")?.parse::<u64>()? * 1024)
    }

    /// Stops it and waits for its end. It is not asked politely: a graceful stop of thousands of
    /// sockets is not what is measured.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

fn relay() -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("relay");
    Ok(command)
}

fn node(plan: &Plan) -> Result<Command> {
    let binary = match &plan.node {
        Some(binary) => binary.clone(),
        None => beside()?,
    };
    let mut command = Command::new(binary);
    command.args(["--port", "0", "--host", "127.0.0.1"]).env("RATE_LIMIT", "0");
    Ok(command)
}

fn spin(plan: &Plan) -> Result<Command> {
    let missing = "`cargo xtask bench` builds the serverless node and its host, and says where they are";
    let mut command = Command::new(plan.spin_host.as_ref().context(missing)?);
    command.arg("--component").arg(plan.spin_component.as_ref().context(missing)?);
    command.args(["--listen", "127.0.0.1:0"]);
    Ok(command)
}

fn beside() -> Result<PathBuf> {
    let binary = env::current_exe()?.with_file_name("pigeonhub");
    if !binary.exists() {
        bail!("no node to measure: cargo build --release -p pigeonhub, or set PIGEONHUB_BIN");
    }
    Ok(binary)
}

async fn listening(output: ChildStdout) -> Result<SocketAddr> {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once(LISTENING) {
            let address = address.trim().trim_end_matches('/').parse()?;
            // Read on, so that a full pipe never holds the server up.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
    }
    bail!("the server ended before it listened")
}
