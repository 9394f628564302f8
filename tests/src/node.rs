//! Nodes as processes, alone and as a mesh.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::{PATIENCE, Place, Program, eventually, http};

/// Says that the node accepts connections; its address follows.
const LISTENING: &str = "listening on http://";

/// How many lines of its output a node's log keeps, to be shown when a test fails.
const LOG_LINES: usize = 150;

type Log = Arc<Mutex<VecDeque<String>>>;

/// A node as a process of its own. Dropping it kills it.
pub struct TestNode {
    /// Its id.
    pub id: String,
    /// The port that the system gave it.
    pub port: u16,
    /// What it runs.
    pub program: Program,
    place: Place,
    bootstrap: String,
    more: Vec<String>,
    process: Child,
    log: Log,
}

impl TestNode {
    /// Starts a node that knows of no other.
    pub async fn alone(id: &str) -> Self {
        Self::start(id, &[], &[]).await
    }

    /// Starts a node that is told of others, with more arguments.
    pub async fn start(id: &str, bootstrap: &[&Self], more: &[&str]) -> Self {
        let more = more.iter().map(ToString::to_string).collect();
        Self::run(Program::Native, Place::Loopback, id, bootstrap, more).await
    }

    /// Starts a serverless node that is told of others, with these variables: `("node-key", "…")`.
    pub async fn spin(id: &str, bootstrap: &[&Self], variables: &[(&str, &str)]) -> Self {
        let program = Program::spin();
        let more = variables.iter().flat_map(|(name, value)| program.option(name, value)).collect();
        Self::run(program, Place::Loopback, id, bootstrap, more).await
    }

    /// Starts a node of this program that is told of others.
    pub async fn of(program: Program, id: &str, bootstrap: &[&Self]) -> Self {
        Self::run(program, Place::Loopback, id, bootstrap, Vec::new()).await
    }

    /// Starts a node that says of itself that it is at this URL.
    pub async fn at(program: Program, id: &str, bootstrap: &[&Self], url: &str) -> Self {
        let more = program.option("public-url", url).to_vec();
        Self::run(program, Place::Loopback, id, bootstrap, more).await
    }

    /// Starts a node somewhere, with more arguments.
    pub async fn run(
        program: Program,
        place: Place,
        id: &str,
        bootstrap: &[&Self],
        more: Vec<String>,
    ) -> Self {
        let bootstrap: Vec<_> = bootstrap.iter().map(|node| node.ws()).collect();
        let (bootstrap, log) = (bootstrap.join(","), Log::default());
        let mut command = program.command(&place.host(), 0, id, &bootstrap);
        command.args(&more);
        let (process, port) = launch(command, &place, &log).await;
        Self { id: id.into(), port, program, place, bootstrap, more, process, log }
    }

    /// Its URL for WebSockets.
    #[must_use]
    pub fn ws(&self) -> String {
        format!("ws://{}:{}", self.place.host(), self.port)
    }

    /// Its URL for HTTP, with this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.place.host(), self.port)
    }

    /// The URL that clients are told.
    #[must_use]
    pub fn for_clients(&self) -> String {
        match self.program {
            Program::Native => self.ws(),
            Program::Spin(_) => self.url(""),
        }
    }

    /// What it says of its health.
    pub async fn health(&self) -> Value {
        http::get(self.url("/health")).await.ok()
    }

    /// The process stops to run until [`Self::resume`]: to others the node falls silent, while its
    /// connections stay open. Done when every thread has stopped: on a busy machine that takes a moment,
    /// in which it may still answer.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
        let threads = format!("/proc/{}/task", self.process.id());
        let is_stopped = |thread: std::fs::DirEntry| {
            let status = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // The state follows the name, which is in brackets.
            status.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
        };
        while !std::fs::read_dir(&threads).expect("the node runs").flatten().all(is_stopped) {
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// The process runs again.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// The process ends at once, as in a crash.
    pub fn kill(&mut self) {
        // A process that has ended already is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Asks the process to end in an orderly way; [`Self::ended`] waits for it.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let process = &mut self.process;
        eventually("the node ends", PATIENCE, async || process.try_wait().expect("a child")).await
    }

    /// Starts it again after its end, at the same port.
    pub async fn restart(&mut self) {
        self.kill();
        let mut command = self.program.command(&self.place.host(), self.port, &self.id, &self.bootstrap);
        command.args(&self.more);
        (self.process, _) = launch(command, &self.place, &self.log).await;
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.process.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("the node runs");
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log.lock().expect("a log");
            let lines = Vec::from_iter(log.iter().map(String::as_str)).join("\n  ");
            eprintln!("--- the last words of {}:\n  {lines}", self.id);
        }
    }
}

