//! A board: a few notes under a name, BEP 44 mutable items under a key that follows from the name.
//!
//! Whoever knows the name can read it and write to it, so a note has to prove itself, and a board can be
//! spoiled by who wants to; places cannot.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use mainline::async_dht::AsyncDht;
use mainline::{MutableItem, SigningKey};
use pigeonhub_protocol::Millis;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

/// What the key is made of begins with this.
const DOMAIN: &str = "pigeonhub-dht-v1\n";
/// Notes of one board.
pub const SLOTS: usize = 8;
/// Bytes of a note. BEP 44 allows 1000 with the length in front.
pub const MOST: usize = 990;
/// How long looking may take; what was not found by then is not there.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// After this a note is written anew: others forget it after two hours.
pub const RENEW: u64 = 45 * 60 * 1000;

/// A note as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Grows with each writing: milliseconds, unless somebody made more of it.
    pub seq: i64,
    /// What it says.
    pub text: Vec<u8>,
}

/// The notes of a board, each in its slot.
pub type Notes = [Option<Note>; SLOTS];

/// A board.
#[derive(Debug)]
pub struct Board {
    key: SigningKey,
    slot: &'static str,
}

impl Board {
    /// Where the nodes of an app are.
    pub fn of_app(app: &str) -> Self {
        Self::of(&format!("app:{app}"), "bootstrap-peer-")
    }

    /// What is published under a topic.
    pub fn of_topic(topic: &str) -> Self {
        Self::of(&format!("topic:{topic}"), "record-")
    }

    fn of(name: &str, slot: &'static str) -> Self {
        let seed = Sha256::digest(format!("{DOMAIN}{name}"));
        Self { key: SigningKey::from_bytes(&seed.into()), slot }
    }

    fn salt(&self, slot: usize) -> String {
        format!("{}{slot}", self.slot)
    }

    /// All notes, and how many nodes answered.
    pub async fn read(&self, dht: &AsyncDht) -> (Notes, u32) {
        let key = self.key.verifying_key().to_bytes();
        let read = async |slot| {
            let salt = self.salt(slot);
            let found = dht.get_mutable_detailed(&key, Some(salt.as_bytes()), None);
            let newest = found.items.fold(None::<Note>, |best, item| async move {
                let is_newer = best.as_ref().is_none_or(|best| best.seq < item.seq());
                if is_newer { Some(Note { seq: item.seq(), text: item.value().into() }) } else { best }
            });
            let note = timeout(PATIENCE, newest).await.unwrap_or_default();
            let outcome = timeout(PATIENCE, found.outcome.recv()).await.unwrap_or_default();
            (note, outcome.responded())
        };
        let mut notes = Notes::default();
        let mut answers = 0;
        for (slot, (note, answered)) in join_all((0..SLOTS).map(read)).await.into_iter().enumerate() {
            notes[slot] = note;
            answers += answered;
        }
        (notes, answers)
    }

    /// Writes a note.
    pub async fn write(&self, dht: &AsyncDht, Slot { slot, seq }: Slot, text: &[u8]) -> Result<(), String> {
        let salt = self.salt(slot);
        let item = MutableItem::new(self.key.clone(), text, seq, Some(salt.as_bytes()));
        match timeout(PATIENCE, dht.put_mutable(item, None)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }
}

/// Where a note is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    slot: usize,
    seq: i64,
}

/// What a note is to who wants to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It says what is to be written, or something newer.
    Same,
    /// An older one of what is to be written.
    Own,
    /// Somebody else's, and it holds.
    Good,
    /// It proves nothing.
    Junk,
}

/// The slot for a note: that which has it already, else a free one, else one with junk, from `home` on.
/// `None`: it is there, or every slot has a note that holds.
pub fn choose(notes: &Notes, worth: impl Fn(&[u8]) -> Worth, home: u8, now: Millis) -> Option<Slot> {
    let time = i64::try_from(now.0).unwrap_or(i64::MAX);
    let order = || (0..SLOTS).map(|step| (usize::from(home) + step) % SLOTS);
    let is = |slot: &usize, wanted| notes[*slot].as_ref().is_some_and(|note| worth(&note.text) == wanted);
    if let Some(slot) = order().find(|slot| is(slot, Worth::Same)) {
        let written = notes[slot].as_ref().map_or(0, |note| note.seq);
        if written > time.saturating_sub(RENEW.cast_signed()) {
            return None;
        }
    }
    let free = |slot: &usize| notes[*slot].is_none();
    let ranks = [Worth::Same, Worth::Own].map(|worth| order().find(|slot| is(slot, worth)));
    let junk = order().filter(|slot| is(slot, Worth::Junk));
    let choice = ranks.into_iter().flatten().chain(order().filter(free)).chain(junk);
    choice.map(|slot| (slot, &notes[slot])).find_map(|(slot, note)| {
        // A slot that was counted up to the end is lost, until the DHT forgets it.
        let next = note.as_ref().map_or(Some(0), |note| note.seq.checked_add(1))?;
        Some(Slot { slot, seq: next.max(time) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn note(text: &str, age: i64) -> Option<Note> {
        Some(Note { seq: NOW.0.cast_signed() - age, text: text.into() })
    }

    fn worth(text: &[u8]) -> Worth {
        match text {
            b"same" => Worth::Same,
            b"own" => Worth::Own,
            b"good" => Worth::Good,
            _ => Worth::Junk,
        }
    }

    fn chosen(notes: &[(usize, Option<Note>)], rest: &Option<Note>) -> Option<usize> {
        let mut all: Notes = std::array::from_fn(|_| rest.clone());
        for (slot, note) in notes {
            all[*slot] = note.clone();
        }
        let chosen = choose(&all, worth, 6, NOW)?;
        let known = all[chosen.slot].as_ref().map_or(i64::MIN, |note| note.seq);
        assert!(chosen.seq > known && chosen.seq >= NOW.0.cast_signed());
        Some(chosen.slot)
    }

    #[test]
    fn a_note_goes_where_it_is_else_where_room_is_and_pushes_out_nothing_that_holds() {
        assert_eq!(chosen(&[], &None), Some(6), "home");
        assert_eq!(chosen(&[(6, note("good", 0)), (7, note("junk", 0))], &None), Some(0), "free");
        assert_eq!(chosen(&[(3, note("own", 5))], &None), Some(3), "own");
        assert_eq!(chosen(&[(2, note("junk", -60_000))], &note("good", 0)), Some(2), "junk");
        assert_eq!(chosen(&[], &note("good", 0)), None, "full");
    }

    #[test]
    fn a_note_is_written_anew_only_when_it_is_time() {
        assert_eq!(chosen(&[(3, note("same", 1000))], &None), None);
        assert_eq!(chosen(&[(3, note("same", RENEW.cast_signed()))], &None), Some(3));
    }

    #[test]
    fn a_slot_that_was_counted_to_the_end_is_left_alone() {
        let last = |text: &str| Some(Note { seq: i64::MAX, text: text.into() });
        assert_eq!(chosen(&[(3, last("own")), (6, last("junk"))], &None), Some(7));
        assert_eq!(chosen(&[], &last("junk")), None);
    }
}
