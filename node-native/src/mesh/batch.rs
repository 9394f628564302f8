//! What goes to another node in one request.

use std::collections::VecDeque;

use bytes::Bytes;
use pigeonhub_protocol::mesh::{PeerAnnouncement, PeerWithdrawal, Return};
use pigeonhub_protocol::{Signal, limit};
use serde::Serialize;

use super::journey::Journey;

/// Parcels in one request at most.
const MOST: usize = 128;

/// One thing for another node.
#[derive(Debug)]
pub enum Parcel {
    /// A peer is here.
    Announce(PeerAnnouncement),
    /// A peer is no longer here.
    Withdraw(PeerWithdrawal),
    /// A signal.
    Signal(Journey),
    /// A signal could not be delivered after all.
    Return(Return),
}

impl Parcel {
    fn path(&self) -> &'static str {
        match self {
            Self::Announce(_) => "/api/announce-peer",
            Self::Withdraw(_) => "/api/withdraw-peer",
            Self::Signal(_) | Self::Return(_) => "/api/route-signal",
        }
    }

    /// Bytes that it occupies, about.
    pub fn size(&self) -> usize {
        512 + match self {
            Self::Announce(announcement) => announcement.data.get().len() + 48 * announcement.tell.len(),
            Self::Withdraw(withdrawal) => withdrawal.data.get().len(),
            Self::Signal(journey) => journey.signal().data.get().len(),
            Self::Return(_) => 0,
        }
    }

    fn body(&self) -> Body<'_> {
        match self {
            Self::Announce(announcement) => Body::Announce(announcement),
            Self::Withdraw(withdrawal) => Body::Withdraw(withdrawal),
            Self::Signal(journey) => Body::Signal(journey.signal()),
            Self::Return(back) => Body::Return(back),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Announce(&'a PeerAnnouncement),
    Withdraw(&'a PeerWithdrawal),
    Signal(&'a Signal),
    Return(&'a Return),
}

/// Consecutive parcels for one route; never empty.
#[derive(Debug)]
pub struct Batch {
    /// The route.
    pub path: &'static str,
    /// In order.
    pub parcels: Vec<Parcel>,
}

impl Batch {
    /// Takes the next batch from the front: what goes to the same route, up to a number and a size.
    pub fn take(waiting: &mut VecDeque<Parcel>) -> Option<Self> {
        let path = waiting.front()?.path();
        let mut size = 0;
        let fits = |(number, parcel): &(usize, &Parcel)| {
            size += parcel.size();
            parcel.path() == path && *number < MOST && (*number == 0 || size <= limit::MESSAGE)
        };
        let count = waiting.iter().enumerate().take_while(fits).count();
        Some(Self { path, parcels: waiting.drain(..count).collect() })
    }

    /// Bytes that it occupies, about.
    pub fn size(&self) -> usize {
        self.parcels.iter().map(Parcel::size).sum()
    }

    /// The body of the request: always a list.
    pub fn body(&self) -> Bytes {
        let bodies: Vec<_> = self.parcels.iter().map(Parcel::body).collect();
        // Our bodies have string keys and finite numbers only, so this cannot fail.
        serde_json::to_vec(&bodies).unwrap_or_default().into()
    }

    /// Whether the other node must hear it, or has a wrong picture of the peers here.
    pub fn is_news(&self) -> bool {
        self.parcels.iter().any(|parcel| matches!(parcel, Parcel::Announce(_) | Parcel::Withdraw(_)))
    }
}

#[cfg(test)]
mod tests {
    use pigeonhub_protocol::mesh::Departure;
    use pigeonhub_protocol::raw_json;

    use super::*;

    fn announce(number: u8, bytes: usize) -> Parcel {
        Parcel::Announce(PeerAnnouncement {
            peer_id: pigeonhub_protocol::PeerId::from_bytes([number; 20]),
            node_id: "a".parse().unwrap(),
            network_name: Default::default(),
            data: raw_json(&"x".repeat(bytes)),
            lease: None,
            tell: Vec::new(),
            refresh: false,
        })
    }

    fn withdraw(number: u8) -> Parcel {
        Parcel::Withdraw(PeerWithdrawal {
            peer_id: pigeonhub_protocol::PeerId::from_bytes([number; 20]),
            node_id: "a".parse().unwrap(),
            network_name: Default::default(),
            departure: Departure::Lost,
            data: raw_json(&()),
        })
    }

    fn batches(parcels: Vec<Parcel>) -> Vec<(&'static str, usize)> {
        let mut waiting = VecDeque::from(parcels);
        let batches = std::iter::from_fn(|| Batch::take(&mut waiting));
        batches.map(|batch| (batch.path, batch.parcels.len())).collect()
    }

    #[test]
    fn a_batch_is_of_one_kind_and_keeps_the_order() {
        let parcels = vec![announce(1, 1), announce(2, 1), withdraw(1), announce(1, 1)];
        let expected = [("/api/announce-peer", 2), ("/api/withdraw-peer", 1), ("/api/announce-peer", 1)];
        assert_eq!(batches(parcels), expected);
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_bytes() {
        let sizes = |parcels| batches(parcels).into_iter().map(|(_, count)| count).collect::<Vec<_>>();
        assert_eq!(sizes((0..200).map(withdraw).collect()), [128, 72]);
        let large = limit::MESSAGE - 1024;
        assert_eq!(sizes(vec![announce(1, large), announce(2, large), withdraw(3)]), [1, 1, 1]);
        assert_eq!(sizes(vec![announce(1, 2 * large)]), [1]);
    }
}
