//! Pairs of peers that signal to each other, each pair in a network of its own.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout;

use crate::peer::Peer;
use crate::server::Server;
use crate::socket::{self, Socket};

const MEETS_WITHIN: Duration = Duration::from_secs(10);

/// How many pairs say how much.
#[derive(Clone, Copy)]
pub struct Shape {
    pub pairs: usize,
    /// Size of `data` in bytes.
    pub data: usize,
}

/// One side of a pair: its socket, and the frame that it has for the other side.
pub struct Side {
    pub socket: Socket,
    pub frame: Vec<u8>,
}

impl Shape {
    /// Every number of pairs with every size of `data`.
    pub fn all(pairs: &[usize], sizes: &[usize]) -> Vec<Self> {
        pairs.iter().flat_map(|&pairs| sizes.iter().map(move |&data| Self { pairs, data })).collect()
    }

    /// Whether a frame of this length is a relayed signal; what else a server says is shorter.
    pub const fn is_signal(self, text: &[u8]) -> bool {
        text.len() >= self.data
    }
}

/// Connects them, and waits until the two sides of each pair have heard of each other.
pub async fn connect(server: &Server, shape: Shape) -> Result<Vec<[Side; 2]>> {
    let mut pairs = Vec::with_capacity(shape.pairs);
    for number in 0..shape.pairs {
        let pair = timeout(MEETS_WITHIN, meet(server, shape, number)).await;
        pairs.push(pair.context("a pair does not meet")??);
    }
    Ok(pairs)
}

async fn meet(server: &Server, shape: Shape, number: usize) -> Result<[Side; 2]> {
    let peers = [0, 1].map(|side| Peer::new(2 * number + side, format!("pair-{number}")));
    let mut sockets = [join(server, &peers[0]).await?, join(server, &peers[1]).await?];
    for (socket, peer) in sockets.iter().zip(&peers) {
        socket.writer().write(&socket::text(&peer.announce())).await?;
    }
    // The node tells of the other peer, the relay passes its announce on.
    for (socket, other) in sockets.iter_mut().zip(peers.iter().rev()) {
        socket.wait_for(|text| contains(text, other.id.as_bytes())).await?;
    }
    let [left, right] = sockets;
    let frame = |from: &Peer, to| socket::text(&from.candidate(to, shape.data));
    Ok([
        Side { socket: left, frame: frame(&peers[0], &peers[1]) },
        Side { socket: right, frame: frame(&peers[1], &peers[0]) },
    ])
}

/// Connects one peer and waits until it is greeted.
pub async fn join(server: &Server, peer: &Peer) -> Result<Socket> {
    let mut socket = Socket::connect(server.address, Ipv4Addr::LOCALHOST, &peer.id).await?;
    socket.wait_for(|text| contains(text, b"connected")).await?;
    Ok(socket)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
