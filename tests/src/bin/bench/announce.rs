//! Cost of an announce as a network grows: flat above K = 64, or discovery explodes.
//!
//! That ten thousand sockets are colder than a hundred costs any server something: so the node's cost
//! is compared with that of the bare relay, which says as many frames to as many of them.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::server::{Kind, Server};
use crate::socket::text;
use crate::table::{Aim, Table};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Announces to measure at each size, spread over enough networks that none grows by more than
/// a twentieth.
const NEWCOMERS: usize = 200;
const PART: usize = 20;
/// Between two announces, so that each is told on its own.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the server is watched at rest: what it does anyway is not the cost of an announce.
const REST: Duration = Duration::from_secs(2);
/// After the last announce.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The size that the larger ones are compared with: the first one above K.
const FLAT_FROM: usize = 100;

pub async fn measure(plan: &Plan) -> Result<()> {
    println!("\n## Cost of an announce\n");
    let mut table = Table::new(&[
        "peers in the network",
        "relay, CPU µs/announce",
        "node, CPU µs/announce",
        "relay, frames/announce",
        "node, frames/announce",
        "node, bytes/announce",
        "node beside relay",
        "that, beside 100 peers (aim ≤ 1.5)",
    ]);
    let mut flat = None;
    for size in SIZES {
        let [relay, node] = [cost(Kind::Relay, size, plan).await?, cost(Kind::Node, size, plan).await?];
        let ratio = node.cpu / relay.cpu;
        if size == FLAT_FROM {
            flat = Some(ratio);
        }
        table.row([
            size.to_string(),
            format!("{:.0}", relay.cpu),
            format!("{:.0}", node.cpu),
            format!("{:.1}", relay.frames),
            format!("{:.1}", node.frames),
            format!("{:.0}", node.bytes),
            format!("{ratio:.2}"),
            flat.map_or_else(|| "–".into(), |flat| Aim::AtMost(1.5).judge(ratio / flat)),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn cost(kind: Kind, size: usize, plan: &Plan) -> Result<Cost> {
    let server = Server::start(kind, plan).await?;
    let cost = run(&server, size).await?;
    server.stop().await?;
    Ok(cost)
}

/// What the server has done so far, or for one announce.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    /// Server CPU, µs.
    cpu: f64,
    frames: f64,
    bytes: f64,
}

impl Cost {
    fn so_far(server: &Server, crowd: &Crowd, began: Instant) -> Result<Self> {
        let (frames, bytes) = crowd.told();
        Ok(Self {
            seconds: began.elapsed().as_secs_f64(),
            cpu: server.cpu()?.as_secs_f64() * 1e6,
            frames: frames as f64,
            bytes: bytes as f64,
        })
    }

    fn minus(self, other: Self) -> Self {
        Self {
            seconds: self.seconds - other.seconds,
            cpu: self.cpu - other.cpu,
            frames: self.frames - other.frames,
            bytes: self.bytes - other.bytes,
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            seconds: self.seconds * factor,
            cpu: self.cpu * factor,
            frames: self.frames * factor,
            bytes: self.bytes * factor,
        }
    }
}

async fn run(server: &Server, size: usize) -> Result<Cost> {
    let newcomers = (size / PART).max(1);
    let networks = NEWCOMERS.div_ceil(newcomers);
    let mut peers = (0..networks)
        .flat_map(|network| (0..size + newcomers).map(move |_| format!("network-{network}")))
        .enumerate()
        .map(|(number, network)| Peer::new(number, network));

    let mut crowd = Crowd::default();
    let mut waiting = Vec::new();
    for _ in 0..networks {
        for peer in peers.by_ref().take(size) {
            crowd.announce(server, &peer).await?;
        }
        for peer in peers.by_ref().take(newcomers) {
            let writer = crowd.connect(server, &peer).await?;
            waiting.push((writer, text(&peer.announce())));
        }
    }
    crowd.quiet().await?;

    let began = Instant::now();
    let start = Cost::so_far(server, &crowd, began)?;
    sleep(REST).await;
    let before = Cost::so_far(server, &crowd, began)?;
    for (writer, announce) in &waiting {
        writer.write(announce).await?;
        sleep(PAUSE).await;
    }
    sleep(AFTERMATH).await;
    let busy = Cost::so_far(server, &crowd, began)?.minus(before);
    let rest = before.minus(start);
    let anyway = rest.times(busy.seconds / rest.seconds);
    Ok(busy.minus(anyway).times(1.0 / waiting.len() as f64))
}
