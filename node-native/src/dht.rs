//! A DHT, BitTorrent's or a private one: how nodes find each other, and records, when nobody told them.
//!
//! * `places`: who announced itself under a name; an address, and nothing is proven by it.
//! * `board`: small notes under a name, which anybody may write: signed descriptors and records, so
//!   each proves itself.
//! * `nodes` looks there for nodes of the same app, `topics` for records.
//!
//! No request waits for a DHT that does not answer. `docs/dht.md` says what is put where.

mod board;
mod nodes;
mod places;
mod posts;
mod topics;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mainline::DEFAULT_BOOTSTRAP_NODES;
use mainline::async_dht::AsyncDht;
use pigeonhub_bootstrap::{is_local, pause};
use tokio::net::lookup_host;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use self::board::Board;
use self::topics::Topics;
pub use self::topics::{FRESH, FRESH_TO_WATCH};
use crate::host::Host;
use crate::kept_file::KeptFile;
use crate::{Config, Error};

/// How often it is looked whether the DHT answers; looking for something tells it as well.
const PROBE: Duration = Duration::from_secs(60);
/// As long as it does not.
const PROBE_SOON: Duration = Duration::from_secs(1);

/// In `DATA_DIR`: which records this node keeps in the DHT.
const KEPT: &str = "dht.json";

/// The DHT, if this node is to join one.
#[derive(Debug)]
pub struct Dht {
    plan: Option<Plan>,
    joined: OnceLock<Joined>,
    is_answering: AtomicBool,
    topics: Topics,
}

/// What an operator wants.
#[derive(Debug)]
struct Plan {
    /// Nodes of the DHT to join by, `host:port`.
    bootstrap: Vec<String>,
    /// The own address: that of HTTP, with the port of the DHT.
    address: SocketAddrV4,
}

/// A part of the DHT.
#[derive(Clone, Debug)]
struct Joined {
    dht: AsyncDht,
    /// Whether it is a private one, so that local addresses in it make sense.
    is_local: bool,
}

impl Dht {
    /// Takes the configuration; `http` is where this node listens. Nobody is asked yet.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn new(config: &Config, http: SocketAddr) -> Result<Self, Error> {
        let kept = KeptFile::open(config.data_dir.as_deref(), KEPT)?;
        let plan = if config.dht { Some(Plan::new(config, http.ip())?) } else { None };
        let (joined, is_answering) = (OnceLock::new(), AtomicBool::new(false));
        Ok(Self { plan, joined, is_answering, topics: Topics::new(kept) })
    }

    /// Whether it was joined, and answered last time.
    pub fn is_ready(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// Reads a board, and notes whether the DHT answers at all.
    async fn read(&self, joined: &Joined, board: &Board) -> board::Notes {
        let (notes, answers) = board.read(&joined.dht).await;
        self.is_answering.store(answers > 0, Ordering::Relaxed);
        notes
    }
}

impl Plan {
    fn new(config: &Config, http: IpAddr) -> Result<Self, Error> {
        let ip = match http {
            IpAddr::V4(ip) => ip,
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED,
            IpAddr::V6(ip) => {
                let reason = format!("it is for IPv4, and the node listens on {ip} only");
                return Err(Error::Option { option: "DHT", reason });
            }
        };
        let named = config.dht_bootstrap.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let mut bootstrap: Vec<String> = named.map(Into::into).collect();
        let is_place = |text: &&String| {
            text.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err())
        };
        if let Some(junk) = bootstrap.iter().find(is_place) {
            let reason = format!("{junk} is not of the form host:port");
            return Err(Error::Option { option: "DHT_BOOTSTRAP", reason });
        }
        if bootstrap.is_empty() {
            bootstrap = DEFAULT_BOOTSTRAP_NODES.map(Into::into).into();
        }
        Ok(Self { bootstrap, address: SocketAddrV4::new(ip, config.dht_port) })
    }

    /// Joins. `None` if that is not possible now: no name has an address, or the port is taken.
    async fn join(&self) -> Option<Joined> {
        let mut bootstrap = Vec::new();
        for name in &self.bootstrap {
            match lookup_host(name.as_str()).await {
                Ok(found) => bootstrap.extend(found.filter(SocketAddr::is_ipv4)),
                Err(error) => tracing::debug!(name, %error, "no address of a node of the DHT"),
            }
        }
        if bootstrap.is_empty() {
            tracing::warn!("no node of the DHT has an address");
            return None;
        }
        let is_local = bootstrap.iter().all(|address| is_local(&address.to_string()));
        let mut builder = mainline::Dht::builder();
        builder.bootstrap(&bootstrap).bind_address(*self.address.ip()).port(self.address.port());
        if is_local {
            // There its nodes reach each other, and it may have no others.
            builder.server_mode();
        }
        match spawn_blocking(move || builder.build()).await {
            Ok(Ok(dht)) => Some(Joined { dht: dht.as_async(), is_local }),
            Ok(Err(error)) => {
                tracing::warn!(address = %self.address, %error, "the DHT cannot be joined");
                None
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

impl Host {
    /// Joins the DHT if that is wanted, and keeps there what is to be found, until this node stops.
    pub async fn keep_dht(self: Arc<Self>) {
        let Some(plan) = &self.dht.plan else { return };
        tokio::select! {
            () = self.stay_in(plan) => {}
            () = self.stopped() => {}
        }
    }

    async fn stay_in(self: &Arc<Self>, plan: &Plan) {
        let mut round = 0;
        let joined = loop {
            if let Some(joined) = plan.join().await {
                break self.dht.joined.get_or_init(|| joined);
            }
            sleep(Duration::from_millis(pause(true, round, self.clock.dice()))).await;
            round += 1;
        };
        let address = joined.dht.info().await.local_addr();
        tracing::info!(%address, private = joined.is_local, "DHT joined");
        tokio::join!(self.probe_dht(joined), self.keep_dht_nodes(joined), self.keep_dht_topics(joined));
    }

    async fn probe_dht(&self, joined: &Joined) {
        loop {
            let was_ready = self.dht.is_ready();
            self.dht.read(joined, &Board::of_app(&self.app)).await;
            let is_ready = self.dht.is_ready();
            if was_ready != is_ready {
                tracing::info!(is_ready, "DHT");
            }
            sleep(if is_ready { PROBE } else { PROBE_SOON }).await;
        }
    }
}
