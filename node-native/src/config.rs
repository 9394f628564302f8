//! What an operator chooses: every option is a flag and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderValue;
use axum::http::uri::Uri;
use clap::builder::BoolishValueParser;
use clap::{ArgAction, Parser, ValueEnum};
use pigeonhub_bootstrap::{Configured, Descriptor, Environment, Region, parse_bootstrap_peers_from_env};
use pigeonhub_node_core::Settings;
use pigeonhub_protocol::mesh::{http_url, is_node_url};
use pigeonhub_protocol::{NodeId, limit};

use crate::Error;

/// A PigeonHub node: introduces WebRTC peers to each other, together with the other nodes of its mesh.
#[derive(Clone, Debug, Parser)]
pub struct Config {
    /// TCP port; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Address to listen on
    #[arg(long, env = "HOST", default_value = "0.0.0.0")]
    pub host: String,
    /// How peers and other nodes reach this node, as in wss://node.example [default: from host and port]
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Nodes to meet first, separated by commas
    #[arg(long, env = "BOOTSTRAP_PEERS", value_delimiter = ',')]
    pub bootstrap_peers: Vec<String>,
    /// Where to look for more nodes, separated by commas: domains, as in example.org (its
    /// /.well-known/pigeonhub-bootstrap, and its DNS), or URLs of servers
    #[arg(long, env = "BOOTSTRAP_DOMAINS", value_delimiter = ',')]
    pub bootstrap_domains: Vec<String>,
    /// Ed25519 keys in base64, separated by commas: what they signed is trusted more, and seed
    /// bundles of others are refused
    #[arg(long, env = "BOOTSTRAP_KEYS", value_delimiter = ',')]
    pub bootstrap_keys: Vec<String>,
    /// Whether to dial the built-in list, too: production, development or local
    #[arg(long, env = "BOOTSTRAP_BUILT_IN")]
    pub bootstrap_built_in: Option<String>,
    /// Whether to join a DHT, BitTorrent's: there nodes of the same APP_ID find each other, and records are
    /// found. It makes this node's address and what is published here public
    #[arg(long, env = "DHT", default_value = "off", action = ArgAction::Set, value_name = "on|off",
          value_parser = BoolishValueParser::new())]
    pub dht: bool,
    /// Nodes of the DHT to join by, separated by commas, as in 10.0.0.7:6881; if all are local the DHT is
    /// a private one [default: those of BitTorrent]
    #[arg(long, env = "DHT_BOOTSTRAP", value_delimiter = ',')]
    pub dht_bootstrap: Vec<String>,
    /// UDP port for the DHT, on the same address as HTTP; 0 takes a free one
    #[arg(long, env = "DHT_PORT", default_value_t = 0)]
    pub dht_port: u16,
    /// The DNS server, as in 127.0.0.1:53 [default: the system's]
    #[arg(long, env = "DNS_RESOLVER")]
    pub dns_resolver: Option<SocketAddr>,
    /// Folder for what survives a restart: the key, records, the nodes that were found [default: nothing
    /// does]
    #[arg(long, env = "DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The node's name in the mesh [default: made from the key]
    #[arg(long, env = "NODE_ID")]
    pub node_id: Option<NodeId>,
    /// The node's Ed25519 key: 32 bytes in hexadecimal or base64, as `pigeonhub keygen` makes it [default:
    /// the one in the data folder, or a new one at each start]
    #[arg(long, env = "NODE_KEY", hide_env_values = true)]
    pub node_key: Option<String>,
    /// us-east, us-west, eu-west, asia-pacific or global
    #[arg(long, env = "REGION")]
    pub region: Option<String>,
    /// The mesh that the node belongs to
    #[arg(long, env = "APP_ID", default_value = "pigeonhub-mesh")]
    pub app_id: String,
    /// Only nodes with the same secret are met
    #[arg(long, env = "MESH_SECRET", hide_env_values = true)]
    pub mesh_secret: Option<String>,
    /// Who may call the HTTP API from a page: *, or origins separated by commas
    #[arg(long, env = "CORS_ORIGIN", default_value = "*")]
    pub cors_origin: String,
    /// Milliseconds that another node has to answer
    #[arg(long, env = "SIGNALING_TIMEOUT", default_value_t = 2000)]
    pub signaling_timeout: u64,
    /// Milliseconds to hand on what there is when the node is told to stop; a second signal stops it
    /// at once
    #[arg(long, env = "DRAIN_TIMEOUT", default_value_t = 5000)]
    pub drain_timeout: u64,
    /// Sockets that may be open
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 100_000)]
    pub max_connections: usize,
    /// Messages per second that a peer may send, on a socket or over plain HTTP, in bursts of five times
    /// as many; 0 is no limit
    #[arg(long, env = "RATE_LIMIT", default_value_t = 200)]
    pub rate_limit: u32,
    /// Records per second that may be published here, by all together, in bursts of five times as
    /// many; 0 is no limit
    #[arg(long, env = "PUBLISH_LIMIT", default_value_t = 100)]
    pub publish_limit: u32,
    /// Let in only peers that prove their ids
    #[arg(long, env = "REQUIRE_PROOF")]
    pub require_proof: bool,
    /// Peers that an announce is told to, and a newcomer is told of
    #[arg(long, env = "DISCOVERY", default_value_t = limit::DISCOVERY)]
    pub discovery: usize,
    /// What is logged, as in info or pigeonhub=debug
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,
    /// How it is logged
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Config {
    /// What the binary does without flags in an empty environment, but on this machine only.
    fn default() -> Self {
        Self {
            port: 3000,
            host: "127.0.0.1".into(),
            public_url: None,
            bootstrap_peers: Vec::new(),
            bootstrap_domains: Vec::new(),
            bootstrap_keys: Vec::new(),
            bootstrap_built_in: None,
            dht: false,
            dht_bootstrap: Vec::new(),
            dht_port: 0,
            dns_resolver: None,
            data_dir: None,
            node_id: None,
            node_key: None,
            region: None,
            app_id: "pigeonhub-mesh".into(),
            mesh_secret: None,
            cors_origin: "*".into(),
            signaling_timeout: 2000,
            drain_timeout: 5000,
            max_connections: 100_000,
            rate_limit: 200,
            publish_limit: 100,
            require_proof: false,
            discovery: limit::DISCOVERY,
            log: "info".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// The numbers that the core wants.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            discovery: self.discovery,
            connections: self.max_connections,
            require_proof: self.require_proof,
            ..Settings::default()
        }
    }

    /// The URL by which peers and nodes reach this node, once its port is known.
    ///
    /// # Errors
    /// [`Error::Option`]: `PUBLIC_URL` is no URL of a node.
    pub(crate) fn url(&self, port: u16) -> Result<String, Error> {
        let Some(url) = &self.public_url else { return Ok(format!("ws://{}:{port}", self.name())) };
        let url = http_url(url.trim());
        if !is_node_url(&url) || url.parse::<Uri>().is_err() {
            let reason = format!("{url} is not of the form wss://host or wss://host:port");
            return Err(Error::Option { option: "PUBLIC_URL", reason });
        }
        Ok(url.replacen("http", "ws", 1))
    }

    /// The name of this machine for itself and, as far as known, for others.
    pub(crate) fn name(&self) -> String {
        match self.host.as_str() {
            "" | "0.0.0.0" | "::" | "[::]" => "127.0.0.1".into(),
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            host => host.into(),
        }
    }

    /// The nodes to meet first.
    ///
    /// # Errors
    /// [`Error::Option`]: one of them is no URL of a node.
    pub(crate) fn bootstrap(&self) -> Result<Vec<Descriptor>, Error> {
        let Configured { peers, junk } = parse_bootstrap_peers_from_env(&self.bootstrap_peers.join(","));
        match junk.first() {
            None => Ok(peers),
            Some((url, why)) => {
                Err(Error::Option { option: "BOOTSTRAP_PEERS", reason: format!("{url}: {why}") })
            }
        }
    }

    /// Where the node is.
    ///
    /// # Errors
    /// [`Error::Option`]: there is no such region.
    pub(crate) fn region(&self) -> Result<Option<Region>, Error> {
        let name = self.region.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let region = |name| {
            let names = Region::ALL.map(Region::name).join(", ");
            let reason = format!("{name} is none of {names}");
            Region::named(name).ok_or(Error::Option { option: "REGION", reason })
        };
        name.map(region).transpose()
    }

    /// Which part of the built-in list is wanted.
    ///
    /// # Errors
    /// [`Error::Option`]: there is no such part.
    pub(crate) fn built_in(&self) -> Result<Option<Environment>, Error> {
        let name = self.bootstrap_built_in.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let environment = |name| {
            let reason = format!("{name} is none of production, development, local");
            Environment::named(name).ok_or(Error::Option { option: "BOOTSTRAP_BUILT_IN", reason })
        };
        name.map(environment).transpose()
    }

    /// The allowed origins; `None` allows all.
    ///
    /// # Errors
    /// [`Error::Option`]: one of them cannot be a header's value.
    pub(crate) fn origins(&self) -> Result<Option<Vec<HeaderValue>>, Error> {
        let origins = self.cors_origin.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let mut values = Vec::new();
        for origin in origins {
            if origin == "*" {
                return Ok(None);
            }
            let value = origin.trim_end_matches('/').parse().map_err(|_| Error::Option {
                option: "CORS_ORIGIN",
                reason: format!("{origin} is no origin"),
            })?;
            values.push(value);
        }
        Ok(Some(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Config {
        Config::parse_from([&["pigeonhub"], arguments].concat())
    }

    #[test]
    fn bootstrap_peers_are_a_list_without_blanks() {
        let config = parse(&["--bootstrap-peers", " wss://a.example , ,ws://127.0.0.1:3001/"]);
        let urls: Vec<_> = config.bootstrap().unwrap().into_iter().map(|peer| peer.u).collect();
        assert_eq!(urls, ["wss://a.example", "ws://127.0.0.1:3001"]);
        for junk in ["a.example", "ftp://a.example", "wss://", "wss://a.example/path?x"] {
            assert!(parse(&["--bootstrap-peers", junk]).bootstrap().is_err(), "{junk}");
        }
    }

    #[test]
    fn the_url_is_the_public_one_or_made_of_host_and_port() {
        let url = |arguments| parse(arguments).url(3000).map_err(|e| e.to_string());
        assert_eq!(url(&[]).as_deref(), Ok("ws://127.0.0.1:3000"));
        assert_eq!(url(&["--host", "10.0.0.7"]).as_deref(), Ok("ws://10.0.0.7:3000"));
        assert_eq!(url(&["--host", "::1"]).as_deref(), Ok("ws://[::1]:3000"));
        assert_eq!(url(&["--public-url", "https://a.example/"]).as_deref(), Ok("wss://a.example"));
        assert_eq!(url(&["--public-url", "wss://a.example:8443"]).as_deref(), Ok("wss://a.example:8443"));
        assert!(url(&["--public-url", "a.example"]).is_err());
    }

    #[test]
    fn regions_and_lists_that_do_not_exist_are_refused() {
        assert_eq!(parse(&[]).region().unwrap(), None);
        assert_eq!(parse(&["--region", "eu-west"]).region().unwrap(), Some(Region::EuWest));
        assert!(parse(&["--region", "mars"]).region().is_err());
        assert_eq!(parse(&[]).built_in().unwrap(), None, "nobody dials the built-in list unasked");
        let built_in = |name| parse(&["--bootstrap-built-in", name]).built_in();
        assert_eq!(built_in("production").unwrap(), Some(Environment::Production));
        assert!(built_in("staging").is_err());
    }

    #[test]
    fn a_star_among_the_origins_allows_all() {
        assert_eq!(parse(&[]).origins().unwrap(), None);
        let config = parse(&["--cors-origin", "https://a.example/, https://b.example"]);
        assert_eq!(config.origins().unwrap().unwrap(), ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn a_bad_node_id_is_refused_at_once() {
        assert!(Config::try_parse_from(["pigeonhub", "--node-id", "no spaces"]).is_err());
    }
}
