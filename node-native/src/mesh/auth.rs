//! Whether a request is of the node that it says: the core's rule, and the memory that it needs.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use axum::http::HeaderMap;
use parking_lot::Mutex;
use pigeonhub_node_core::gate::{SKEW, Secret, Signed};
use pigeonhub_protocol::http_signature::{Request, VerifyingKey};
use pigeonhub_protocol::{Code, Millis, NodeId};

/// Requests that are remembered at most, in each of two generations.
const MOST: usize = 500_000;

/// What a request says of who signed it; `None` if it does not say that it is signed.
pub fn signed(headers: &HeaderMap) -> Option<Result<Signed, Code>> {
    Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
}

/// Checks requests of other nodes.
#[derive(Debug)]
pub struct Gate {
    node: NodeId,
    /// The authorities under which this node is called.
    names: Vec<String>,
    secret: Option<Secret>,
    seen: Mutex<Seen>,
}

impl Gate {
    /// The gate of `node`, which is called by these authorities.
    pub fn new(node: NodeId, names: Vec<String>, secret: Option<Secret>) -> Self {
        Self { node, names, secret, seen: Mutex::default() }
    }

    /// The mesh's secret.
    pub const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Checks that the holder of `key` signed this request just now, for this node, for the first
    /// time.
    ///
    /// # Errors
    /// What is wrong; the code is [`Code::Unauthorized`].
    pub fn check(
        &self,
        signed: &Signed,
        key: &VerifyingKey,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<(), &'static str> {
        signed.check(key, request, &self.node, &self.names, now)?;
        if self.seen.lock().is_new(&signed.once(), now) { Ok(()) } else { Err("the request was seen before") }
    }
}

/// The requests of late, as hashes, in two generations: the older one is dropped when the younger
/// one is older than any signature that is accepted.
#[derive(Debug, Default)]
struct Seen {
    hash: RandomState,
    young: HashSet<u64>,
    old: HashSet<u64>,
    since: Millis,
}

impl Seen {
    /// Whether it is new; it no longer is from now on. When there is no room nothing is new: better
    /// to refuse than to forget.
    fn is_new(&mut self, request: &str, now: Millis) -> bool {
        if now.0.abs_diff(self.since.0) > 2 * (SKEW + 1) * 1000 {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        let hash = self.hash.hash_one(request);
        !self.old.contains(&hash) && self.young.len() < MOST && self.young.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_new_once_while_its_signature_is_good() {
        let mut seen = Seen::default();
        let mut is_new = |request, seconds| seen.is_new(request, Millis((1_000 + seconds) * 1000));
        assert!(is_new("a 1", 0));
        assert!(!is_new("a 1", SKEW));
        assert!(is_new("b 1", SKEW));
        assert!(!is_new("b 1", 3 * SKEW), "it may be from the future, seen first when it was young");
        assert!(is_new("b 1", 9 * SKEW));
    }
}
