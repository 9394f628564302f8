//! What a node decides. No clock, no randomness, no socket, no disk in here: time and dice come in
//! as a [`Moment`](pigeonhub_protocol::Moment), what is stored comes in as [`Facts`], and what is to
//! be done goes out as a [`Decision`].
//!
//! One step, for a message of a peer or of another node, on any host:
//!
//! 1. [`Node::needs`]: which facts does this [`Event`] need?
//! 2. the host's [`Store`] loads them: one snapshot of one network,
//! 3. [`Node::decide`]: pure and total, never fails; a refusal is a reply with a code,
//! 4. the store commits the [`Change`]s, the host sends the replies and runs the [`Errand`]s;
//!    how a [`Route`] ended comes back as an event of its own.
//!
//! [`exchange`] is these four. Invariants:
//!
//! * A change names only what the facts showed, never what a caller claimed.
//! * Facts are from before the event; no rule needs two of them to stay unchanged until commit.
//! * A step may be repeated whole and changes nothing more.
//! * All facts of a step belong to one network, so hosts may shard by network.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod change;
mod converse;
mod decide;
pub mod dice;
mod event;
mod exchange;
mod facts;
pub mod gate;
mod journey;
mod mail;
mod membership;
mod memory;
mod node;
pub mod pace;
mod parcel;
mod presence;
pub mod records;
pub mod relay;
pub mod rest;
mod rhythm;
mod roster;
pub mod ticket;
mod together;

pub use answer::{Answer, Tally};
pub use change::{Change, Decision, Errand, Outcome, Route};
pub use converse::{Conversation, ConverseError, Mailroom, Talk, converse, mail, resume};
pub use event::{Caller, Event};
pub use exchange::{AtHand, Store, exchange, exchange_now};
pub use facts::{Facts, Few, Needs, Sample, Target};
pub use journey::{BESIDE, Journey, Leg};
pub use mail::{Mail, MailNumbers, MailSeq, Mailbox, Overflow};
pub use membership::{Contact, Detour, Impostor, Membership, MeshChange, Passage, Standing, Way};
pub use memory::{Memory, Outlet};
pub use node::{Admission, Knock, Node, Settings};
pub use parcel::{Batch, News, Parcel};
pub use presence::{Absence, Home, Presence, SessionId, State};
pub use rhythm::{Beat, Rhythm};
pub use together::exchange_all;
