//! `BOOTSTRAP_PEERS`: nodes, separated by commas.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Descriptor, Invalid, Region};

/// What a list of nodes holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configured {
    /// The nodes, in order.
    pub peers: Vec<Descriptor>,
    /// What is none, and why; blanks are not worth a word.
    pub junk: Vec<(String, Invalid)>,
}

/// Reads `BOOTSTRAP_PEERS`. The operator's word counts: plain `ws` is accepted anywhere.
#[must_use]
pub fn parse_bootstrap_peers_from_env(text: &str) -> Configured {
    let mut configured = Configured::default();
    for url in text.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        match Descriptor::at(url) {
            Ok(descriptor) => configured.peers.push(Descriptor {
                region: Some(Region::Custom),
                priority: Some(1),
                ..descriptor
            }),
            Err(invalid) => configured.junk.push((url.into(), invalid)),
        }
    }
    configured
}
