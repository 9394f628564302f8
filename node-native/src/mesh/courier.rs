//! Brings requests to other nodes, signed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::HeaderName;
use bytes::Bytes;
use pigeonhub_node_core::gate::{MESH_HEADER, Secret};
use pigeonhub_protocol::http_signature::{self, Request, SigningKey, encode_key};
use pigeonhub_protocol::{NodeId, limit};
use reqwest::{Client, Response, Url, redirect};

use crate::Error;
use crate::bootstrap::Dns;
use crate::clock::{Clock, wall};
use crate::metrics::Metrics;

/// How long a connection is kept for the next request: less than the other node keeps it, so that
/// it is not closed under a request.
const IDLE: Duration = Duration::from_secs(8);

/// Brings requests to other nodes.
#[derive(Debug)]
pub struct Courier {
    client: Client,
    key: SigningKey,
    node: NodeId,
    secret: Option<Secret>,
    clock: Clock,
    /// Requests, and those that failed.
    metrics: Arc<Metrics>,
}

/// What another node answered.
#[derive(Debug)]
pub struct Answer {
    /// Its body.
    pub body: Vec<u8>,
    /// Whether it knows the mesh's secret, if there is one.
    pub knows_secret: bool,
}

impl Courier {
    /// Signs with `key` as `node`; other nodes have `patience` to answer.
    pub fn new(
        key: SigningKey,
        node: NodeId,
        secret: Option<Secret>,
        patience: Duration,
        dns: Option<Dns>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        // Only one provider is compiled in; if another part of the program chose it before, fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder();
        if let Some(dns) = dns {
            builder = builder.dns_resolver(Arc::new(dns));
        }
        let client = builder
            .timeout(patience)
            .connect_timeout(patience)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("pigeonhub/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Client)?;
        Ok(Self { client, key, node, secret, clock: Clock::new()?, metrics })
    }

    /// The key that signs for this node.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The key by which others know this node.
    pub fn public_key(&self) -> String {
        encode_key(&self.key.verifying_key())
    }

    /// Never the same twice.
    pub fn nonce(&self) -> String {
        format!("{:016x}{:016x}", self.clock.dice(), self.clock.dice())
    }

    /// Posts JSON to the node at `url`. With `to` only that node accepts it, wherever it is.
    pub async fn post(
        &self,
        url: &str,
        path: &str,
        to: Option<&NodeId>,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let query = to.map_or(String::new(), |to| format!("to={to}"));
        let url = parse(url, path, &query)?;
        let authority = authority(&url);
        let query = format!("?{query}");
        let request = Request { method: "POST", authority: &authority, path, query: &query, body: &body };
        let (seconds, nonce) = (wall().0 / 1000, self.nonce());
        let headers = http_signature::sign(&self.key, self.node.as_str(), &request, seconds, &nonce);
        let proof = self.secret.as_ref().map(|secret| secret.prove("request", &headers.signature));

        let mut request = self.client.post(url).body(body.clone());
        for (name, value) in [
            ("content-type", "application/json"),
            ("content-digest", &headers.content_digest),
            ("signature-input", &headers.signature_input),
            ("signature", &headers.signature),
        ] {
            request = request.header(HeaderName::from_static(name), value);
        }
        if let Some(proof) = proof {
            request = request.header(MESH_HEADER, proof);
        }
        let answer = self.send(request).await;
        self.metrics.posts.fetch_add(1, Ordering::Relaxed);
        if answer.is_err() {
            self.metrics.failed_posts.fetch_add(1, Ordering::Relaxed);
        }
        let answer = answer?;
        let proof = answer.headers().get(MESH_HEADER).and_then(|proof| proof.to_str().ok());
        let knows_secret =
            self.secret.as_ref().is_none_or(|secret| secret.is_proven("answer", &headers.signature, proof));
        Ok(Answer { body: read(answer).await?, knows_secret })
    }

    /// Gets JSON from the node at `url`.
    pub async fn get(&self, url: &str, path: &str) -> Result<Vec<u8>, Error> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let answer = self.send(self.client.get(parse(url, path, query)?)).await?;
        read(answer).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Error> {
        let answer = request.send().await.map_err(|error| unreachable_by(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let body = read(answer).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body).chars().take(200).collect();
        Err(Error::Refused { status, body })
    }
}

fn parse(url: &str, path: &str, query: &str) -> Result<Url, Error> {
    let mut url: Url = url.parse().map_err(|_| Error::Unreachable(format!("{url} is no URL")))?;
    url.set_path(path);
    url.set_query((!query.is_empty()).then_some(query));
    Ok(url)
}

/// The `Host` header that will be sent.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An answer, no longer than any that a node gives.
async fn read(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable_by(&error))? {
        if body.len() + chunk.len() > limit::MESSAGE {
            return Err(Error::Unreachable("the answer is too long".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost reason says most.
fn unreachable_by(error: &reqwest::Error) -> Error {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Error::Unreachable(reason.to_string())
}
