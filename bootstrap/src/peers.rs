//! The simple way to a list of nodes: what is configured, and what is built in.

use alloc::vec::Vec;

use pigeonhub_protocol::Millis;

use crate::{Descriptor, Pool, Region, Source, Trust, built_in};

/// A descriptor without priority comes after all that have one.
const NO_PRIORITY: u32 = 99;

/// Which part of the built-in list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// The nodes of the project and the community.
    #[default]
    Production,
    /// The nodes of this machine.
    Local,
}

impl Environment {
    /// `production`, `development` or `local`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "production" => Some(Self::Production),
            "development" | "local" => Some(Self::Local),
            _ => None,
        }
    }
}

/// What is wanted of [`get_bootstrap_peers`].
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Which part of the built-in list.
    pub environment: Environment,
    /// If any of the list is there or global, then only those.
    pub region: Option<Region>,
    /// One's own; no region leaves them out.
    pub custom_peers: Vec<Descriptor>,
    /// The nodes of this machine, too.
    pub include_local: bool,
}

pub(crate) fn priority(descriptor: &Descriptor) -> u32 {
    descriptor.priority.unwrap_or(NO_PRIORITY)
}

/// A list of nodes, best first: by priority, one's own first among equals, each URL once.
#[must_use]
pub fn get_bootstrap_peers(wanted: Wanted) -> Vec<Descriptor> {
    let list = built_in();
    let with_local = wanted.include_local || wanted.environment == Environment::Local;
    let local = if with_local { list.local.clone() } else { Vec::new() };
    let mut listed = Vec::new();
    if wanted.environment == Environment::Production {
        listed.extend(list.public().map(|(descriptor, _)| descriptor));
    }
    if let Some(region) = wanted.region {
        let near = |peer: &Descriptor| peer.region == Some(region) || peer.region == Some(Region::Global);
        if listed.iter().any(near) {
            listed.retain(near);
        }
    }
    // Asked for by name, so no region leaves them out either.
    listed.extend(local);
    let mut peers: Vec<Descriptor> = Vec::new();
    for peer in wanted.custom_peers.into_iter().chain(listed) {
        if !peers.iter().any(|known| known.u == peer.u) {
            peers.push(peer);
        }
    }
    peers.sort_by_key(priority);
    peers
}

impl Pool {
    /// What an operator named, and behind it what they asked for of the built-in list.
    #[must_use]
    pub fn configured(
        peers: &[Descriptor],
        built_in: Option<Environment>,
        region: Option<Region>,
        now: Millis,
    ) -> Self {
        let mut pool = Self::default();
        // Neither has signatures, so none can be refused.
        for peer in peers {
            let _ = pool.offer(peer.clone(), Source::Environment, Trust::Own, now);
        }
        if let Some(environment) = built_in {
            let trust = if environment == Environment::Local { Trust::Own } else { Trust::Project };
            for peer in get_bootstrap_peers(Wanted { environment, region, ..Wanted::default() }) {
                let _ = pool.offer(peer, Source::BuiltIn, trust, now);
            }
        }
        pool
    }
}
