//! Thousands of peers that announce themselves and then only listen.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::peer::Peer;
use crate::server::Server;
use crate::socket::{Socket, Writer, text};

/// Connections from one loopback address.
const PER_ADDRESS: usize = 5_000;
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);
/// The news of an announce are over when so few are told within such a time. There is never silence:
/// nodes tell each peer now and then again who is there.
const PEERS_PER_FRAME: u64 = 4;
const QUIET: Duration = Duration::from_millis(500);
const QUIET_WITHIN: Duration = Duration::from_secs(120);

/// Peers on one server, and what they were told so far.
#[derive(Default)]
pub struct Crowd {
    peers: JoinSet<Result<()>>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Crowd {
    /// Connects one more; it listens from now on, and has not announced itself.
    pub async fn connect(&mut self, server: &Server, peer: &Peer) -> Result<Writer> {
        let number = u8::try_from(self.peers.len() / PER_ADDRESS)?;
        let source = Ipv4Addr::new(127, 0, number, 1);
        // The relay reads no announce, so it is told of the crowd here.
        let query = format!("{}&crowd={}", peer.id, peer.network);
        let socket = timeout(CONNECTS_WITHIN, Socket::connect(server.address, source, &query));
        let socket = socket.await.context("a peer waits for its connection")??;
        let writer = socket.writer();
        self.peers.spawn(listen(socket, self.told.clone()));
        Ok(writer)
    }

    /// Connects one more and announces it.
    pub async fn announce(&mut self, server: &Server, peer: &Peer) -> Result<()> {
        self.connect(server, peer).await?.write(&text(&peer.announce())).await
    }

    /// Frames and bytes of text that all of them were told so far.
    pub fn told(&self) -> (u64, u64) {
        (self.told.frames.load(Relaxed), self.told.bytes.load(Relaxed))
    }

    /// Waits until hardly anybody is told anything, twice in a row, and makes sure that everybody is
    /// still there.
    pub async fn quiet(&mut self) -> Result<()> {
        let began = Instant::now();
        let few = self.peers.len() as u64 / PEERS_PER_FRAME;
        let mut quiet = 0;
        while quiet < 2 {
            let before = self.told().0;
            sleep(QUIET).await;
            quiet = if self.told().0 - before <= few { quiet + 1 } else { 0 };
            if let Some(end) = self.peers.try_join_next() {
                return Err(end?.err().unwrap_or_else(|| anyhow!("a peer left")));
            }
            ensure!(began.elapsed() < QUIET_WITHIN, "the server does not come to rest");
        }
        Ok(())
    }
}

async fn listen(mut socket: Socket, told: Arc<Told>) -> Result<()> {
    loop {
        let (mut frames, mut bytes) = (0, 0);
        socket
            .receive(|text| {
                frames += 1;
                bytes += text.len() as u64;
            })
            .await?;
        told.frames.fetch_add(frames, Relaxed);
        told.bytes.fetch_add(bytes, Relaxed);
    }
}
