//! What an operator chooses, as variables of the application.

use std::time::Duration;

use pigeonhub_bootstrap::{Descriptor, Domain, Environment, parse_bootstrap_peers_from_env};
use spin_sdk::variables;

/// The settings. Empty variables count as absent.
pub struct Settings {
    /// `node_id`: its name in the mesh; else it is made from the key.
    pub node_id: Option<String>,
    /// `node_key`: 32 bytes in hexadecimal digits; else one is made and kept in the database.
    pub node_key: Option<String>,
    /// `public_url`: how peers and nodes reach this node; else as the first request did.
    pub public_url: Option<String>,
    /// `bootstrap_peers`: nodes to meet first, separated by commas.
    pub bootstrap_peers: Vec<Descriptor>,
    /// `bootstrap_domains`: domains or servers at which more nodes are looked for, separated by commas.
    pub bootstrap_domains: Vec<Domain>,
    /// `bootstrap_keys`: keys that are trusted, separated by commas.
    pub bootstrap_keys: Vec<String>,
    /// `bootstrap_built_in`: `production` or `development`, to dial the built-in list, too.
    pub bootstrap_built_in: Option<Environment>,
    /// `dns_over_https`: the resolver that is asked for TXT records; none if it is absent.
    pub dns_over_https: Option<String>,
    /// `app_id`: the mesh it belongs to.
    pub app_id: String,
    /// `region`.
    pub region: Option<String>,
    /// `mesh_secret`: only nodes with the same secret are met.
    pub mesh_secret: Option<String>,
    /// `cors_origin`: who may call from a page.
    pub cors_origin: String,
    /// `signaling_timeout`: milliseconds that another node has to answer.
    pub signaling_timeout: Duration,
    /// `stream_seconds`: after how long a stream of events ends itself.
    pub stream: Duration,
    /// `require_proof`: `true` to let in only peers that prove their ids.
    pub require_proof: bool,
    /// `max_streams`: streams at once; beyond them clients are sent elsewhere.
    pub max_streams: usize,
}

impl Settings {
    /// Reads the variables.
    pub fn read() -> Self {
        let bootstrap = text("bootstrap_peers").unwrap_or_default();
        let configured = parse_bootstrap_peers_from_env(&bootstrap);
        for (url, why) in &configured.junk {
            eprintln!("bootstrap_peers: {url}: {why}");
        }
        let read = |text: String| {
            let domain = Domain::read(&text);
            if domain.is_none() {
                eprintln!("bootstrap_domains: {text} is neither a domain nor a server");
            }
            domain
        };
        let built_in = |name: String| {
            let environment = Environment::named(&name);
            if environment.is_none() {
                eprintln!("bootstrap_built_in: {name} is none of production, development, local");
            }
            environment
        };
        Self {
            bootstrap_domains: list("bootstrap_domains").into_iter().filter_map(read).collect(),
            bootstrap_keys: list("bootstrap_keys"),
            bootstrap_built_in: text("bootstrap_built_in").and_then(built_in),
            dns_over_https: text("dns_over_https"),
            node_id: text("node_id"),
            node_key: text("node_key"),
            public_url: text("public_url"),
            bootstrap_peers: configured.peers,
            app_id: text("app_id").unwrap_or_else(|| "pigeonhub-mesh".into()),
            region: text("region"),
            mesh_secret: text("mesh_secret"),
            cors_origin: text("cors_origin").unwrap_or_else(|| "*".into()),
            signaling_timeout: Duration::from_millis(number("signaling_timeout").unwrap_or(2000)),
            stream: Duration::from_secs(number("stream_seconds").unwrap_or(25)),
            require_proof: text("require_proof").is_some_and(|wish| wish == "true"),
            max_streams: number("max_streams").and_then(|n| usize::try_from(n).ok()).unwrap_or(800),
        }
    }

    /// The URLs of the nodes that were configured, which are never given up.
    pub fn configured(&self) -> Vec<String> {
        self.bootstrap_peers.iter().map(|peer| peer.u.clone()).collect()
    }
}

fn text(name: &str) -> Option<String> {
    variables::get(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn list(name: &str) -> Vec<String> {
    let text = text(name).unwrap_or_default();
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

fn number(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}
