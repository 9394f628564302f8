//! The built-in list: data in one file, and nothing else knows hosts.

use alloc::vec::Vec;

use serde::Deserialize;

use crate::{Descriptor, Trust};

const LIST: &str = include_str!("built_in.json");

/// The built-in list, by tier. Each entry names its `provider` in [`Descriptor::more`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BuiltIn {
    /// The project's own nodes.
    pub production: Vec<Descriptor>,
    /// The project's nodes in one part of the world.
    pub regional: Vec<Descriptor>,
    /// Nodes of others.
    pub community: Vec<Descriptor>,
    /// For development: nodes of this machine.
    pub local: Vec<Descriptor>,
}

impl BuiltIn {
    /// What is for everybody.
    pub fn public(self) -> impl Iterator<Item = (Descriptor, Trust)> {
        let project = self.production.into_iter().chain(self.regional);
        let project = project.map(|descriptor| (descriptor, Trust::Project));
        project.chain(self.community.into_iter().map(|descriptor| (descriptor, Trust::Community)))
    }
}

/// Reads the list.
#[must_use]
pub fn built_in() -> BuiltIn {
    // That it can be read is tested.
    serde_json::from_str(LIST).unwrap_or_default()
}
