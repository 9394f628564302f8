//! Several nodes of one mesh on this machine, each told only of the one before it.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::children::{Running, stopping};
use crate::control::Nodes;
use crate::health::healthy;
use crate::house::House;
use crate::spin::Spin;
use crate::step::note;

/// How long a node may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// One node as a process; it may be killed and started again.
pub struct Node {
    pub name: String,
    pub port: u16,
    command: Command,
    running: Option<Running>,
}

impl Node {
    /// Starts a node with this command.
    pub fn run(mut command: Command, name: String, port: u16) -> Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut node = Self { name, port, command, running: None };
        node.launch()?;
        Ok(node)
    }

    fn launch(&mut self) -> Result<()> {
        let mut running = Running::start(&mut self.command)?;
        let process = &mut running.process;
        print_lines(&self.name, process.stdout.take().context("stdout is piped")?);
        print_lines(&self.name, process.stderr.take().context("stderr is piped")?);
        self.running = Some(running);
        Ok(())
    }

    /// It ends at once, as in a crash.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
            note(&format!("{} (port {}) was killed", self.name, self.port));
        }
    }

    /// Starts it again if it does not run, and waits until it answers.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_none() {
            note(&format!("{} (port {}) starts again", self.name, self.port));
            self.launch()?;
        }
        await_health(self)
    }

    #[cfg(test)]
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// How it ended, if it did since this was asked last.
    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let Some(running) = &mut self.running else { return Ok(None) };
        let status = running.ended()?;
        if status.is_some() {
            self.running = None;
        }
        Ok(status)
    }
}

/// Starts `count` nodes on the free ports from `first_port` on and waits until all answer.
pub fn start(house: &House, binary: &Path, count: u16, first_port: u16) -> Result<Vec<Node>> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut candidates = first_port..=u16::MAX;
    for number in 1..=count {
        let port = free_port(&mut candidates)?;
        let bootstrap = nodes.last().map(|node| node.port);
        nodes.push(launch(house, binary, format!("node-{number}"), port, bootstrap)?);
    }
    for node in &mut nodes {
        await_health(node)?;
    }
    Ok(nodes)
}

/// Starts a serverless node beside others, on the next free port after theirs, and waits until it
/// answers.
pub fn add_spin(house: &House, spin: &Spin, nodes: &mut Vec<Node>) -> Result<()> {
    let last = nodes.last().context("a node to begin with")?;
    let mut candidates = last.port.saturating_add(1)..=u16::MAX;
    let (port, name) = (free_port(&mut candidates)?, format!("node-{}", nodes.len() + 1));
    let bootstrap = format!("ws://127.0.0.1:{}", last.port);
    let command = spin.command(house, port, &[("node_id", &name), ("bootstrap_peers", &bootstrap)]);
    let mut node = Node::run(command, name, port)?;
    await_health(&mut node)?;
    nodes.push(node);
    Ok(())
}

/// Tells of nodes that end, until a signal comes.
pub fn watch(nodes: &Nodes) -> Result<()> {
    while !stopping() {
        for node in nodes.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if let Some(status) = node.ended()?.filter(|_| !stopping()) {
                note(&format!("{} (port {}) is gone: {status}", node.name, node.port));
            }
        }
        thread::sleep(POLL);
    }
    // The nodes end with us, whoever else holds them.
    nodes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    Ok(())
}

fn launch(house: &House, binary: &Path, name: String, port: u16, bootstrap: Option<u16>) -> Result<Node> {
    let mut command = house.command(binary);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--node-id", &name]);
    if let Some(port) = bootstrap {
        command.args(["--bootstrap-peers", &format!("ws://127.0.0.1:{port}")]);
    }
    Node::run(command, name, port)
}

fn await_health(node: &mut Node) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while !healthy(node.port) {
        if let Some(status) = node.ended()? {
            bail!("{} ended at its start: {status}", node.name);
        }
        ensure!(!stopping(), "interrupted");
        ensure!(
            Instant::now() < deadline,
            "{} (port {}) did not become healthy within {} s",
            node.name,
            node.port,
            START_LIMIT.as_secs()
        );
        thread::sleep(POLL);
    }
    Ok(())
}

/// Copies a node's output to ours, each line marked with its name.
fn print_lines(name: &str, output: impl Read + Send + 'static) {
    let name = name.to_owned();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            eprintln!("    {name} | {line}");
        }
    });
}

fn free_port(candidates: &mut impl Iterator<Item = u16>) -> Result<u16> {
    for port in candidates {
        if is_free(port)? {
            return Ok(port);
        }
        note(&format!("port {port} is taken, trying the next"));
    }
    bail!("no free port is left");
}

/// Free on both loopback addresses: a browser may try either for `localhost`.
fn is_free(port: u16) -> Result<bool> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
    for attempt in [v4.map(drop), v6.map(drop)] {
        match attempt.map_err(|error: io::Error| error.kind()) {
            // A machine without IPv6 has no such address to be taken.
            Ok(()) | Err(ErrorKind::AddrNotAvailable | ErrorKind::Unsupported) => {}
            Err(ErrorKind::AddrInUse) => return Ok(false),
            Err(kind) => bail!("cannot listen on port {port}: {kind}"),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() -> Result<()> {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let port = taken.local_addr()?.port();
        assert_eq!(free_port(&mut [port, free].into_iter())?, free);
        assert!(free_port(&mut [port].into_iter()).is_err());
        Ok(())
    }
}
