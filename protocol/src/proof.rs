//! Proofs: that a peer said something itself, whichever nodes passed it on.
//!
//! A peer with an Ed25519 key has the SHA-1 of that key as its id, so a signature proves the id, and
//! nobody has to be asked whose key it is. The proof travels in `data.proof`: nodes and peers that know
//! nothing of proofs pass it on and ignore it.

use alloc::format;
use alloc::string::String;

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha1::{Digest, Sha1};

use crate::http_signature::{decode_key, encode_key};
use crate::signed_json::{holds, signature_of};
use crate::{Fields, MessageId, Millis, NetworkName, PeerId, RawJson, canonical, limit, raw_json};

/// The field of `data` that holds the proof.
pub const PROOF: &str = "proof";
/// What is signed begins with this, so that no other signature is good for a proof.
pub const DOMAIN: &str = "pigeonhub-peer-v1\n";
/// Fields of an announce's `data` that are not the peer's own words, or must be said when there is no
/// time to sign: they are not covered.
pub const UNCOVERED: [&str; 5] = ["peerId", "nodeId", "isHub", "away", PROOF];

/// What proves a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The sender's Ed25519 key, 32 bytes in base64.
    pub key: String,
    /// When it was signed, by the sender's clock.
    pub timestamp: Millis,
    /// Of the [statement](Claim::statement), 64 bytes in base64.
    pub signature: String,
}

impl Proof {
    /// Reads what is in the field [`PROOF`].
    #[must_use]
    pub fn read(proof: &RawValue) -> Option<Self> {
        let fields = Fields::read(proof)?;
        let timestamp = Millis(fields.number("timestamp")?);
        Some(Self { key: fields.text("key")?, timestamp, signature: fields.text("signature")? })
    }

    /// Whether it was signed about now. Clocks of people are wrong by hours often enough, and what a
    /// profile says stays true for long; repeats are found by their ids.
    #[must_use]
    pub const fn is_recent(&self, now: Millis) -> bool {
        self.timestamp.since(now) <= limit::PROOF && now.since(self.timestamp) <= limit::PROOF
    }
}

/// What is proven: everything about a message that its receiver relies on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Claim<'a> {
    /// The message's `type`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Who says it.
    pub from: PeerId,
    /// To whom, if it is for one peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PeerId>,
    /// In which network.
    pub network: &'a NetworkName,
    /// The message's id: what was heard already counts once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a MessageId>,
    /// When.
    pub timestamp: Millis,
    /// What: `data` without the proof itself, and in an announce without all that is [`UNCOVERED`].
    pub data: &'a RawValue,
}

impl Claim<'_> {
    /// The claim as JSON, for those who make the canonical text of it themselves.
    #[must_use]
    pub fn json(&self) -> RawJson {
        raw_json(self)
    }

    /// The text that is signed: the words `pigeonhub-peer-v1`, a line feed, and the canonical JSON
    /// (RFC 8785) of the claim.
    #[must_use]
    pub fn statement(&self) -> String {
        statement(&self.json())
    }

    /// The proof of it.
    #[must_use]
    pub fn proof(&self, key: &SigningKey) -> Proof {
        let signature = signature_of(key, &self.statement());
        Proof { key: encode_key(&key.verifying_key()), timestamp: self.timestamp, signature }
    }

    /// Whether the proof is of this claim, and of who says it. The claim's time has to be the proof's.
    #[must_use]
    pub fn is_proven_by(&self, proof: &Proof) -> bool {
        self.timestamp == proof.timestamp && is_proof(self.from, &self.json(), proof)
    }
}

/// Whether a proof is of this claim, written as [JSON](Claim::json), and of the peer with this id.
#[must_use]
pub fn is_proof(from: PeerId, claim: &RawValue, proof: &Proof) -> bool {
    decode_key(&proof.key).is_some_and(|key| PeerId::of_key(&key) == from)
        && holds(&statement(claim), &proof.key, &proof.signature)
}

/// The text that is signed, of a claim as [JSON](Claim::json).
#[must_use]
pub fn statement(claim: &RawValue) -> String {
    // Claims are JSON, so this cannot fail.
    let claim: Value = serde_json::from_str(claim.get()).unwrap_or_default();
    format!("{DOMAIN}{}", canonical(&claim))
}

/// A message's `data` taken apart: what is covered (all but these fields), and the proof of it if there
/// is one.
#[must_use]
pub fn split(data: &RawValue, uncovered: &[&str]) -> (RawJson, Option<Proof>) {
    let mut fields = Fields::read(data).unwrap_or_default();
    let proof = fields.get(PROOF).and_then(Proof::read);
    uncovered.iter().for_each(|name| fields.remove(name));
    (raw_json(&fields), proof)
}

impl PeerId {
    /// The id of the peer with this key: its SHA-1.
    #[must_use]
    pub fn of_key(key: &VerifyingKey) -> Self {
        Self::from_bytes(Sha1::digest(key.as_bytes()).into())
    }
}
