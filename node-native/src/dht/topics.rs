//! Records in the DHT: small ones as notes on their topic's board, for large ones the descriptor of a node
//! that has them; and the nodes that keep a topic, as places.
//!
//! Whatever is found is checked like what another node gives: it is kept if its publisher signed it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pigeonhub_node_core::records::{Archive, given, replicate};
use pigeonhub_protocol::{Millis, Record};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::board::{Board, MOST as NOTE, RENEW, Worth, choose};
use super::posts::{MOST, Posts};
use super::{Joined, places};
use crate::clock::{now, wall};
use crate::host::Host;
use crate::kept_file::KeptFile;

/// How long what was found, or not, is not looked for again, in milliseconds: for who asks …
pub const FRESH: u64 = 10_000;
/// … and for who watches.
pub const FRESH_TO_WATCH: u64 = 60_000;
/// Topics that are looked for at the same time.
const AT_A_TIME: usize = 4;
/// Topics of which it is remembered when they were looked for.
const REMEMBERED: usize = 1024;
/// Nodes that are asked for a topic, …
const NODES: usize = 8;
/// … and how long each has.
const PATIENCE: Duration = Duration::from_secs(3);
/// Records of one node's answer that are looked at.
const RECORDS: usize = 256;
/// After how many milliseconds a record is tried again that could not be posted.
const AGAIN: u64 = 60_000;

/// What was looked for, and what is to be posted.
#[derive(Debug)]
pub struct Topics {
    lookups: Mutex<HashMap<String, Lookup>>,
    places: Arc<Semaphore>,
    news: mpsc::Sender<Record>,
    posts: Mutex<Option<mpsc::Receiver<Record>>>,
    /// Which records these were, as versions.
    kept: KeptFile,
}

#[derive(Debug)]
struct Lookup {
    at: Millis,
    is_over: watch::Receiver<bool>,
}

impl Lookup {
    fn is_news(&self, now: Millis, fresh: u64) -> bool {
        !*self.is_over.borrow() || now.since(self.at) < fresh
    }
}

impl Topics {
    /// Nothing was looked for yet; `kept` says what is to be posted again.
    pub fn new(kept: KeptFile) -> Self {
        let (news, posts) = mpsc::channel(MOST);
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        Self { lookups: Mutex::default(), places, news, posts: Mutex::new(Some(posts)), kept }
    }
}

impl Host {
    /// A record was published here: it is posted when its turn comes.
    pub(crate) fn post_record(&self, record: &Record) {
        if self.dht.plan.is_some() && self.dht.topics.news.try_send(record.clone()).is_err() {
            tracing::warn!(topic = record.topic, "too many records at once for the DHT");
        }
    }

    /// Looks for a topic in the DHT, unless that was done a moment ago, or the DHT does not answer. The
    /// receiver says when it is over.
    pub(crate) fn look_in_dht(self: &Arc<Self>, topic: &str, fresh: u64) -> Option<watch::Receiver<bool>> {
        let joined = self.dht.joined.get().filter(|_| self.dht.is_ready())?;
        let topics = &self.dht.topics;
        let now = now();
        let mut lookups = topics.lookups.lock();
        if let Some(lookup) = lookups.get(topic).filter(|lookup| lookup.is_news(now, fresh)) {
            return Some(lookup.is_over.clone());
        }
        if lookups.len() >= REMEMBERED {
            lookups.retain(|_, lookup| lookup.is_news(now, FRESH));
        }
        let place = Arc::clone(&topics.places).try_acquire_owned().ok()?;
        if lookups.len() >= REMEMBERED {
            return None;
        }
        let (over, is_over) = watch::channel(false);
        lookups.insert(topic.to_owned(), Lookup { at: now, is_over: is_over.clone() });
        drop(lookups);
        let (host, topic) = (Arc::clone(self), topic.to_owned());
        let joined = joined.clone();
        tokio::spawn(async move {
            host.look_for_topic(&joined, &topic).await;
            over.send_replace(true);
            drop(place);
        });
        Some(is_over)
    }

