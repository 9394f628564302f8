//! The HTTP API, decided: a request comes in as texts and goes out as a [`Call`] for the host to
//! carry out, or as the [`Reply`] that refuses it; what was found out goes in, a [`Reply`] comes out.
//!
//! Every host answers alike, because none of them writes an answer itself.

mod bodies;
mod calendar;
mod conversation;
mod figures;
mod mesh;
mod page;
mod publish;
mod query;
mod replicate;
mod reply;
mod route;
mod status;

pub use self::calendar::iso_8601;
pub use self::conversation::{EventsQuery, conversation};
pub use self::figures::Figures;
pub use self::mesh::{announced, done, meeting, routed};
pub use self::page::{PageQuery, peers};
pub use self::publish::{FindQuery, Publication, event, found, published, seen};
pub use self::replicate::{
    Records, RecordsQuery, difference, has_kept_all, json, records, replicas, replicated,
};
pub use self::reply::Reply;
pub use self::route::{Call, Request, body_limit, route};
pub use self::status::Status;
