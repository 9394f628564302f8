//! Watching a topic: what is published under it, as it comes, from whichever node is up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt, stream};
use js_sys::JSON;
use pigeonhub_client_core::{NodeState, NodeUrl};
use wasm_bindgen::JsCast;
use web_sys::{Event, EventSource, MessageEvent};

use crate::asking::field;
use crate::feed::{self, Feed, Subscription};
use crate::listener::Listener;
use crate::{Hub, PublishedRecord, address, ambient, records};

/// How long a node may take to answer, and how often is looked whether it is still up: milliseconds.
const LOOK: i32 = 5_000;
/// A node is asked after this many milliseconds if the one before failed, and later each time.
const PAUSE: i32 = 250;
/// The longest of these pauses.
const LONGEST: i32 = 4_000;
/// Records that are known at a time, at most: four times what a node keeps of a topic.
const MOST: usize = 1024;

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum RecordEvent {
    /// A record that is new, or has changed.
    Record(PublishedRecord),
    /// It was taken back, or its time is over.
    Gone(PublishedRecord),
}

impl Hub {
    /// What is published under a topic: what is there, then every change. It goes on at another node when
    /// one dies, tells nothing twice, and ends with the hub.
    pub fn watch(&self, topic: &str) -> impl Stream<Item = RecordEvent> + use<> {
        let watch = Watch {
            hub: self.clone(),
            topic: topic.into(),
            line: None,
            failures: 0,
            known: BTreeMap::new(),
            unseen: BTreeSet::new(),
            told: VecDeque::new(),
        };
        stream::unfold(watch, |mut watch| async { watch.next().await.map(|event| (event, watch)) })
    }
}

struct Watch {
    hub: Hub,
    topic: String,
    line: Option<Line>,
    /// How many nodes failed one after the other.
    failures: usize,
    known: BTreeMap<String, PublishedRecord>,
    /// What is known from the last node, and the present one has not told of yet.
    unseen: BTreeSet<String>,
    told: VecDeque<RecordEvent>,
}

impl Watch {
    async fn next(&mut self) -> Option<RecordEvent> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Some(event);
            }
            self.hub.still_open().ok()?;
            match &mut self.line {
                None => self.dial().await,
                Some(line) => match line.next().await {
                    Some(Word::Opened) => self.compare().await,
                    Some(Word::Record(json)) => self.heard(&json).await,
                    Some(Word::Gone(json)) => self.gone(&json),
                    Some(Word::Failed) => self.line = None,
                    None if line.is_up(&self.hub) => {}
                    None => self.line = None,
                },
            }
        }
    }

    /// The next node.
    async fn dial(&mut self) {
        if self.failures > 0 {
            let pause = i32::try_from(self.failures).unwrap_or(LONGEST).saturating_mul(PAUSE);
            ambient::sleep(pause.min(LONGEST)).await;
        }
        let nodes = self.hub.nodes_to_ask();
        let node = nodes.get(self.failures % nodes.len().max(1)).cloned();
        self.failures += 1;
        self.line = node.and_then(|node| Line::dial(node, &self.topic));
        self.unseen = self.known.keys().cloned().collect();
    }

    /// What this node does not have any more is gone: it was another one that told of it.
    async fn compare(&mut self) {
        let Some(line) = &mut self.line else { return };
        line.is_open = true;
        self.failures = 0;
        if self.unseen.is_empty() {
            return;
        }
        let Ok(found) = records::find(std::slice::from_ref(&line.node), &self.topic).await else { return };
        self.unseen.retain(|id| !found.iter().any(|record| record.id == *id));
        for id in std::mem::take(&mut self.unseen) {
            self.told.extend(self.known.remove(&id).map(RecordEvent::Gone));
        }
    }

    async fn heard(&mut self, json: &str) {
        let Ok(shown) = JSON::parse(json) else { return };
        let Some(record) = PublishedRecord::checked(&shown, &self.topic).await else { return };
        self.unseen.remove(&record.id);
        let last = self.known.get(&record.id).map(|known| known.record.seq);
        if last.map_or(self.known.len() < MOST, |last| last < record.record.seq) {
            self.known.insert(record.id.clone(), record.clone());
            self.told.push_back(RecordEvent::Record(record));
        }
    }

    fn gone(&mut self, json: &str) {
        let id = JSON::parse(json).ok().and_then(|gone| field(&gone, "id")?.as_string());
        let record = id.and_then(|id| self.known.remove(&id));
        self.told.extend(record.map(RecordEvent::Gone));
    }
}

/// What a node's stream says.
#[derive(Clone)]
enum Word {
    Opened,
    Record(String),
    Gone(String),
    Failed,
}

impl feed::Event for Word {}

/// A stream of one node.
struct Line {
    node: NodeUrl,
    is_open: bool,
    source: EventSource,
    words: Subscription<Word>,
    _listeners: [Listener; 4],
}

impl Line {
    fn dial(node: NodeUrl, topic: &str) -> Option<Self> {
        let path = String::from("/api/watch/") + &String::from(js_sys::encode_uri_component(topic));
        let source = EventSource::new(&address::of_api(&node, &path).ok()?).ok()?;
        let feed = std::rc::Rc::new(Feed::new(2 * MOST, 0));
        let words = feed.subscribe();
        let on = |kind: &'static str, word: fn(&Event) -> Word| {
            let feed = feed.clone();
            Listener::new(&source, kind, move |event| feed.push(&word(&event)))
        };
        let listeners = [
            on("open", |_| Word::Opened),
            on("record", |event| Word::Record(text(event))),
            on("gone", |event| Word::Gone(text(event))),
            on("error", |_| Word::Failed),
        ];
        Some(Self { node, is_open: false, source, words, _listeners: listeners })
    }

    /// The next word; none for a while.
    async fn next(&mut self) -> Option<Word> {
        match select(self.words.next(), pin!(ambient::sleep(LOOK))).await {
            Either::Left((word, _)) => Some(word.unwrap_or(Word::Failed)),
            Either::Right(_) => None,
        }
    }

    /// Whether it opened, and the hub does not know its node to be down: a stream does not tell.
    fn is_up(&self, hub: &Hub) -> bool {
        let is_down =
            |node: &pigeonhub_client_core::NodeView| node.url == self.node && node.state == NodeState::Down;
        self.is_open && !hub.nodes().iter().any(is_down)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn text(event: &Event) -> String {
    event.unchecked_ref::<MessageEvent>().data().as_string().unwrap_or_default()
}
