//! A node's store in any SQLite: its own file, Spin's, libSQL behind either.
//!
//! A host implements [`Database`], one method, and gets a [`Store`](pigeonhub_node_core::Store).
//! Nothing here relies on a transaction over several statements: all changes of a step are one
//! statement, and mail that is to be taken care of is removed by the statement that reads it.
#![no_std]

extern crate alloc;
#[cfg(feature = "rusqlite")]
extern crate std;

mod commit;
mod counters;
mod database;
#[cfg(feature = "rusqlite")]
mod embedded;
mod load;
mod mailbox;
mod overview;
mod records;
mod row;
mod sample;
mod store;
mod streams;
mod together;

pub use database::{Database, Row, Value};
#[cfg(feature = "rusqlite")]
pub use embedded::Embedded;
pub use store::{SqlError, SqlStore};
