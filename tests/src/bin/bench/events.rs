//! Peers over plain HTTP, each with a stream of events: on the native node, and on the serverless one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::peer::Peer;
use crate::plan::Plan;
use crate::server::{Kind, Server};
use crate::table::{Aim, Table, quantile};

const PEERS: usize = 200;
/// Peers of one network.
const NETWORK: usize = 10;
/// Between two offers: all peers together negotiate a call or two in a second.
const PAUSE: Duration = Duration::from_millis(20);
/// Requests under way at saturation.
const POSTERS: usize = 16;
/// What an offer may take.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// A peer whose stream is open.
#[derive(Clone)]
struct Visitor {
    peer: Peer,
    ticket: String,
}

struct Figures {
    middle: f64,
    tail: f64,
    requests: f64,
    memory: f64,
    idle: f64,
}

pub async fn measure(plan: &Plan) -> Result<()> {
    println!("\n## {PEERS} peers over plain HTTP, a stream each\n");
    let mut table = Table::new(&[
        "node",
        "delivery p50, ms (aim ≤ 60)",
        "p99, ms (aim ≤ 300)",
        "requests/s",
        "KiB per stream",
        "idle, % of a core",
    ]);
    for (kind, name) in [(Kind::Node, "native"), (Kind::Spin, "serverless, on our stand-in for Spin")] {
        let server = Server::start(kind, plan).await?;
        let Figures { middle, tail, requests, memory, idle } = run(&server, plan).await?;
        server.stop().await?;
        table.row([
            name.into(),
            Aim::AtMost(60.0).judge(middle),
            Aim::AtMost(300.0).judge(tail),
            format!("{requests:.0}"),
            format!("{memory:.0}"),
            format!("{idle:.1}"),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn run(server: &Server, plan: &Plan) -> Result<Figures> {
    let client = Client::builder().no_proxy().build()?;
    let url = format!("http://{}", server.address);
    // Whoever is asked first makes the tables.
    client.get(format!("{url}/health")).send().await?.error_for_status()?;
    let before = server.memory()?;
    let (heard, mut arrivals) = unbounded_channel();
    let (mut visitors, mut streams) = (Vec::new(), JoinSet::new());
    for number in 0..PEERS {
        let peer = Peer::new(number, format!("network-{}", number / NETWORK));
        let announce: Value = serde_json::from_str(&peer.announce())?;
        let ticket = exchange(&client, &url, json!({"peerId": peer.id, "messages": [announce]})).await?;
        let request = client.get(format!("{url}/signaling/events?ticket={ticket}"));
        streams.spawn(listen(request.try_clone().context("a request")?, number, heard.clone()));
        visitors.push(Visitor { peer, ticket });
    }
    // Those who came last have been told of, and all is quiet.
    sleep(Duration::from_secs(3)).await;
    let memory = server.memory()?.saturating_sub(before) as f64 / 1024.0 / PEERS as f64;
    let (cpu, began) = (server.cpu()?, Instant::now());
    sleep(plan.run * 2).await;
    let idle = 100.0 * (server.cpu()? - cpu).as_secs_f64() / began.elapsed().as_secs_f64();

    let mut latencies = deliver(&client, &url, &visitors, &mut arrivals, plan.run * 4).await?;
    let requests = saturate(&client, &url, &visitors, plan.run * 2).await?;
    streams.abort_all();
    let (middle, tail) = (quantile(&mut latencies, 0.5), quantile(&mut latencies, 0.99));
    Ok(Figures { middle, tail, requests, memory, idle })
}

/// Posts, and gives the new ticket.
async fn exchange(client: &Client, url: &str, body: Value) -> Result<String> {
    let answer = client.post(format!("{url}/signaling/exchange")).json(&body).send().await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    Ok(answer["ticket"].as_str().context("no ticket")?.to_owned())
}

/// Reads streams, one after the other, and tells of each offer when it came.
async fn listen(request: reqwest::RequestBuilder, number: usize, heard: UnboundedSender<(usize, Instant)>) {
    let mut last = String::new();
    // Until the end of the measurement: then nobody listens, and the task is aborted.
    while !heard.is_closed() {
        let Some(request) = request.try_clone() else { return };
        let Ok(mut response) = request.header("last-event-id", &last).send().await else { continue };
        let mut text = String::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some(end) = text.find("\n\n") {
                let event: String = text.drain(..end + 2).collect();
                if let Some(id) = event.lines().find_map(|line| line.strip_prefix("id: ")) {
                    id.clone_into(&mut last);
                }
                if event.contains(r#""type":"ice-candidate""#) {
                    // Nobody may be interested any more.
                    let _ = heard.send((number, Instant::now()));
                }
            }
        }
    }
}

/// Milliseconds from the beginning of a post to the arrival at the other peer.
async fn deliver(
    client: &Client,
    url: &str,
    visitors: &[Visitor],
    arrivals: &mut UnboundedReceiver<(usize, Instant)>,
    length: Duration,
) -> Result<Vec<f64>> {
    let (mut latencies, mut posts, began) = (Vec::new(), JoinSet::new(), Instant::now());
    let mut under_way: Vec<Option<Instant>> = vec![None; visitors.len()];
    let mut open = 0;
    for number in 0.. {
        if began.elapsed() >= length {
            break;
        }
        // Neighbours in a network, far apart in time.
        let from = number * 7 % visitors.len();
        let to = from / NETWORK * NETWORK + (from + 1) % NETWORK;
        if under_way[to].is_none() {
            let message: Value =
                serde_json::from_str(&visitors[from].peer.candidate(&visitors[to].peer, 300))?;
            let body = json!({"ticket": visitors[from].ticket, "messages": [message]});
            let (client, url) = (client.clone(), url.to_owned());
            under_way[to] = Some(Instant::now());
            open += 1;
            posts.spawn(async move { exchange(&client, &url, body).await });
        }
        sleep(PAUSE).await;
        while let Ok((to, at)) = arrivals.try_recv() {
            let sent = under_way[to].take().context("a message twice")?;
            latencies.push((at - sent).as_secs_f64() * 1e3);
            open -= 1;
        }
    }
    while open > 0 {
        let Ok(Some((to, at))) = timeout(ARRIVES_WITHIN, arrivals.recv()).await else {
            bail!("{open} messages did not arrive");
        };
        let sent = under_way[to].take().context("a message twice")?;
        latencies.push((at - sent).as_secs_f64() * 1e3);
        open -= 1;
    }
    while let Some(post) = posts.join_next().await {
        post??;
    }
    ensure!(latencies.len() > 10, "too few messages to tell anything: {}", latencies.len());
    Ok(latencies)
}

/// Requests per second: an exchange in which a peer only makes itself heard.
async fn saturate(client: &Client, url: &str, visitors: &[Visitor], length: Duration) -> Result<f64> {
    let began = Instant::now();
    let mut posters = JoinSet::new();
    for visitor in visitors.iter().take(POSTERS) {
        let body = json!({"ticket": visitor.ticket, "messages": [{"type": "ping"}]});
        let (client, url) = (client.clone(), url.to_owned());
        posters.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < length {
                exchange(&client, &url, body.clone()).await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(poster) = posters.join_next().await {
        count += poster??;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}
