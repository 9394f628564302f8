//! What goes to another node in one request.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{Departure, Interest, PeerAnnouncement, PeerWithdrawal, Return};
use pigeonhub_protocol::{NetworkName, NodeId, PeerId, RawJson, Signal, limit};
use serde::Serialize;

use crate::{Node, Presence};

/// Parcels in one request at most.
const MOST: usize = 128;

/// One thing for another node; `S` is a signal and what the host notes of its way.
#[derive(Debug)]
pub enum Parcel<S> {
    /// This node has peers in a network.
    Interest(Interest),
    /// A peer is here.
    Announce(PeerAnnouncement),
    /// A peer is no longer here.
    Withdraw(PeerWithdrawal),
    /// A signal.
    Signal(S),
    /// A signal could not be delivered after all.
    Return(Return),
}

/// What another node is told of the peers here.
#[derive(Clone, Debug)]
pub enum News {
    /// There are some in a network.
    Interest(Interest),
    /// One is here.
    Announce(PeerAnnouncement),
    /// One is no longer here.
    Withdraw(PeerWithdrawal),
}

impl<S> From<News> for Parcel<S> {
    fn from(news: News) -> Self {
        match news {
            News::Interest(interest) => Self::Interest(interest),
            News::Announce(announcement) => Self::Announce(announcement),
            News::Withdraw(withdrawal) => Self::Withdraw(withdrawal),
        }
    }
}

