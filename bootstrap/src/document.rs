//! Documents of a domain: `/.well-known/pigeonhub-bootstrap` with a list of descriptors that are each
//! signed by their node, and the seed bundle of existing nodes.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::Millis;
use serde_json::Value;

use crate::{Descriptor, Invalid, Refusal, Trust, bundle};

/// Where the documents of a domain are: ours, and that of existing nodes.
pub const DOCUMENTS: [&str; 2] = ["/.well-known/pigeonhub-bootstrap", "/.well-known/peerpigeon.json"];
/// A document has at most so many bytes.
pub const MOST_BYTES: usize = 256 * 1024;
/// Descriptors of one document that are read.
const MOST: usize = 256;

/// What something that was found has to hold against.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// The mesh, `APP_ID`.
    pub app: &'a str,
    /// The keys that are trusted; none are pinned if it is empty.
    pub pins: &'a [String],
    /// Whether it comes from a local address or name, so that it may name such ones.
    pub is_local: bool,
    /// The time.
    pub now: Millis,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The good.
    pub peers: Vec<(Descriptor, Trust)>,
    /// The others.
    pub refused: Vec<Refusal>,
}

impl Found {
    pub(crate) fn refuse(refusal: impl Into<Refusal>) -> Self {
        Self { peers: Vec::new(), refused: [refusal.into()].into() }
    }

    pub(crate) fn add_all(
        &mut self,
        values: &[Value],
        check: &Check<'_>,
        trust: impl Fn(&Descriptor) -> Result<Trust, Refusal>,
    ) {
        for value in values.iter().take(MOST) {
            let descriptor = Descriptor::read(value).and_then(|one| one.said_elsewhere(check.is_local));
            match descriptor.map_err(Refusal::from).and_then(|one| Ok((trust(&one)?, one))) {
                Ok((trust, descriptor)) => self.peers.push((descriptor, trust)),
                Err(refusal) => self.refused.push(refusal),
            }
        }
    }
}

/// Reads a document of either kind.
#[must_use]
pub fn read_document(text: &str, check: &Check<'_>) -> Found {
    if text.len() > MOST_BYTES {
        return Found::refuse(Invalid::Size);
    }
    match serde_json::from_str(text) {
        Ok(value) => read_value(&value, check),
        Err(_) => Found::refuse(Invalid::Form),
    }
}

pub(crate) fn read_value(value: &Value, check: &Check<'_>) -> Found {
    let mut found = Found::default();
    let read = match value {
        _ if value["seeds"].is_array() => bundle::read(value, check, &mut found),
        _ if value["peers"].is_array() && value["app"] != check.app => Err(Refusal::OtherApp),
        _ => match &value["peers"] {
            Value::Array(peers) => {
                found.add_all(peers, check, |one| one.verify(check.pins, check.now));
                Ok(())
            }
            _ => Err(Invalid::Form.into()),
        },
    };
    match read {
        Ok(()) => found,
        Err(refusal) => Found::refuse(refusal),
    }
}
