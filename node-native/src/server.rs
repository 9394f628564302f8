//! Starting a node, accepting connections, and stopping in good order.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use pigeonhub_node_core::gate::{Secret, authority};
use pigeonhub_node_core::ticket::TicketKey;
use pigeonhub_node_core::{Membership, Node};
use pigeonhub_protocol::mesh::NodeDescriptor;
use pigeonhub_protocol::{Close, NodeId};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::bootstrap::Bootstrap;
use crate::clock::{Clock, now, wall};
use crate::dht::Dht;
use crate::host::{Host, Stage};
use crate::mesh::{Courier, Gate, Mesh};
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::records::SqliteArchive;
use crate::sessions::Sessions;
use crate::store::Shards;
use crate::visits::Paces;
use crate::{Config, Error, http, key};

/// How long a client may take to send the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Streams that watch topics, at most.
const WATCHERS: usize = 1_000;
/// How long requests have to end when the node has stopped.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// A node that runs. When this is dropped the node stops without further ado; [`Running::stop`]
/// does it politely.
pub struct Running {
    host: Arc<Host>,
    address: SocketAddr,
    patience: Duration,
    accepting: JoinHandle<()>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({} at {})", self.host.node.id, self.address)
    }
}

/// Starts a node; it accepts connections when this returns.
///
/// # Errors
/// The address is taken or not ours ([`Error::Listen`]), or an option is not valid.
pub async fn start(config: Config) -> Result<Running, Error> {
    let (key, origins) = (key::signing_key(&config)?, config.origins()?);
    let bootstrap = Bootstrap::new(&config)?;
    let listener = listen(&config).await?;
    let address = listener.local_addr().map_err(Error::Local)?;
    let port = address.port();
    let dht = Dht::new(&config, address)?;

    let id = key::node_id(&config, &key);
    let archive = SqliteArchive::open(config.data_dir.as_deref(), id.clone())?;
    let tickets = TicketKey::from_secret(key.as_bytes());
    let secret = Secret::new(config.mesh_secret.as_deref());
    let metrics = Arc::new(Metrics::default());
    let patience = Duration::from_millis(config.signaling_timeout);
    let drain = Duration::from_millis(config.drain_timeout);
    let courier =
        Courier::new(key, id.clone(), secret.clone(), patience, bootstrap.dns(), Arc::clone(&metrics))?;
    let url = config.url(port)?;
    let own = descriptor(&config, &id, &url, courier.public_key())?;
    let gate = Gate::new(id.clone(), names(&config, &own, port), secret);
    let clock = Clock::new()?;
    // Fits into what JavaScript takes for a whole number.
    let membership = Membership::new(own, clock.dice() >> 12, bootstrap.configured());

    let host = Arc::new(Host {
        node: Node { id, settings: config.settings() },
        clock,
        store: Shards::new(),
        archive,
        watchers: Arc::new(Semaphore::new(WATCHERS)),
        sessions: Arc::new(Sessions::default()),
        mesh: Mesh::new(membership, courier, gate),
        bootstrap,
        dht,
        metrics,
        tickets,
        app: config.app_id,
        port,
        started: now(),
        rate_limit: config.rate_limit,
        // For those who are here, and as many who went a moment ago.
        paces: Paces::new(config.rate_limit, config.max_connections.saturating_mul(2)),
        publishing: Mutex::new(Pace::new(config.publish_limit, now())),
        stage: watch::Sender::new(Stage::Serving),
    });
    tracing::info!(node = %host.node.id, url, %address, "node starts");
    host.renew_descriptor();
    let router = http::router(Arc::clone(&host), origins);
    let accepting = tokio::spawn(accept(Arc::clone(&host), listener, router));
    tokio::spawn(Arc::clone(&host).keep_mesh());
    tokio::spawn(Arc::clone(&host).keep_bootstrap());
    tokio::spawn(Arc::clone(&host).sweep());
    tokio::spawn(Arc::clone(&host).keep_records());
    tokio::spawn(Arc::clone(&host).keep_dht());
    Ok(Running { host, address, patience: drain, accepting })
}

async fn listen(config: &Config) -> Result<TcpListener, Error> {
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let found = lookup_host((host, config.port)).await;
    let mut found = found.map_err(|source| Error::Host { host: host.into(), source })?;
    let address = found.next().unwrap_or_else(|| SocketAddr::from(([0; 4], config.port)));
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

fn descriptor(config: &Config, id: &NodeId, url: &str, public_key: String) -> Result<NodeDescriptor, Error> {
    Ok(NodeDescriptor {
        node_id: id.clone(),
        t: url.split(':').next().unwrap_or_default().into(),
        u: url.into(),
        public_key,
        region: config.region()?.map(|region| region.name().into()),
        priority: None,
        version: env!("CARGO_PKG_VERSION").into(),
        timestamp: wall(),
        more: serde_json::Map::new(),
    })
}

/// By what other nodes may call this one in a request that does not name it.
fn names(config: &Config, own: &NodeDescriptor, port: u16) -> Vec<String> {
    let public = authority(&own.http_url());
    let local = ["127.0.0.1", "localhost", "[::1]", &config.name()].map(|name| format!("{name}:{port}"));
    std::iter::once(public).chain(local).collect()
}

async fn accept(host: Arc<Host>, listener: TcpListener, router: Router) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = host.stopped() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve(Arc::clone(&host), stream, router.clone()));
            }
            Err(error) => {
                // Most likely there are too many open files; some may be closed in a moment.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves one connection with HTTP/1.1, up to its end or to its becoming a WebSocket.
async fn serve(host: Arc<Host>, stream: TcpStream, router: Router) {
    // Signals are small and urgent. If it cannot be set, they are a little slower.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    // How a connection ends concerns nobody but its client.
    tokio::select! {
        ended = connection.as_mut() => drop(ended),
        () = host.stopped() => {
            connection.as_mut().graceful_shutdown();
            drop(tokio::time::timeout(STOP_LIMIT, connection).await);
        }
    }
}

impl Running {
    /// Where the node is reached from this machine.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        address
    }

    /// The node's id.
    #[must_use]
    pub fn node_id(&self) -> &NodeId {
        &self.host.node.id
    }

    /// Stops the node: it takes nobody in, its peers are told to go elsewhere, what waits is handed on
    /// or goes back, and other nodes are told; all within `DRAIN_TIMEOUT`.
    pub async fn stop(mut self) {
        tracing::info!(node = %self.host.node.id, "node stops");
        self.host.drain(self.patience).await;
        self.host.stage.send_replace(Stage::Stopped);
        // It has no other end.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.host.stage.send_replace(Stage::Stopped);
        self.host.sessions.close_all(Close::RESTART);
    }
}
