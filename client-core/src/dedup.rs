//! Which messages were here before: a signal may be said again through another node, and is to be
//! taken once.

use alloc::collections::VecDeque;

use litemap::LiteMap;
use pigeonhub_protocol::{MessageId, Millis, PeerId};

/// Messages remembered of one sender.
const PER_SENDER: usize = 256;
/// Senders remembered. Who was silent longest is forgotten first.
const SENDERS: usize = 512;

/// The ids of messages seen lately, per sender, so that nobody can push out what others said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dedup {
    senders: LiteMap<PeerId, Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// Hashes of the ids (a sender that makes two collide loses only its own message), and when each was
    /// signed.
    ids: VecDeque<(u64, Option<Millis>)>,
    /// What was signed then or earlier is a repeat: it may have been among the ids that are forgotten.
    floor: Option<Millis>,
    heard: Millis,
}

impl Dedup {
    /// Whether this message is a repeat; it is remembered in any case. One without an id never is:
    /// identical repeats are legal on the wire.
    /// What is signed never counts twice, however long a node keeps it.
    pub(crate) fn is_repeat(
        &mut self,
        from: PeerId,
        id: Option<&MessageId>,
        signed: Option<Millis>,
        now: Millis,
    ) -> bool {
        id.is_some_and(|id| self.is_known(from, (hash(id.as_str()), signed), now))
    }

    /// The same for a text that stands for itself.
    pub(crate) fn is_repeated_text(&mut self, from: PeerId, text: &str, now: Millis) -> bool {
        self.is_known(from, (hash(text), None), now)
    }

    fn is_known(&mut self, from: PeerId, (id, signed): (u64, Option<Millis>), now: Millis) -> bool {
        if !self.senders.contains_key(&from) && self.senders.len() >= SENDERS {
            let quietest = self.senders.iter().min_by_key(|(_, seen)| seen.heard).map(|(peer, _)| *peer);
            quietest.map(|peer| self.senders.remove(&peer));
        }
        let seen = self.senders.entry(from).or_default();
        seen.heard = now;
        if let Some((_, last)) = seen.ids.iter_mut().find(|(known, _)| *known == id) {
            // The same message is signed anew when it is said again.
            *last = (*last).max(signed);
            return true;
        }
        if signed.is_some() && signed <= seen.floor {
            return true;
        }
        if seen.ids.len() >= PER_SENDER
            && let Some((_, forgotten)) = seen.ids.pop_front()
        {
            seen.floor = seen.floor.max(forgotten);
        }
        seen.ids.push_back((id, signed));
        false
    }
}

/// FNV-1a, 64 bit.
fn hash(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn peer(number: usize) -> PeerId {
        format!("{number:040x}").parse().unwrap()
    }

    #[test]
    fn a_message_is_new_once_per_sender() {
        let (mut dedup, id) = (Dedup::default(), "m1".parse().unwrap());
        assert!(!dedup.is_repeat(peer(1), Some(&id), None, Millis(0)));
        assert!(dedup.is_repeat(peer(1), Some(&id), None, Millis(0)));
        assert!(!dedup.is_repeat(peer(2), Some(&id), None, Millis(0)));
    }

    #[test]
    fn a_message_without_id_is_always_new() {
        let mut dedup = Dedup::default();
        assert!((0..3).all(|_| !dedup.is_repeat(peer(1), None, None, Millis(0))));
    }

    #[test]
    fn what_was_signed_counts_once_even_when_it_is_forgotten() {
        let mut dedup = Dedup::default();
        let mut hear = |number: usize, signed: u64| {
            dedup.is_repeat(
                peer(1),
                Some(&format!("m{number}").parse().unwrap()),
                Some(Millis(signed)),
                Millis(0),
            )
        };
        assert!(!hear(0, 7) && hear(0, 9), "said again, and signed again");
        for number in 1..=PER_SENDER {
            assert!(!hear(number, 100 + number as u64));
        }
        assert!(hear(0, 7) && hear(0, 9), "a node kept both");
        assert!(!hear(999, 10), "what was signed later may be new, however late it comes");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut dedup = Dedup::default();
        for number in 0..PER_SENDER + 1 {
            dedup.is_repeated_text(peer(1), &format!("{number}"), Millis(0));
        }
        assert!(
            dedup.is_repeated_text(peer(1), "1", Millis(0))
                && !dedup.is_repeated_text(peer(1), "0", Millis(0))
        );
        for number in 2..SENDERS + 2 {
            dedup.is_repeated_text(peer(number), "m", Millis(1));
        }
        assert_eq!(dedup.senders.len(), SENDERS);
        assert!(!dedup.senders.contains_key(&peer(1)), "who was silent longest");
    }
}