impl<S: AsRef<Signal>> Parcel<S> {
    fn path(&self) -> &'static str {
        match self {
            Self::Interest(_) => "/api/interest",
            Self::Announce(_) => "/api/announce-peer",
            Self::Withdraw(_) => "/api/withdraw-peer",
            Self::Signal(_) | Self::Return(_) => "/api/route-signal",
        }
    }

    fn network(&self) -> &NetworkName {
        match self {
            Self::Interest(interest) => &interest.network_name,
            Self::Announce(announcement) => &announcement.network_name,
            Self::Withdraw(withdrawal) => &withdrawal.network_name,
            Self::Signal(signal) => &signal.as_ref().network,
            Self::Return(back) => &back.network_name,
        }
    }

    /// Bytes that it occupies, about.
    #[must_use]
    pub fn size(&self) -> usize {
        512 + match self {
            Self::Announce(announcement) => announcement.data.get().len() + 48 * announcement.tell.len(),
            Self::Withdraw(withdrawal) => withdrawal.data.get().len(),
            Self::Signal(signal) => signal.as_ref().data.get().len(),
            Self::Interest(_) | Self::Return(_) => 0,
        }
    }

    fn body(&self) -> Body<'_> {
        match self {
            Self::Interest(interest) => Body::Interest(interest),
            Self::Announce(announcement) => Body::Announce(announcement),
            Self::Withdraw(withdrawal) => Body::Withdraw(withdrawal),
            Self::Signal(signal) => Body::Signal(signal.as_ref()),
            Self::Return(back) => Body::Return(back),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Interest(&'a Interest),
    Announce(&'a PeerAnnouncement),
    Withdraw(&'a PeerWithdrawal),
    Signal(&'a Signal),
    Return(&'a Return),
}

/// Parcels for one route; never empty.
#[derive(Debug)]
pub struct Batch<S> {
    /// The route.
    pub path: &'static str,
    /// In order.
    pub parcels: Vec<Parcel<S>>,
}

impl<S: AsRef<Signal>> Batch<S> {
    /// Takes the next batch: what goes to the same route as the first parcel, up to a number and a size.
    /// What is of one network stays in order, and other networks do not wait for it.
    pub fn take(waiting: &mut VecDeque<Parcel<S>>) -> Option<Self> {
        let path = waiting.front()?.path();
        let (mut parcels, mut size) = (Vec::new(), 0);
        let (mut left, mut held_up) = (Vec::new(), BTreeSet::new());
        while parcels.len() < MOST
            && left.len() < MOST
            && let Some(parcel) = waiting.pop_front()
        {
            let fits = parcels.is_empty() || size + parcel.size() <= limit::MESSAGE;
            if fits && parcel.path() == path && !held_up.contains(parcel.network()) {
                size += parcel.size();
                parcels.push(parcel);
            } else {
                held_up.insert(parcel.network().clone());
                left.push(parcel);
            }
        }
        left.into_iter().rev().for_each(|parcel| waiting.push_front(parcel));
        Some(Self { path, parcels })
    }

    /// Bytes that it occupies, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.parcels.iter().map(Parcel::size).sum()
    }

    /// The body of the request: always a list.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let bodies: Vec<_> = self.parcels.iter().map(Parcel::body).collect();
        // Our bodies have string keys and finite numbers only, so this cannot fail.
        serde_json::to_vec(&bodies).unwrap_or_default()
    }

    /// Whether the other node must hear it, or has a wrong picture of the peers here.
    #[must_use]
    pub fn is_news(&self) -> bool {
        self.parcels.iter().any(|parcel| !matches!(parcel, Parcel::Signal(_) | Parcel::Return(_)))
    }
}

impl Node {
    /// What the nodes that can be reached are told of a peer of this one: those which are known to have
    /// peers in its network (`abroad`) that it is here, and which of their peers are to be told. If none
    /// is known, a renewal is the time to ask again.
    pub fn news(
        &self,
        presence: &Presence,
        tell: &[(NodeId, PeerId)],
        refresh: bool,
        abroad: &[NodeId],
        up: impl Iterator<Item = NodeId>,
    ) -> Vec<(NodeId, News)> {
        let (network, is_alone) = (&presence.network, refresh && abroad.is_empty());
        let news = |node: NodeId| {
            let is_named = |(at, _): &&(NodeId, PeerId)| *at == node;
            if is_alone {
                Some((node, News::Interest(self.interest(network.clone(), true))))
            } else if abroad.contains(&node) || tell.iter().any(|named| is_named(&named)) {
                let named = tell.iter().filter(is_named).map(|(_, peer)| *peer).collect();
                let announcement = self.announcement(presence, named, refresh);
                Some((node, News::Announce(announcement)))
            } else {
                None
            }
        };
        up.filter_map(news).collect()
    }

    /// What a node that asks for those who are here is told of one of them, or of one who was here a moment
    /// ago: that it was. The others count with that one still, and this node speaks for it.
    #[must_use]
    pub fn introduction(&self, presence: &Presence) -> Vec<News> {
        // Who knows the peer has nothing to tell anybody.
        let mut news = vec![News::Announce(self.announcement(presence, Vec::new(), true))];
        if !presence.is_live() {
            news.push(News::Withdraw(PeerWithdrawal {
                peer_id: presence.peer,
                node_id: self.id.clone(),
                network_name: presence.network.clone(),
                departure: Departure::Lost,
                data: RawJson::default(),
            }));
        }
        news
    }

    /// What another node is told that has peers in a network as this one has.
    #[must_use]
    pub fn interest(&self, network: NetworkName, answer: bool) -> Interest {
        Interest { node_id: self.id.clone(), network_name: network, answer }
    }

    /// What another node is told of a peer of this one; `tell` are its peers that are to be told.
    #[must_use]
    pub fn announcement(&self, presence: &Presence, tell: Vec<PeerId>, refresh: bool) -> PeerAnnouncement {
        PeerAnnouncement {
            peer_id: presence.peer,
            node_id: self.id.clone(),
            network_name: presence.network.clone(),
            data: presence.profile.clone(),
            lease: Some(self.settings.lease),
            tell,
            refresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use pigeonhub_protocol::raw_json;

    use super::*;

    fn announce(number: u8, bytes: usize) -> Parcel<Signal> {
        announce_in("", number, bytes)
    }

    fn announce_in(network: &str, number: u8, bytes: usize) -> Parcel<Signal> {
        Parcel::Announce(PeerAnnouncement {
            peer_id: PeerId::from_bytes([number; 20]),
            node_id: "a".parse().unwrap(),
            network_name: network.parse().unwrap(),
            data: raw_json(&"x".repeat(bytes)),
            lease: None,
            tell: Vec::new(),
            refresh: false,
        })
    }

    fn withdraw(number: u8) -> Parcel<Signal> {
        Parcel::Withdraw(PeerWithdrawal {
            peer_id: PeerId::from_bytes([number; 20]),
            node_id: "a".parse().unwrap(),
            network_name: Default::default(),
            departure: Departure::Lost,
            data: raw_json(&()),
        })
    }

    fn batches(parcels: Vec<Parcel<Signal>>) -> Vec<(&'static str, usize)> {
        let mut waiting = VecDeque::from(parcels);
        let batches = core::iter::from_fn(|| Batch::take(&mut waiting));
        batches.map(|batch| (batch.path, batch.parcels.len())).collect()
    }

    #[test]
    fn a_batch_is_of_one_kind_and_keeps_the_order() {
        let parcels = vec![announce(1, 1), announce(2, 1), withdraw(1), announce(1, 1)];
        let expected = [("/api/announce-peer", 2), ("/api/withdraw-peer", 1), ("/api/announce-peer", 1)];
        assert_eq!(batches(parcels), expected);
    }

    #[test]
    fn networks_do_not_wait_for_each_other() {
        let mixed = || {
            let one = [announce_in("one", 1, 1), withdraw(2), announce_in("two", 3, 1), withdraw(4)];
            one.into_iter().chain([announce(5, 1), announce_in("one", 6, 1)])
        };
        let expected = [("/api/announce-peer", 3), ("/api/withdraw-peer", 2), ("/api/announce-peer", 1)];
        assert_eq!(batches(mixed().collect()), expected);
        // However much is left, it stays in order and is looked through no further than a batch is long.
        let many = (0..300).flat_map(|number| [withdraw(number as u8), announce((number + 1) as u8, 1)]);
        let sizes: Vec<_> = batches(many.collect()).into_iter().map(|(_, count)| count).collect();
        assert_eq!(sizes, [1; 600]);
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
