//! The records that this node keeps in the DHT: which, and when each of them is posted anew.

use std::time::Duration;

use pigeonhub_protocol::{Millis, Record};
use tokio::time::sleep;

use crate::clock::now;

/// Records that are kept in the DHT; of more, the oldest are found over HTTP only.
pub const MOST: usize = 256;
/// How often it is looked what is due.
const LOOK: Duration = Duration::from_secs(10);

/// The records, and when each is due.
#[derive(Debug, Default)]
pub struct Posts(Vec<(Record, Millis)>);

impl Posts {
    /// One more, due at once. An older one of the same publisher gives way, or else, if there are too many,
    /// that which came first.
    pub fn add(&mut self, record: Record) {
        self.0.retain(|(known, _)| known.id() != record.id());
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((record, Millis(0)));
    }

    /// Posted, or not: due again at this time.
    pub fn put_off(&mut self, record: &Record, until: Millis) {
        let post = self.0.iter_mut().find(|(known, _)| known.version() == record.version());
        post.into_iter().for_each(|(_, due)| *due = until);
    }

    /// Waits until one is due.
    pub async fn due(&self) -> Record {
        loop {
            if let Some(record) = self.first_due(now()) {
                return record.clone();
            }
            sleep(LOOK).await;
        }
    }

    fn first_due(&self, now: Millis) -> Option<&Record> {
        let first = self.0.iter().filter(|(_, due)| *due <= now).min_by_key(|(_, due)| *due);
        first.map(|(record, _)| record)
    }

    /// What nobody finds any more.
    pub fn drop_expired(&mut self, wall: Millis) {
        self.0.retain(|(record, _)| record.expires_at() > wall);
    }

    /// Which records these are, as the archive knows them.
    pub fn versions(&self) -> Vec<String> {
        self.0.iter().map(|(record, _)| record.version()).collect()
    }
}

#[cfg(test)]
mod tests {
    use pigeonhub_protocol::http_signature::SigningKey;
    use pigeonhub_protocol::raw_json;

    use super::*;

    fn record(topic: &str, seq: u64) -> Record {
        let key = SigningKey::from_bytes(&[1; 32]);
        Record::unsigned(topic.into(), raw_json(&seq), seq, 60, Millis(1000)).signed(&key)
    }

    fn topics(posts: &Posts, now: u64) -> Option<String> {
        posts.first_due(Millis(now)).map(|record| format!("{}{}", record.topic, record.seq))
    }

    #[test]
    fn each_is_due_at_once_and_again_when_its_time_has_come() {
        let mut posts = Posts::default();
        posts.add(record("a", 1));
        posts.add(record("b", 1));
        assert_eq!(topics(&posts, 0).as_deref(), Some("a1"));
        posts.put_off(&record("a", 1), Millis(50));
        assert_eq!(topics(&posts, 60).as_deref(), Some("b1"), "who waits longest");
        posts.put_off(&record("b", 1), Millis(70));
        assert_eq!((topics(&posts, 49), topics(&posts, 50).as_deref()), (None, Some("a1")));
    }

    #[test]
    fn of_one_publisher_the_last_word_is_posted_and_while_it_lives() {
        let mut posts = Posts::default();
        posts.add(record("a", 1));
        posts.add(record("a", 2));
        assert_eq!(posts.versions(), [record("a", 2).version()]);
        posts.drop_expired(Millis(60_999));
        assert_eq!(posts.versions().len(), 1);
        posts.drop_expired(Millis(61_000));
        assert!(posts.versions().is_empty());
    }

    #[test]
    fn there_is_a_limit_and_the_oldest_gives_way() {
        let mut posts = Posts::default();
        (0..=MOST).for_each(|number| posts.add(record(&format!("t{number}"), 1)));
        assert_eq!((posts.versions().len(), topics(&posts, 0).as_deref()), (MOST, Some("t11")));
    }
}
