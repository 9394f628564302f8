//! What the page remembers until the next visit, and what its own address says.

use leptos::prelude::window;
use web_sys::{Storage, UrlSearchParams};

use crate::address::{NodeAddress, Wish};

const NAME: &str = "pigeonhub-demo-name";

/// Remembers the reader's name. A browser that forbids it forgets, nothing more.
pub fn name(name: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(NAME, name);
    }
}

/// What the page's address asks for, completed with what is remembered.
pub fn wish() -> Wish {
    let query = window().location().search().unwrap_or_default();
    let parameters = UrlSearchParams::new_with_str(&query).ok();
    let mut wish = Wish::read(|key| parameters.as_ref()?.get(key));
    wish.name = wish.name.or_else(|| storage()?.get_item(NAME).ok()?);
    wish
}

/// The node that served this page, if one did.
pub fn own_origin() -> Option<NodeAddress> {
    let origin = window().location().origin().ok()?;
    NodeAddress::parse(&origin)
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
