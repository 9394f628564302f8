//! Whether a request is of the node that it says: the rule. The host finds the key, and remembers
//! nonces.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use pigeonhub_protocol::http_signature::{Claim, Headers, Request, VerifyingKey};
use pigeonhub_protocol::mesh::Proof;
use pigeonhub_protocol::{Code, Millis, NodeId};
use sha2::Sha256;

/// The header by which a node proves that it knows the secret of its mesh.
pub const MESH_HEADER: &str = "pigeonhub-mesh";

/// A signature may be older or newer than our clock by so many seconds.
pub const SKEW: u64 = 60;

/// The mesh's shared secret.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Reads the secret; `None` if there is none.
    #[must_use]
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

    /// The proof that goes with the signature of a request (`role` is `request`), or with the answer
    /// to it (`answer`).
    #[must_use]
    pub fn prove(&self, role: &str, signature: &str) -> String {
        let proof = self.mac(role, signature).finalize().into_bytes();
        proof.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the proof holds.
    #[must_use]
    pub fn is_proven(&self, role: &str, signature: &str, proof: Option<&str>) -> bool {
        let byte = |pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
        let proof = proof.filter(|proof| proof.is_ascii());
        let bytes: Option<Vec<u8>> = proof.and_then(|proof| proof.as_bytes().chunks(2).map(byte).collect());
        bytes.is_some_and(|bytes| self.mac(role, signature).verify_slice(&bytes).is_ok())
    }
}

/// A request that says to be of a node.
#[derive(Clone, Debug)]
pub struct Signed {
    claim: Claim,
    headers: Headers,
    proof: Option<String>,
}

impl Signed {
    /// Reads the headers, by lower-case name; `None` if the request does not say that it is signed.
    pub fn read(header: impl Fn(&str) -> Option<String>) -> Option<Result<Self, Code>> {
        let headers = Headers {
            signature: header("signature")?,
            content_digest: header("content-digest").unwrap_or_default(),
            signature_input: header("signature-input").unwrap_or_default(),
        };
        let claim = Claim::parse(&headers).map_err(|_| Code::Unauthorized);
        Some(claim.map(|claim| Self { claim, headers, proof: header(MESH_HEADER) }))
    }

    /// Reads the proof of a request that another node passed on.
    ///
    /// # Errors
    /// [`Code::Unauthorized`]
    pub fn of(proof: &Proof) -> Result<Self, Code> {
        let headers = Headers {
            signature: proof.signature.clone(),
            content_digest: proof.content_digest.clone(),
            signature_input: proof.signature_input.clone(),
        };
        let claim = Claim::parse(&headers).map_err(|_| Code::Unauthorized)?;
        Ok(Self { claim, headers, proof: proof.secret.clone() })
    }

    /// The node that it says to be of.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        self.claim.key_id.parse().ok()
    }

    /// The name under which the host remembers that the request was here, until [`Self::until`].
    #[must_use]
    pub fn once(&self) -> String {
        format!("{} {}", self.claim.key_id, self.claim.nonce)
    }

    /// When the signature is too old in any case.
    #[must_use]
    pub const fn until(&self) -> Millis {
        Millis(self.claim.created.saturating_add(SKEW + 1).saturating_mul(1000))
    }

    /// The proof that goes with the answer.
    #[must_use]
    pub fn answer(&self, secret: &Secret) -> String {
        secret.prove("answer", &self.headers.signature)
    }

    /// Whether who signed the request knows the mesh's secret, if there is one.
    #[must_use]
    pub fn knows(&self, secret: Option<&Secret>) -> bool {
        let proven =
            |secret: &Secret| secret.is_proven("request", &self.headers.signature, self.proof.as_deref());
        secret.is_none_or(proven)
    }

    /// Checks that the holder of `key` signed this request just now, and for `node`, which is called
    /// by one of the authorities `names`. That it is the first time is for the host to check.
    ///
    /// # Errors
    /// What is wrong; the code is [`Code::Unauthorized`].
    pub fn check(
        &self,
        key: &VerifyingKey,
        request: &Request<'_>,
        node: &NodeId,
        names: &[String],
        now: Millis,
    ) -> Result<(), &'static str> {
        if self.claim.created.abs_diff(now.0 / 1000) > SKEW {
            return Err("the signature is too old, or a clock is wrong");
        }
        // A request that names its receiver is for that one, whatever it is called on the way. One
        // that does not must call it by a name of its own, or a node could pass on what it was told.
        let is_for_us = match request.query.strip_prefix("?to=") {
            Some(to) => to == node.as_str(),
            None => names.iter().any(|name| name.eq_ignore_ascii_case(request.authority)),
        };
        if !is_for_us {
            return Err("the request is for another node");
        }
        let digest = &self.headers.content_digest;
        self.claim.verify(key, request, digest).map_err(|_| "the signature does not hold")
    }
}

/// The authority of a URL: host, and port if it has one.
#[must_use]
pub fn authority(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
