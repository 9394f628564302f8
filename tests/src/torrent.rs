//! DHTs on this machine that speak BitTorrent's protocol: of the crate that our nodes use, and of nodes that
//! are not ours.

use std::net::Ipv4Addr;
use std::process::Stdio;

use mainline::Testnet;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::{PATIENCE, libtorrent, repository};

/// Nodes of the DHT that are nobody's.
const NODES: usize = 5;

/// A DHT of the crate that our nodes use. It ends when this is dropped.
pub struct TestDht {
    nodes: Testnet,
}

impl TestDht {
    /// Starts one.
    pub async fn start() -> Self {
        let build = || Testnet::builder(NODES).bind_address(Ipv4Addr::LOCALHOST).build();
        let nodes = spawn_blocking(build).await.expect("a thread").expect("sockets");
        Self { nodes }
    }

    /// Where it is joined, as `DHT_BOOTSTRAP` wants it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.nodes.bootstrap[0]
    }

    /// The flags of a node that is to join it.
    #[must_use]
    pub fn flags(&self) -> [&str; 4] {
        ["--dht", "on", "--dht-bootstrap", self.address()]
    }
}

/// A DHT of libtorrent's nodes. It ends when this is dropped.
pub struct Torrent {
    address: String,
    says: ChildStdin,
    hears: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Torrent {
    /// Starts one.
    pub async fn start() -> Self {
        let mut process = Command::new(libtorrent())
            .arg("-Wignore")
            .arg(repository().join("tests/torrent/dht.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python starts");
        let says = process.stdin.take().expect("piped");
        let hears = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut torrent = Self { address: String::new(), says, hears, _process: process };
        torrent.address = serde_json::from_value(torrent.hear().await).expect("an address");
        torrent
    }

    /// The flags of a node that is to join it.
    #[must_use]
    pub fn flags(&self) -> [&str; 4] {
        ["--dht", "on", "--dht-bootstrap", &self.address]
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.says.write_all(format!("{request}\n").as_bytes()).await.expect("libtorrent listens");
        self.hear().await
    }

    async fn hear(&mut self) -> Value {
        let answer = timeout(PATIENCE, self.hears.next_line()).await;
        let line = answer.expect("libtorrent answers in time").expect("a line");
        serde_json::from_str(&line.expect("libtorrent goes on")).expect("JSON")
    }

    /// The newest mutable item of a key and a salt.
    pub async fn get(&mut self, key: &[u8], salt: &str) -> Option<Vec<u8>> {
        let found = self.ask(json!(["get", hex(key), salt])).await;
        let digits = found["value"].as_str()?;
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        Some((0..digits.len()).step_by(2).map(byte).collect())
    }

    /// Puts a mutable item, newer than what is there; gives how many nodes took it.
    pub async fn put(&mut self, key: &ed25519_dalek::SigningKey, salt: &str, value: &[u8]) -> u64 {
        let public = hex(key.verifying_key().as_bytes());
        let taken = self.ask(json!(["put", hex(key.as_bytes()), public, salt, hex(value)])).await;
        taken.as_u64().expect("a number")
    }

    /// Who announced itself, as `address:port`.
    pub async fn peers(&mut self, infohash: &[u8]) -> Vec<String> {
        let found = self.ask(json!(["peers", hex(infohash)])).await;
        serde_json::from_value(found).expect("addresses")
    }

    /// Announces this port of this machine, as anybody may.
    pub async fn announce(&mut self, infohash: &[u8], port: u16) {
        self.ask(json!(["announce", hex(infohash), port])).await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
