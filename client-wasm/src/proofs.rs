//! Proofs of what peers say: signed and checked with the browser's own cryptography.

use std::rc::Rc;

use js_sys::JSON;
use pigeonhub_client_core::Input;
use pigeonhub_protocol::proof::{DOMAIN, Proof};
use pigeonhub_protocol::{PeerId, RawJson};

use crate::canonical::canonical;
use crate::keys::{self, Key};

/// The signature of a claim; none without a key.
pub(crate) async fn signature(key: Option<Rc<Key>>, claim: RawJson) -> Option<String> {
    key?.sign(&statement(&claim)?).await
}

/// Whether a proof is of this claim, and of the peer with this id.
pub(crate) async fn check(number: u32, from: PeerId, claim: RawJson, proof: Proof) -> Input {
    let holds = match statement(&claim) {
        Some(statement) => {
            keys::peer_of(&proof.key).await == Some(from)
                && keys::holds(&statement, &proof.key, &proof.signature).await
        }
        None => false,
    };
    if holds || keys::are_supported().await {
        Input::Verified { number, holds }
    } else {
        Input::Unchecked { number }
    }
}

fn statement(claim: &RawJson) -> Option<String> {
    Some(DOMAIN.to_owned() + &canonical(&JSON::parse(claim.get()).ok()?)?)
}
