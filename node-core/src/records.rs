//! Records: what is published under a topic, kept by several nodes until its time is over.
//!
//! Every record is signed, so a node believes no other node: it checks. What a node holds grows by
//! [`Archive::keep_record`] only, which keeps the record of the highest rank for each id; so it does not
//! matter in which order, how often and on which way records arrive.
//!
//! * [`publish`]: kept here, then at the nodes that are [`responsible`] for its topic.
//! * [`find`]: here, or at those nodes.
//! * [`reconcile`]: two nodes compare what they hold and give each other what the other lacks.

mod archive;
mod find;
mod publish;
mod reconcile;
mod responsible;
mod watch;

pub use self::archive::{Archive, Colleagues, GRACE, Kept, Limits, replicate};
pub use self::find::{Place, find, given, wanted};
pub use self::publish::{Stored, Wanted, on_behalf, publish};
pub use self::reconcile::{Difference, Digests, answer, reconcile};
pub use self::responsible::{REPLICAS, responsible};
pub use self::watch::{Seen, Watch};
