//! How nodes and clients find the first node of their mesh.
//!
//! * A [`Descriptor`] says where a node is; its node may have signed it.
//! * Descriptors come from [`Source`]s: what was configured ([`parse_bootstrap_peers_from_env`]),
//!   documents of a domain ([`read_document`]), DNS ([`read_txt`]), the DHT, the built-in list.
//!   Whatever is wrong with one is a [`Refusal`].
//! * A [`Pool`] merges and ranks them, remembers how they did, and is the cache that is kept.
//! * [`get_bootstrap_peers`] is the simple way: what is configured and what is built in.
//!
//! What is found is a reason to dial, and no more: who answers at a URL is what counts.
//! No clock, no randomness, no socket, no disk in here.
#![no_std]

extern crate alloc;

mod address;
mod built_in;
mod bundle;
mod descriptor;
mod document;
mod doh;
mod domain;
mod environment;
mod own;
mod pace;
mod peers;
mod pool;
mod refusal;
mod region;
mod signature;
mod source;
mod txt;

pub use address::is_local;
pub use built_in::{BuiltIn, built_in};
pub use bundle::seed_bundle;
pub use descriptor::{Descriptor, Invalid};
pub use document::{Check, DOCUMENTS, Found, MOST_BYTES, read_document};
pub use doh::{query, txt_records};
pub use domain::Domain;
pub use environment::{Configured, parse_bootstrap_peers_from_env};
pub use own::{EXPIRES, is_fresh, signed};
pub use pace::pause;
pub use peers::{Environment, Wanted, get_bootstrap_peers};
pub use pool::{CHECK, Candidate, KEEP, MOST, Pool};
pub use refusal::Refusal;
pub use region::Region;
pub use signature::{LIFETIME, sign};
pub use source::{Source, Trust};
pub use txt::{read_txt, txt_name};
