//! Requests to other nodes: signed, and bounded in time.

use std::time::Instant;

use futures_util::future::{FutureExt, LocalBoxFuture};
use pigeonhub_node_core::gate::{MESH_HEADER, Secret, authority};
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::http_signature::{Request as Signable, sign};
use spin_sdk::http::{Method, Request, Response, send};

use crate::clock;
use crate::host::Host;

/// A request that came to nothing.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// Nobody answered in time.
    Silent,
    /// It does not know this node (any more).
    Unknown,
    /// The answer was no 200, or did not come from a node of this mesh.
    Refused,
}

/// A request that is under way.
pub type Posting = LocalBoxFuture<'static, Result<Vec<u8>, Failure>>;

impl Host {
    /// When a node that is asked now has to have answered.
    pub fn patience(&self) -> Instant {
        Instant::now() + self.settings.signaling_timeout
    }

    /// Posts JSON to the node at `url`, whose name is `to` if it is known already, and waits for its
    /// answer until `end`. What waits borrows nothing.
    pub fn post(&self, url: &str, path: &str, to: Option<&NodeId>, body: Vec<u8>, end: Instant) -> Posting {
        let query = to.map_or_else(|| "?".to_owned(), |to| format!("?to={to}"));
        let authority = authority(url);
        let signable = Signable { method: "POST", authority: &authority, path, query: &query, body: &body };
        let nonce = format!("{:032x}", u128::from_le_bytes(clock::random()));
        let signed = sign(&self.key, self.node.id.as_str(), &signable, clock::now().0 / 1000, &nonce);
        let secret = Secret::new(self.settings.mesh_secret.as_deref());
        let proof = secret.as_ref().map(|secret| secret.prove("request", &signed.signature));
        let target = if query == "?" { format!("{url}{path}") } else { format!("{url}{path}{query}") };
        let mut request = Request::builder();
        request
            .method(Method::Post)
            .uri(target)
            .header("content-type", "application/json")
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature.clone());
        if let Some(proof) = proof {
            request.header(MESH_HEADER, proof);
        }
        let request = request.body(body).build();
        // In a mesh with a secret, who is met proves that it knows it, too.
        let secret = secret.filter(|_| to.is_none());
        async move {
            let answer = fetch(request, end).await?;
            let proof = answer.header(MESH_HEADER).and_then(|value| value.as_str());
            let is_proven = |secret: &Secret| secret.is_proven("answer", &signed.signature, proof);
            if !secret.as_ref().is_none_or(is_proven) {
                return Err(Failure::Refused);
            }
            Ok(answer.into_body())
        }
        .boxed_local()
    }

    /// Gets JSON from the node at `url`.
    pub async fn get(&self, url: &str, path: &str) -> Result<Vec<u8>, Failure> {
        let request = Request::builder().method(Method::Get).uri(format!("{url}{path}")).build();
        Ok(fetch(request, self.patience()).await?.into_body())
    }

    /// Gets what a DNS server says over HTTPS.
    pub async fn get_dns(&self, url: &str) -> Result<Vec<u8>, Failure> {
        let mut request = Request::builder();
        request.method(Method::Get).uri(url).header("accept", "application/dns-json");
        Ok(fetch(request.build(), self.patience()).await?.into_body())
    }
}

async fn fetch(request: Request, end: Instant) -> Result<Response, Failure> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Silent);
    }
    match clock::within(left, send::<_, Response>(request)).await {
        Some(Ok(answer)) if *answer.status() == 200 => Ok(answer),
        Some(Ok(answer)) if *answer.status() == 401 => Err(Failure::Unknown),
        Some(Ok(_)) => Err(Failure::Refused),
        Some(Err(_)) | None => Err(Failure::Silent),
    }
}
