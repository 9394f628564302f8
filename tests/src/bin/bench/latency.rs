//! Latency of relayed messages at a moderate rate, which queues nothing.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::pairs::{self, Shape, Side};
use crate::plan::{DATA, Plan, WARM_UP};
use crate::server::{BOTH, Server};
use crate::socket::{Socket, Writer};
use crate::table::{Table, median, quantile};

/// Messages per second, all pairs together.
const RATE: u32 = 2_000;
/// What the last message may take.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// One run of one server, in µs.
struct Run {
    /// Latency, p50.
    middle: f64,
    /// Latency, p99.
    tail: f64,
    /// Server CPU per message: dearer than at saturation, where one wake-up serves many.
    cost: f64,
}

/// A peer that sends: where to, what, and whom to tell when.
struct Source {
    writer: Writer,
    frame: Vec<u8>,
    sent: Sender<Instant>,
}

pub async fn measure(plan: &Plan) -> Result<()> {
    println!("\n## Latency at {RATE} messages per second in all, µs\n");
    let mut table = Table::new(&[
        "pairs",
        "data, bytes",
        "relay p50",
        "node p50",
        "relay p99",
        "node p99",
        "relay, CPU/msg",
        "node, CPU/msg",
        "ratio",
    ]);
    for shape in Shape::all(&plan.pairs, &DATA) {
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..plan.rounds {
            for (kind, runs) in BOTH.into_iter().zip(&mut runs) {
                let server = Server::start(kind, plan).await?;
                runs.push(run(&server, shape, plan).await?);
                server.stop().await?;
            }
        }
        let [relay, node] = runs.map(|runs| Run {
            middle: median(runs.iter().map(|run| run.middle)),
            tail: median(runs.iter().map(|run| run.tail)),
            cost: median(runs.iter().map(|run| run.cost)),
        });
        table.row([
            shape.pairs.to_string(),
            shape.data.to_string(),
            format!("{:.0}", relay.middle),
            format!("{:.0}", node.middle),
            format!("{:.0}", relay.tail),
            format!("{:.0}", node.tail),
            format!("{:.1}", relay.cost),
            format!("{:.1}", node.cost),
            format!("{:.2}", node.cost / relay.cost),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn run(server: &Server, shape: Shape, plan: &Plan) -> Result<Run> {
    let (report, latencies) = mpsc::channel();
    let (mut sources, mut peers) = (Vec::new(), JoinSet::new());
    for [Side { socket, frame }, target] in pairs::connect(server, shape).await? {
        let (sent, times) = mpsc::channel();
        sources.push(Source { writer: socket.writer(), frame, sent });
        peers.spawn(listen(target.socket, shape, times, report.clone()));
        peers.spawn(idle(socket));
    }
    let length = WARM_UP + plan.run;
    let cpu = server.cpu()?;
    let sent = spawn_blocking(move || pace(&sources, length)).await??;
    let mut all: Vec<Duration> = Vec::with_capacity(sent);
    let deadline = Instant::now() + ARRIVES_WITHIN;
    while all.len() < sent {
        ensure!(Instant::now() < deadline, "{} of {sent} messages arrived", all.len());
        sleep(Duration::from_millis(1)).await;
        all.extend(latencies.try_iter());
    }
    let cost = (server.cpu()? - cpu).as_secs_f64() * 1e6 / sent as f64;
    let warm = sent * WARM_UP.as_millis() as usize / length.as_millis() as usize;
    let mut figures: Vec<f64> = all[warm..].iter().map(|latency| latency.as_secs_f64() * 1e6).collect();
    Ok(Run { middle: quantile(&mut figures, 0.5), tail: quantile(&mut figures, 0.99), cost })
}

/// Sends in turn, at even distances, on a thread of its own, and counts. It never waits for an answer, so that
/// a slow moment of the server costs those who wait, as in life.
fn pace(sources: &[Source], length: Duration) -> Result<usize> {
    let began = Instant::now();
    let interval = Duration::from_secs(1) / RATE;
    let count = (length.as_secs_f64() * f64::from(RATE)) as u32;
    for (number, source) in (0..count).zip(sources.iter().cycle()) {
        let due = interval * number;
        thread::sleep((began + due).saturating_duration_since(Instant::now()));
        source.sent.send(Instant::now())?;
        source.writer.write_now(&source.frame)?;
    }
    Ok(count as usize)
}

/// Messages of one sender arrive in order, so the first time that was told is that of the first
/// message.
async fn listen(
    mut socket: Socket,
    shape: Shape,
    times: Receiver<Instant>,
    report: Sender<Duration>,
) -> Result<()> {
    loop {
        let mut arrived = 0;
        socket.receive(|text| arrived += usize::from(shape.is_signal(text))).await?;
        for sent in times.try_iter().take(arrived) {
            report.send(sent.elapsed())?;
        }
    }
}

async fn idle(mut socket: Socket) -> Result<()> {
    loop {
        socket.receive(|_| {}).await?;
    }
}
