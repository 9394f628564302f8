//! Whether a request is of the node that it says.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use axum::http::HeaderMap;
use ed25519_dalek::VerifyingKey;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use pigeonhub_protocol::http_signature::{Claim, Headers, Request};
use pigeonhub_protocol::{Code, Millis, NodeId};
use sha2::Sha256;

/// By which a node proves that it knows the secret of its mesh.
pub const MESH_HEADER: &str = "pigeonhub-mesh";

/// A signature may be older or newer than our clock by so many seconds.
const SKEW: u64 = 60;
/// Nonces that are remembered at most, in each of two generations.
const NONCES: usize = 500_000;

/// The mesh's shared secret.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Reads the secret; `None` if there is none.
    pub fn new(secret: Option<&str>) -> Option<Self> {
        let secret = secret.filter(|secret| !secret.is_empty())?;
        // HMAC takes keys of any length.
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    fn mac(&self, role: &str, signature: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(role.as_bytes());
        mac.update(b" ");
        mac.update(signature.as_bytes());
        mac
    }

    /// The proof that goes with the signature of a request, or with the answer to it.
    pub fn prove(&self, role: &str, signature: &str) -> String {
        self.mac(role, signature).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the proof holds.
    pub fn is_proven(&self, role: &str, signature: &str, proof: Option<&str>) -> bool {
        let bytes: Option<Vec<u8>> = proof.filter(|proof| proof.is_ascii()).and_then(|proof| {
            proof
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
                .collect()
        });
        bytes.is_some_and(|bytes| self.mac(role, signature).verify_slice(&bytes).is_ok())
    }
}

/// A request that says to be of a node.
#[derive(Debug)]
pub struct Signed {
    claim: Claim,
    headers: Headers,
    proof: Option<String>,
}

impl Signed {
    /// Reads the headers; `None` if the request does not say that it is signed.
    pub fn read(headers: &HeaderMap) -> Option<Result<Self, Code>> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let signature = text("signature")?;
        let headers = Headers {
            content_digest: text("content-digest").unwrap_or_default(),
            signature_input: text("signature-input").unwrap_or_default(),
            signature,
        };
        let claim = Claim::parse(&headers).map_err(|_| Code::Unauthorized);
        Some(claim.map(|claim| Self { claim, headers, proof: text(MESH_HEADER) }))
    }

    /// The node that it says to be of.
    pub fn node(&self) -> Option<NodeId> {
        self.claim.key_id.parse().ok()
    }

    /// The proof that goes with the answer.
    pub fn answer(&self, secret: &Secret) -> String {
        secret.prove("answer", &self.headers.signature)
    }
}

/// Checks requests of other nodes.
#[derive(Debug)]
pub struct Gate {
    node: NodeId,
    /// The authorities under which this node is called.
    names: Vec<String>,
    secret: Option<Secret>,
    nonces: Mutex<Nonces>,
}

impl Gate {
    /// The gate of `node`, which is called by these authorities.
    pub fn new(node: NodeId, names: Vec<String>, secret: Option<Secret>) -> Self {
        Self { node, names, secret, nonces: Mutex::default() }
    }

    /// The mesh's secret.
    pub const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Checks that the holder of `key` signed this request just now, for this node, for the first
    /// time.
    ///
    /// # Errors
    /// [`Code::Unauthorized`], with what is wrong.
    pub fn check(
        &self,
        signed: &Signed,
        key: &VerifyingKey,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<(), &'static str> {
        let created = signed.claim.created;
        let seconds = now.0 / 1000;
        if created.abs_diff(seconds) > SKEW {
            return Err("the signature is too old, or a clock is wrong");
        }
        if !self.is_for_us(request) {
            return Err("the request is for another node");
        }
        let digest = &signed.headers.content_digest;
        signed.claim.verify(key, request, digest).map_err(|_| "the signature does not hold")?;
        if !self.nonces.lock().is_new(&signed.claim.key_id, &signed.claim.nonce, seconds) {
            return Err("the request was seen before");
        }
        Ok(())
    }

    /// A request that names its receiver is for that one, whatever it is called on the way. One that
    /// does not must call us by a name of ours, or a node could pass on what it was told.
    fn is_for_us(&self, request: &Request<'_>) -> bool {
        match request.query.strip_prefix("?to=") {
            Some(to) => to == self.node.as_str(),
            None => self.names.iter().any(|name| name.eq_ignore_ascii_case(request.authority)),
        }
    }

    /// Whether who signed the request knows the mesh's secret, if there is one.
    pub fn knows_secret(&self, signed: &Signed) -> bool {
        let proven =
            |secret: &Secret| secret.is_proven("request", &signed.headers.signature, signed.proof.as_deref());
        self.secret.as_ref().is_none_or(proven)
    }
}

/// The nonces of late, as hashes, in two generations: the older one is dropped when the younger one
/// is as old as any signature that is accepted.
#[derive(Debug, Default)]
struct Nonces {
    hash: RandomState,
    young: HashSet<u64>,
    old: HashSet<u64>,
    since: u64,
}

impl Nonces {
    /// Whether it is new; it no longer is from now on. When there is no room nothing is new: better
    /// to refuse than to forget.
    fn is_new(&mut self, key_id: &str, nonce: &str, seconds: u64) -> bool {
        if seconds.abs_diff(self.since) > 2 * SKEW {
            self.old = std::mem::take(&mut self.young);
            self.since = seconds;
        }
        let hash = self.hash.hash_one((key_id, nonce));
        !self.old.contains(&hash) && self.young.len() < NONCES && self.young.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_while_its_signature_is_good() {
        let mut nonces = Nonces::default();
        assert!(nonces.is_new("a", "1", 1000));
        assert!(!nonces.is_new("a", "1", 1000 + SKEW));
        assert!(nonces.is_new("b", "1", 1000 + SKEW));
        assert!(!nonces.is_new("b", "1", 1000 + 3 * SKEW));
    }

    #[test]
    fn the_secret_proves_itself_for_its_role_only() {
        let secret = Secret::new(Some("s3cret")).unwrap();
        let proof = secret.prove("request", "sig");
        assert!(secret.is_proven("request", "sig", Some(&proof)));
        assert!(!secret.is_proven("answer", "sig", Some(&proof)));
        assert!(!secret.is_proven("request", "sig", None));
        assert!(!secret.is_proven("request", "sig", Some("zz")));
        assert!(Secret::new(Some("")).is_none());
    }
}