    async fn look_for_topic(&self, joined: &Joined, topic: &str) {
        let (board, name) = (Board::of_topic(topic), places::of_topic(topic));
        let notes = async {
            let notes = self.dht.read(joined, &board).await;
            let records = notes.iter().flatten().filter_map(|note| serde_json::from_slice(&note.text).ok());
            self.merge(topic, records.collect()).await;
            self.urls(&notes, joined.is_local)
        };
        let (mut urls, places) = tokio::join!(notes, places::find(&joined.dht, &name, joined.is_local));
        for place in places {
            if !urls.contains(&place) {
                urls.push(place);
            }
        }
        let own = self.mesh.membership().own().http_url();
        urls.retain(|url| *url != own);
        urls.truncate(NODES);
        // `here`: it is not to look in the DHT itself.
        let path = format!("/api/find/{}?here=1", utf8_percent_encode(topic, NON_ALPHANUMERIC));
        let ask = |url: String| {
            let path = &path;
            async move {
                match timeout(PATIENCE, self.mesh.courier.get(&url, path)).await {
                    Ok(Ok(answer)) => self.merge(topic, given(&answer)).await,
                    Ok(Err(error)) => tracing::debug!(url, %error, "no records"),
                    Err(_) => tracing::debug!(url, "no records in time"),
                }
            }
        };
        stream::iter(urls).for_each_concurrent(NODES, ask).await;
    }

    /// Keeps those records that are of the topic and hold.
    async fn merge(&self, topic: &str, mut records: Vec<Record>) {
        records.retain(|record| record.topic == topic);
        records.truncate(RECORDS);
        match replicate(&self.archive, &records, wall()).await {
            Ok(kept) => {
                let refused = kept.iter().filter(|kept| kept.is_err()).count();
                tracing::debug!(topic, found = kept.len(), refused, "records in the DHT");
            }
            Err(error) => tracing::warn!(%error, "records of the DHT cannot be kept"),
        }
    }

    /// Posts what is published here, and anew while it lives.
    pub(super) async fn keep_dht_topics(&self, joined: &Joined) {
        let Some(mut news) = self.dht.topics.posts.lock().take() else { return };
        let mut posts = Posts::default();
        self.posted_before().await.into_iter().for_each(|record| posts.add(record));
        loop {
            posts.drop_expired(wall());
            tokio::select! {
                Some(record) = news.recv() => {
                    posts.add(record);
                    let versions = serde_json::to_string(&posts.versions()).unwrap_or_default();
                    self.dht.topics.kept.write(&versions).await;
                }
                record = posts.due() => {
                    while !self.dht.is_ready() {
                        sleep(Duration::from_secs(1)).await;
                    }
                    // What could not be posted is tried again soon.
                    let pause = if self.post(joined, &record).await { RENEW } else { AGAIN };
                    posts.put_off(&record, now().plus(pause));
                }
            }
        }
    }

    /// What was published here before a restart.
    async fn posted_before(&self) -> Vec<Record> {
        let text = self.dht.topics.kept.read().await.unwrap_or_default();
        let mut versions: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
        versions.truncate(MOST);
        self.archive.fetch_records(&versions).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was in the DHT cannot be read");
            Vec::new()
        })
    }

    async fn post(&self, joined: &Joined, record: &Record) -> bool {
        let json = serde_json::to_vec(record).unwrap_or_default();
        let is_small = json.len() <= NOTE;
        let text = if is_small { json } else { self.own_note() };
        let board = Board::of_topic(&record.topic);
        let notes = self.dht.read(joined, &board).await;
        let now = wall();
        let worth = |note: &[u8]| match serde_json::from_slice::<Record>(note) {
            Ok(known) => match known.check(now) {
                Err(_) => Worth::Junk,
                Ok(()) if known.topic != record.topic || known.expires_at() <= now => Worth::Junk,
                Ok(()) if known.id() != record.id() => Worth::Good,
                Ok(()) if known.rank() == record.rank() => Worth::Same,
                Ok(()) => Worth::Own,
            },
            Err(_) if note == text => Worth::Same,
            Err(_) if self.signed_url(note, joined.is_local).is_none() => Worth::Junk,
            Err(_) if !is_small && self.is_own(note) => Worth::Own,
            Err(_) => Worth::Good,
        };
        let is_newer = |note: &[u8]| {
            let known = serde_json::from_slice::<Record>(note).ok();
            known.is_some_and(|known| {
                known.id() == record.id() && known.rank() > record.rank() && known.check(now).is_ok()
            })
        };
        if notes.iter().flatten().any(|note| is_newer(&note.text)) {
            return true;
        }
        let home = u8::from_str_radix(record.id().get(..2).unwrap_or_default(), 16).unwrap_or_default();
        let written = match choose(&notes, worth, home, now) {
            Some(slot) => board.write(&joined.dht, slot, &text).await,
            None => Ok(()),
        };
        let announced = places::announce(&joined.dht, &places::of_topic(&record.topic), self.port).await;
        for error in [&written, &announced].into_iter().filter_map(|done| done.as_ref().err()) {
            tracing::debug!(topic = record.topic, error, "a record is not posted");
        }
        written.is_ok() || announced.is_ok()
    }
}
