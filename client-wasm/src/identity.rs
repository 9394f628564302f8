//! Where a peer's id comes from.

use pigeonhub_protocol::{NetworkName, PeerId};

use crate::ambient;

/// An id that nobody has had.
pub(crate) fn fresh() -> PeerId {
    PeerId::from_bytes(ambient::dice())
}

/// The id that this browser had last time.
pub(crate) async fn kept(_network: &NetworkName) -> PeerId {
    fresh()
}
