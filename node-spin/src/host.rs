//! What one request works with: the node, its keys, its store, and its picture of the mesh.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{is_fresh, signed};
use pigeonhub_node_core::rest::Reply;
use pigeonhub_node_core::ticket::TicketKey;
use pigeonhub_node_core::{
    Decision, Event, Membership, Node, Settings as NodeSettings, exchange, exchange_all,
};
use pigeonhub_node_sql::{SqlError, SqlStore};
use pigeonhub_protocol::http_signature::encode_key;
use pigeonhub_protocol::mesh::NodeDescriptor;
use pigeonhub_protocol::{Code, Millis, NodeId, PeerId};
use spin_sdk::sqlite::Error;

use crate::clock::{self, moment, now};
use crate::database::SpinDatabase;
use crate::delivery::Pending;
use crate::request::Request;
use crate::settings::Settings;

/// The database cannot do it now: the request is answered 503, and may be made again.
pub type StoreError = SqlError<Error>;

/// The refusal of a request that the database cannot carry out, and a line for the operator.
pub fn unavailable(error: &StoreError) -> Reply {
    eprintln!("{error}");
    Reply::refuse(Code::Unavailable)
}

/// Every SQLite says it in these words, also behind libSQL.
fn has_no_tables(error: &StoreError) -> bool {
    error.to_string().contains("no such table")
}

/// Why a node cannot be opened.
pub enum OpenError {
    /// The database cannot do it now.
    Store(StoreError),
    /// `node_key` is not 64 hexadecimal digits.
    Key,
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What one request works with.
pub struct Host {
    pub node: Node,
    pub settings: Settings,
    pub store: SqlStore<SpinDatabase>,
    pub key: SigningKey,
    pub tickets: TicketKey,
    pub started: Millis,
    pub mesh: Membership,
    /// What else is kept in the database, as it was read last.
    pub kept: BTreeMap<String, String>,
    /// What is under way to other nodes though no answer waits for it.
    pub late: Vec<Pending>,
    /// The mesh as it is written in the database, and under which name.
    written: (String, String),
}

impl Host {
    /// Opens everything. The first request of all makes the tables and the key.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: Settings, request: &Request) -> Result<Self, OpenError> {
        let provisional: NodeId = "node".parse().unwrap_or_else(|_| unreachable!("a node id"));
        let database = SpinDatabase::open().map_err(SqlError)?;
        let mut store = SqlStore::new(database, provisional, now());
        let mut kept = match store.all_kept().await {
            Ok(kept) if SqlStore::<SpinDatabase>::is_current(&kept) => kept,
            Err(error) if !has_no_tables(&error) => return Err(error.into()),
            _ => {
                store.database().prepare();
                store.create_tables().await?;
                store.all_kept().await?
            }
        };
        let secret = match settings.node_key.clone().or_else(|| kept.remove("key")) {
            Some(key) => key,
            None => store.keep_first("key", &hex(&clock::random::<32>())).await?,
        };
        let started = match kept.remove("started") {
            Some(started) => started,
            None => store.keep_first("started", &now().0.to_string()).await?,
        };
        let secret = unhex(&secret).ok_or(OpenError::Key)?;
        let key = SigningKey::from_bytes(&secret);
        let id = node_id(&settings, &key);
        store.of(id.clone());
        let started = Millis(started.parse().unwrap_or_default());
        let url = match settings.public_url.clone().or_else(|| kept.remove("url")) {
            Some(url) => url,
            None => store.keep_first("url", &request.url()).await?,
        };
        let own = descriptor(&settings, &id, &key, url);
        // Another address or other bootstrap peers: another picture.
        let configured = settings.configured();
        let name = format!("mesh {} {}", own.u, configured.join(","));
        let read = kept.remove(&name).and_then(|text| Some((serde_json::from_str(&text).ok()?, text)));
        let (mesh, text): (Membership, String) = match read {
            Some(read) => read,
            None => {
                let own = signed(&own, &key, now());
                let mesh = Membership::new(own, started.0, configured);
                let text = serde_json::to_string(&mesh).unwrap_or_default();
                let text = store.keep_first(&name, &text).await?;
                (mesh, text)
            }
        };
        let node = Node {
            id,
            settings: NodeSettings {
                connections: settings.max_streams,
                require_proof: settings.require_proof,
                ..NodeSettings::default()
            },
        };
        let mut host = Self {
            node,
            settings,
            store,
            key,
            tickets: TicketKey::from_secret(&secret),
            started,
            mesh,
            kept,
            late: Vec::new(),
            written: (name, text),
        };
        host.know_nodes();
        host.renew_descriptor().await?;
        Ok(host)
    }

