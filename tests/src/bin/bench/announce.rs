//! Cost of an announce as a network grows: flat above K = 64, or discovery explodes.

use std::time::Duration;

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
/// The size that the larger ones are compared with: the first one above K.
const FLAT_FROM: usize = 100;

pub async fn measure(plan: &Plan) -> Result<()> {
    println!("\n## Cost of an announce\n");
    let mut table = Table::new(&[
        "peers in the network",
        "node, CPU µs/announce",
        "frames/announce",
        "bytes/announce",
        "CPU beside 100 peers (aim ≤ 1.5)",
    ]);
    let mut flat = None;
    for size in SIZES {
        let server = Server::start(Kind::Node, plan).await?;
        let cost = run(&server, size).await?;
        server.stop().await?;
        if size == FLAT_FROM {
            flat = Some(cost.cpu);
        }
        let ratio = flat.map_or_else(|| "–".into(), |flat| Aim::AtMost(1.5).judge(cost.cpu / flat));
        table.row([
            size.to_string(),
            format!("{:.0}", cost.cpu),
            format!("{:.1}", cost.frames),
            format!("{:.0}", cost.bytes),
            ratio,
        ]);
    }
    println!("{table}");
    Ok(())
}

/// Of one announce.
struct Cost {
    /// Server CPU, µs.
    cpu: f64,
    frames: f64,
    bytes: f64,
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

    let (cpu, told) = (server.cpu()?, crowd.told());
    for (writer, announce) in &waiting {
        writer.write(announce).await?;
        sleep(PAUSE).await;
    }
    crowd.quiet().await?;
    let (cpu_after, told_after) = (server.cpu()?, crowd.told());
    let announces = waiting.len() as f64;
    Ok(Cost {
        cpu: (cpu_after - cpu).as_secs_f64() * 1e6 / announces,
        frames: (told_after.0 - told.0) as f64 / announces,
        bytes: (told_after.1 - told.1) as f64 / announces,
    })
}
