//! The store in SQLite keeps the contract of every store, decides as the store in memory does, and
//! bears that others use it at the same time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../node-core/tests/support"]
mod support {
    pub mod contract;
    pub mod losses;
    pub mod samples;
    pub mod shelf;
    pub mod words;
}
#[path = "store/equality.rs"]
mod equality;
#[path = "store/sharing.rs"]
mod sharing;
#[path = "store/together.rs"]
mod together;

use pigeonhub_node_core::Absence;
use pigeonhub_node_sql::{Embedded, SqlStore};
use support::losses::LosesNodes;
use support::shelf::at_once;
use support::words::{NOW, node};

/// An empty store of node `n1`.
fn store() -> SqlStore<Embedded> {
    let store = SqlStore::new(Embedded::in_memory().unwrap(), node("n1"), NOW);
    at_once(store.create_tables()).unwrap();
    store
}

impl LosesNodes for SqlStore<Embedded> {
    fn lose(&self, lost: &str, absence: Absence) {
        at_once(self.node_lost(&node(lost), absence)).unwrap();
    }
}

mod keeps {
    use crate::support::contract::contract;

    contract!(super::store());
}

#[test]
fn a_number_that_is_kept_grows_from_nothing() {
    let store = store();
    for (more, sum) in [(2, "2"), (40, "42")] {
        at_once(store.add("answers", more)).unwrap();
        assert_eq!(at_once(store.kept("answers")).unwrap().as_deref(), Some(sum));
    }
}