    /// Signs anew what this node says of itself, if it is time.
    async fn renew_descriptor(&mut self) -> Result<(), StoreError> {
        if is_fresh(self.mesh.own(), now()) {
            return Ok(());
        }
        let own = signed(self.mesh.own(), &self.key, now());
        self.change_mesh(|mesh| mesh.renew(own.clone())).await
    }

    /// One step of the node.
    pub async fn step(&self, event: Event) -> Result<Decision, StoreError> {
        exchange(&self.node, &self.store, event, moment()).await
    }

    /// Steps of the node, as few as can be: each is written to disk.
    pub async fn all(&self, events: Vec<Event>) -> Result<Vec<Decision>, StoreError> {
        exchange_all(&self.node, &self.store, events, moment()).await
    }

    /// Changes the picture of the mesh, here and in the database. If another request changed it at
    /// the same time, the change is made to what that one wrote.
    pub async fn change_mesh<T>(&mut self, change: impl Fn(&mut Membership) -> T) -> Result<T, StoreError> {
        loop {
            let result = change(&mut self.mesh);
            let text = serde_json::to_string(&self.mesh).unwrap_or_default();
            let (name, old) = &self.written;
            if text == *old || self.store.keep_instead(name, old, &text).await? {
                self.written.1 = text;
                self.know_nodes();
                return Ok(result);
            }
            let text = self.store.kept(name).await?.unwrap_or_default();
            if let Ok(mesh) = serde_json::from_str(&text) {
                self.mesh = mesh;
            }
            self.written.1 = text;
        }
    }

    /// Takes note of what other requests wrote, and of the time.
    pub async fn refresh(&mut self) -> Result<(), StoreError> {
        self.store.at(now());
        self.kept = self.store.all_kept().await?;
        let text = self.kept.remove(&self.written.0).unwrap_or_default();
        if text != self.written.1
            && let Ok(mesh) = serde_json::from_str(&text)
        {
            self.mesh = mesh;
            self.written.1 = text;
            self.know_nodes();
        }
        Ok(())
    }

    /// A fresh peer id.
    pub fn fresh_peer() -> PeerId {
        PeerId::from_bytes(clock::random())
    }

    fn know_nodes(&mut self) {
        self.store.with_nodes(self.mesh.up().map(|node| node.node_id.clone()).collect());
    }
}

fn descriptor(settings: &Settings, id: &NodeId, key: &SigningKey, u: String) -> NodeDescriptor {
    NodeDescriptor {
        node_id: id.clone(),
        t: u.split_once("://").map_or("http", |(scheme, _)| scheme).to_owned(),
        u,
        public_key: encode_key(&key.verifying_key()),
        region: settings.region.clone(),
        priority: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        timestamp: Millis::default(),
        more: Default::default(),
    }
}

/// The name that the operator chose, or one made from the key: the same key, the same name.
fn node_id(settings: &Settings, key: &SigningKey) -> NodeId {
    let chosen = settings.node_id.as_deref().and_then(|id| id.parse().ok());
    chosen.unwrap_or_else(|| {
        let id = format!("spin-{}", &hex(key.verifying_key().as_bytes())[..12]);
        id.parse().unwrap_or_else(|_| unreachable!("letters and digits"))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes of a key; `None` if it is not 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, index) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[index..index + 2], 16).ok()?;
    }
    Some(bytes)
}
