//! Relayed messages: how many per second at saturation, and what each costs the server in CPU.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use nix::time::ClockId;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::pairs::{self, Shape, Side};
use crate::plan::{DATA, Plan, WARM_UP};
use crate::server::{BOTH, Server};
use crate::table::{Aim, Table, median};

/// One run of one server.
#[derive(Clone, Copy)]
struct Run {
    /// Messages per second.
    rate: f64,
    /// Server CPU per message, µs.
    cost: f64,
    /// CPU of the load per message, µs.
    load: f64,
}

pub async fn measure(plan: &Plan) -> Result<()> {
    for &window in &plan.windows {
        measure_with(window, plan).await?;
    }
    Ok(())
}

async fn measure_with(window: usize, plan: &Plan) -> Result<()> {
    println!("\n## Relayed messages, {window} under way per pair\n");
    let mut table = Table::new(&[
        "pairs",
        "data, bytes",
        "relay, msg/s",
        "node, msg/s",
        "ratio (aim ≥ 0.6)",
        "relay, CPU µs/msg",
        "node, CPU µs/msg",
        "ratio (aim ≤ 1.5)",
        "load, CPU µs/msg",
    ]);
    for shape in Shape::all(&plan.pairs, &DATA) {
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..plan.rounds {
            for (kind, runs) in BOTH.into_iter().zip(&mut runs) {
                let server = Server::start(kind, plan).await?;
                runs.push(run(&server, shape, window, plan).await?);
                server.stop().await?;
            }
        }
        let [relay, node] = runs.map(|runs| Run {
            rate: median(runs.iter().map(|run| run.rate)),
            cost: median(runs.iter().map(|run| run.cost)),
            load: median(runs.iter().map(|run| run.load)),
        });
        table.row([
            shape.pairs.to_string(),
            shape.data.to_string(),
            format!("{:.0}", relay.rate),
            format!("{:.0}", node.rate),
            Aim::AtLeast(0.6).judge(node.rate / relay.rate),
            format!("{:.2}", relay.cost),
            format!("{:.2}", node.cost),
            Aim::AtMost(1.5).judge(node.cost / relay.cost),
            format!("{:.2}", node.load),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn run(server: &Server, shape: Shape, window: usize, plan: &Plan) -> Result<Run> {
    let counter = Arc::new(AtomicU64::new(0));
    let mut sides = JoinSet::new();
    for side in pairs::connect(server, shape).await?.into_iter().flatten() {
        sides.spawn(answer(side, shape, window / 2, counter.clone()));
    }
    sleep(WARM_UP).await;
    let sample =
        || Ok::<_, anyhow::Error>((Instant::now(), counter.load(Relaxed), server.cpu()?, own_cpu()?));
    let (began, count, cpu, load) = sample()?;
    tokio::select! {
        () = sleep(plan.run) => {}
        Some(end) = sides.join_next() => return Err(end?.err().unwrap_or_else(|| anyhow!("a peer left"))),
    }
    let (ended, counted, cpu_after, load_after) = sample()?;
    let messages = (counted - count) as f64;
    ensure!(messages > 0.0, "no message arrives");
    Ok(Run {
        rate: messages / (ended - began).as_secs_f64(),
        cost: (cpu_after - cpu).as_secs_f64() * 1e6 / messages,
        load: (load_after - load) * 1e6 / messages,
    })
}

/// Starts with the `due` half of a window and then answers each message by one, so that the number under way
/// stays the same.
async fn answer(mut side: Side, shape: Shape, mut due: usize, counter: Arc<AtomicU64>) -> Result<()> {
    let writer = side.socket.writer();
    let mut burst = side.frame.repeat(due);
    loop {
        if burst.len() < due * side.frame.len() {
            burst = side.frame.repeat(due);
        }
        writer.write(&burst[..due * side.frame.len()]).await?;
        due = 0;
        side.socket.receive(|text| due += usize::from(shape.is_signal(text))).await?;
        counter.fetch_add(due as u64, Relaxed);
    }
}

/// CPU time of this process in seconds.
fn own_cpu() -> Result<f64> {
    let time = ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?;
    Ok(std::time::Duration::from(time).as_secs_f64())
}
