//! The peers of one network in two orders: by position, for dice, and by id, for nearness and pages.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use indexmap::IndexMap;
use pigeonhub_protocol::PeerId;

type Bits = [u8; 20];

/// A range of ids this small is sorted rather than split.
const FEW: usize = 16;

/// Peers and what is kept for each.
#[derive(Debug)]
pub(crate) struct Roster<M> {
    members: IndexMap<PeerId, M, hashbrown::DefaultHashBuilder>,
    // By the bits of the id; the id itself tells upper from lower case.
    by_id: BTreeSet<(Bits, PeerId)>,
}

impl<M> Default for Roster<M> {
    fn default() -> Self {
        Self { members: IndexMap::default(), by_id: BTreeSet::new() }
    }
}

impl<M: Default> Roster<M> {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn get(&self, peer: &PeerId) -> Option<&M> {
        self.members.get(peer)
    }

    pub(crate) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut M> {
        self.members.get_mut(peer)
    }

    pub(crate) fn entry(&mut self, peer: PeerId) -> &mut M {
        self.members.entry(peer).or_insert_with(|| {
            self.by_id.insert((peer.to_bytes(), peer));
            M::default()
        })
    }

    pub(crate) fn remove(&mut self, peer: &PeerId) {
        if self.members.swap_remove(peer).is_some() {
            self.by_id.remove(&(peer.to_bytes(), *peer));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PeerId, &M)> {
        self.members.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&PeerId, &mut M)> {
        self.members.iter_mut()
    }

    /// The member at a position that dice chose; positions wrap.
    pub(crate) fn at(&self, dice: u64) -> Option<(&PeerId, &M)> {
        let len = self.members.len() as u64;
        let index = usize::try_from(dice.checked_rem(len)?).ok()?;
        self.members.get_index(index)
    }

    /// Members after `cursor` in the order of their ids.
    pub(crate) fn after(&self, cursor: Option<PeerId>) -> impl Iterator<Item = (&PeerId, &M)> {
        use core::ops::Bound::{Excluded, Unbounded};
        let start = cursor.map_or(Unbounded, |peer| Excluded((peer.to_bytes(), peer)));
        self.by_id.range((start, Unbounded)).filter_map(|(_, peer)| self.members.get_key_value(peer))
    }

    /// Up to `most` ids in the order of their XOR distance to `to`, nearest first.
    pub(crate) fn nearest(&self, to: &PeerId, most: usize) -> Vec<PeerId> {
        let mut found = Vec::with_capacity(most);
        self.visit([0; 20], 0, &to.to_bytes(), most, &mut found);
        found.truncate(most);
        found
    }

    /// The ids that begin with the first `depth` bits of `prefix`: at each bit the half that agrees
    /// with `to` is nearer than the other.
    fn visit(&self, prefix: Bits, depth: usize, to: &Bits, most: usize, found: &mut Vec<PeerId>) {
        let (low, high) = bounds(prefix, depth);
        let range = (low, PeerId::from_bytes([0; 20]))..=(high, PeerId::from_bytes([0xff; 20]));
        let mut some: Vec<&(Bits, PeerId)> = self.by_id.range(range).take(FEW + 1).collect();
        if some.len() <= FEW || depth == 160 {
            some.sort_by_key(|(bits, _)| distance(bits, to));
            found.extend(some.into_iter().map(|(_, peer)| *peer));
            return;
        }
        let same = bit(to, depth);
        for side in [same, !same] {
            if found.len() < most {
                self.visit(with_bit(prefix, depth, side), depth + 1, to, most, found);
            }
        }
    }
}

fn bit(bits: &Bits, index: usize) -> bool {
    bits[index / 8] & (0x80 >> (index % 8)) != 0
}

fn with_bit(mut bits: Bits, index: usize, value: bool) -> Bits {
    let mask = 0x80 >> (index % 8);
    if value {
        bits[index / 8] |= mask
    } else {
        bits[index / 8] &= !mask
    }
    bits
}

/// The least and the greatest id that begin with the first `depth` bits of `prefix`.
fn bounds(prefix: Bits, depth: usize) -> (Bits, Bits) {
    let (mut low, mut high) = (prefix, prefix);
    for index in 0..20 {
        let kept = depth.saturating_sub(index * 8).min(8);
        let free = u8::try_from(0xff_u16 >> kept).unwrap_or(0);
        low[index] &= !free;
        high[index] |= free;
    }
    (low, high)
}

fn distance(a: &Bits, b: &Bits) -> Bits {
    let mut distance = *a;
    distance.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splitmix64, spread over 20 bytes.
    fn peer(number: u64) -> PeerId {
        let mut bytes = [0; 20];
        let mut state = number;
        for byte in &mut bytes {
            state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0xbf58_476d_1ce4_e5b9);
            *byte = state.to_be_bytes()[0];
        }
        PeerId::from_bytes(bytes)
    }

    #[test]
    fn the_nearest_are_the_nearest() {
        let mut roster = Roster::<()>::default();
        let peers: Vec<_> = (0..1000).map(peer).collect();
        peers.iter().for_each(|peer| *roster.entry(*peer) = ());
        for to in [peer(5), peer(5000), PeerId::from_bytes([0; 20]), PeerId::from_bytes([0xff; 20])] {
            let mut sorted = peers.clone();
            sorted.sort_by_key(|peer| peer.distance(&to));
            assert_eq!(roster.nearest(&to, 40), sorted[..40]);
            assert_eq!(roster.nearest(&to, 5000).len(), 1000);
        }
    }

    #[test]
    fn removed_members_are_gone_from_both_orders() {
        let mut roster = Roster::<()>::default();
        (0..10).for_each(|number| *roster.entry(peer(number)) = ());
        roster.remove(&peer(3));
        assert_eq!((roster.len(), roster.after(None).count(), roster.nearest(&peer(3), 20).len()), (9, 9, 9));
        assert!(roster.get(&peer(3)).is_none());
    }

    #[test]
    fn pages_follow_each_other() {
        let mut roster = Roster::<()>::default();
        (0..100).for_each(|number| *roster.entry(peer(number)) = ());
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page: Vec<_> = roster.after(cursor).take(7).map(|(peer, ())| *peer).collect();
            let Some(last) = page.last() else { break };
            cursor = Some(*last);
            seen.extend(page);
        }
        seen.dedup();
        assert_eq!(seen.len(), 100);
    }

    /// Ids that differ only in case have the same bits: both are found.
    #[test]
    fn case_tells_peers_apart() {
        let mut roster = Roster::<()>::default();
        for text in ["a".repeat(40), "A".repeat(40)] {
            *roster.entry(text.parse().unwrap()) = ();
        }
        assert_eq!(roster.nearest(&peer(1), 10).len(), 2);
    }
}
