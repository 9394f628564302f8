//! Memory per idle connection, each of them announced in a network of its own size.

use anyhow::{Result, ensure};

use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::server::{BOTH, Kind, Server};
use crate::table::{Aim, Table};

const CONNECTIONS: usize = 10_000;
/// Peers of one network: fewer than an announce is told to, so that everybody knows everybody.
const NETWORK: usize = 50;

pub async fn measure(plan: &Plan) -> Result<()> {
    println!("\n## Memory of {CONNECTIONS} idle connections, announced in networks of {NETWORK}\n");
    let mut table = Table::new(&["server", "KiB per connection (aim ≤ 10)", "frames told per connection"]);
    for kind in BOTH {
        let server = Server::start(kind, plan).await?;
        let (kibibytes, frames) = run(&server).await?;
        server.stop().await?;
        let (name, figure) = match kind {
            Kind::Relay => ("relay", format!("{kibibytes:.2}")),
            Kind::Node | Kind::Spin => ("node", Aim::AtMost(10.0).judge(kibibytes)),
        };
        table.row([name.into(), figure, format!("{frames:.1}")]);
    }
    println!("{table}");
    Ok(())
}

/// KiB of resident memory, and frames, per connection.
async fn run(server: &Server) -> Result<(f64, f64)> {
    let before = server.memory()?;
    let mut crowd = Crowd::default();
    for number in 0..CONNECTIONS {
        let peer = Peer::new(number, format!("network-{}", number / NETWORK));
        crowd.announce(server, &peer).await?;
    }
    crowd.quiet().await?;
    let grown = server.memory()?.saturating_sub(before);
    let frames = crowd.told().0 as f64 / CONNECTIONS as f64;
    // The greeting, and a discovery of everybody else.
    ensure!(server.kind == Kind::Relay || frames >= NETWORK as f64, "not announced for real: {frames}");
    Ok((grown as f64 / 1024.0 / CONNECTIONS as f64, frames))
}