async fn launch(mut command: Command, place: &Place, log: &Log) -> (Child, u16) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = place.spawn(command).expect("the node's binary starts");
    let (says, port) = oneshot::channel();
    keep(process.stdout.take().expect("piped"), log, Some(says));
    keep(process.stderr.take().expect("piped"), log, None);
    match timeout(PATIENCE, port).await {
        Ok(Ok(port)) => (process, port),
        _ => {
            let _ = process.kill();
            let _ = process.wait();
            panic!("the node did not say `{LISTENING}PORT`, but: {:#?}", log.lock().expect("a log"));
        }
    }
}

/// Keeps the last lines of an output, and says the port once it is known.
fn keep(output: impl Read + Send + 'static, log: &Log, mut says: Option<oneshot::Sender<u16>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once(LISTENING)
                && let Some((_, port)) = address.rsplit_once(':')
                && let Some(says) = says.take()
            {
                // Nobody may be waiting any more.
                let _ = says.send(port.trim().parse().expect("a port"));
            }
            let mut log = log.lock().expect("a log");
            if log.len() == LOG_LINES {
                log.pop_front();
            }
            log.push_back(line);
        }
    });
}

/// Nodes that all know each other.
pub struct Mesh {
    /// In the order of their start: `a`, `b`, `c`, …
    pub nodes: Vec<TestNode>,
}

impl Mesh {
    /// Starts nodes, each told only of the one before it, and waits until every node has all.
    pub async fn of(count: usize) -> Self {
        Self::with(count, &[]).await
    }

    /// The same, of nodes that wait long for each other: for tests that keep the machine busy, and
    /// kill nodes instead of pausing them.
    pub async fn patient(count: usize) -> Self {
        Self::with(count, &["--signaling-timeout", "15000"]).await
    }

    /// The same, with more arguments for each.
    pub async fn with(count: usize, more: &[&str]) -> Self {
        let mut nodes: Vec<TestNode> = Vec::new();
        for name in ('a'..).take(count) {
            let before: Vec<_> = nodes.last().into_iter().collect();
            let node = TestNode::start(&format!("node-{name}"), &before, more).await;
            nodes.push(node);
        }
        let mesh = Self { nodes };
        mesh.whole().await;
        mesh
    }

    /// Waits until every node counts all others as up.
    pub async fn whole(&self) {
        for node in &self.nodes {
            node.sees(self.nodes.len() - 1).await;
        }
    }
}

impl TestNode {
    /// Waits until it counts exactly this many other nodes as up.
    pub async fn sees(&self, others: usize) {
        let what = format!("{} sees {others} other nodes", self.id);
        eventually(&what, PATIENCE, async || {
            let health = http::try_send(http::request(reqwest::Method::GET, self.url("/health"))).await?;
            (health.ok()["nodes"] == others).then_some(())
        })
        .await;
    }

    /// Waits until it knows this many peers of a network, its own and those of other nodes.
    pub async fn knows(&self, network: &str, peers: usize) {
        let what = format!("{} knows {peers} peers of {network}", self.id);
        eventually(&what, PATIENCE, async || {
            let page = http::get(self.url(&format!("/peers?network={network}"))).await.ok();
            (page["peers"].as_array()?.len() == peers).then_some(())
        })
        .await;
    }
}
