//! Records: what somebody publishes under a topic for a time, signed, so that no node needs trust to
//! keep it and pass it on.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http_signature::{SigningKey, decode_key, encode_key};
use crate::signed_json::{holds, signature_of, statement};
use crate::{Code, Millis, NodeId, RawJson, limit};

/// The version of the form.
const VERSION: u8 = 1;
/// The largest number that JavaScript counts exactly to.
const LARGEST: u64 = (1 << 53) - 1;

/// What was published.
///
/// Of the records of one publisher and one salt under a topic, the one with the highest `seq` counts
/// (if two have the same, the one whose [`Record::version`] is greater). So records that arrive in any
/// order, any number of times, end in the same picture everywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The version of the form: 1.
    pub v: u8,
    /// Under what it is found.
    pub topic: String,
    /// The publisher's Ed25519 key, 32 bytes in base64.
    pub publisher: String,
    /// Tells the records of one publisher under one topic apart; empty if there is one only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub salt: String,
    /// Grows with each change.
    pub seq: u64,
    /// When it was signed.
    pub timestamp: Millis,
    /// For how many seconds it is found.
    pub ttl: u64,
    /// What it says; `null` if it is `deleted`.
    pub data: RawJson,
    /// The node that signed it with its own key for somebody who did not sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<NodeId>,
    /// Nothing is published any more, and what was is not to be found.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub deleted: bool,
    /// Of everything above, in base64.
    #[serde(default)]
    pub signature: String,
}

impl Record {
    /// What is signed begins with this.
    pub const DOMAIN: &str = "pigeonhub-record-v1\n";

    /// A record that nobody has signed yet; `ttl` is in seconds. Set `salt` and whatever else is to differ,
    /// then [sign](Self::signed) it.
    #[must_use]
    pub const fn unsigned(topic: String, data: RawJson, seq: u64, ttl: u64, now: Millis) -> Self {
        Self {
            v: VERSION,
            topic,
            publisher: String::new(),
            salt: String::new(),
            seq,
            timestamp: now,
            ttl,
            data,
            node_id: None,
            deleted: false,
            signature: String::new(),
        }
    }

    /// A record that is signed by `key`; publisher, version and signature are written into it.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Self {
        self.v = VERSION;
        self.publisher = encode_key(&key.verifying_key());
        self.signature = signature_of(key, &self.statement());
        self
    }

    /// The text that is signed: the words `pigeonhub-record-v1`, a line feed, and the canonical JSON
    /// of everything but the signature.
    #[must_use]
    pub fn statement(&self) -> String {
        // Records have string keys and finite numbers only, so this cannot fail.
        statement(&serde_json::to_value(self).unwrap_or(Value::Null), Self::DOMAIN, "signature")
    }

    /// Whether it may be kept and passed on: its form, its size, its time and its signature.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], [`Code::MessageTooLarge`], [`Code::RecordExpired`],
    /// [`Code::SignatureInvalid`].
    pub fn check(&self, now: Millis) -> Result<(), Code> {
        let is_formed = self.v == VERSION
            && (1..=limit::TOPIC).contains(&self.topic.len())
            && self.salt.len() <= limit::SALT
            && self.seq <= LARGEST
            && self.timestamp.0 <= LARGEST
            && (1..=limit::TTL).contains(&self.ttl)
            && (!self.deleted || self.data.get() == "null")
            && decode_key(&self.publisher).is_some();
        if !is_formed {
            return Err(Code::InvalidRequest);
        }
        if self.data.get().len() > limit::RECORD {
            return Err(Code::MessageTooLarge);
        }
        // What comes from the future would be kept for longer than anything may.
        if self.timestamp > now.plus(limit::SKEW) || self.kept_until() <= now {
            return Err(Code::RecordExpired);
        }
        if holds(&self.statement(), &self.publisher, &self.signature) {
            Ok(())
        } else {
            Err(Code::SignatureInvalid)
        }
    }

    /// The same for all records of one publisher and salt under a topic: 40 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.topic, &self.publisher, &self.salt] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize()[..20])
    }

    /// Of this record alone: 32 hexadecimal digits. Two nodes hold the same if these are the same.
    #[must_use]
    pub fn version(&self) -> String {
        hex(&Sha256::digest(&self.signature)[..16])
    }

    /// Until when it is found.
    #[must_use]
    pub const fn expires_at(&self) -> Millis {
        self.timestamp.plus(self.ttl.saturating_mul(1000))
    }

    /// Until when it must be remembered that this one counts, so that none that it replaced comes back
    /// from a node that was away: as long as any older one could be found. What a node signs for
    /// somebody replaces nothing.
    #[must_use]
    pub fn kept_until(&self) -> Millis {
        if self.node_id.is_some() && !self.deleted {
            self.expires_at()
        } else {
            self.timestamp.plus(limit::TTL * 1000 + 2 * limit::SKEW)
        }
    }

    /// What decides between two records with the same id; the greater counts.
    #[must_use]
    pub fn rank(&self) -> (u64, String) {
        (self.seq, self.version())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
