//! The way to a node by plain HTTP: what is said is posted, and mail comes on a stream of events that
//! is opened again whenever it ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Event, Heard};
use crate::http::{self, Answer};
use crate::{PATIENCE, TestNode, eventually};

/// A visit: a ticket, and a stream once the peer has announced itself.
pub(super) struct Visit {
    /// `http://host:port`
    url: String,
    peer: String,
    seen: Arc<Mutex<Seen>>,
    tell: UnboundedSender<Event>,
    reader: Option<AbortHandle>,
}

/// What the stream's reader and the visit share.
#[derive(Default)]
struct Seen {
    ticket: Option<String>,
    /// The network of the ticket; the stream is of this one.
    network: Option<String>,
    /// The last event.
    last: u64,
}

impl Visit {
    pub(super) fn new(node: &TestNode, peer: &str, tell: UnboundedSender<Event>) -> Self {
        Self { url: node.url(""), peer: peer.into(), seen: Arc::default(), tell, reader: None }
    }

    pub(super) fn ticket(&self) -> Option<String> {
        self.seen().ticket.clone()
    }

    /// Says some messages, or nothing; replies become events. Gives the answer.
    pub(super) async fn exchange(&mut self, messages: &[Value], more: Value) -> Answer {
        let mut body = json!({"messages": messages});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("fields").clone());
        match self.ticket() {
            Some(ticket) => fields.insert("ticket".into(), ticket.into()),
            None => fields.insert("peerId".into(), self.peer.clone().into()),
        };
        let answer = http::post(format!("{}/signaling/exchange", self.url), &body).await;
        if answer.status == 200 {
            let said = answer.json();
            self.seen().ticket = said["ticket"].as_str().map(Into::into);
            for reply in said["messages"].as_array().expect("replies") {
                // The peer may be gone.
                let _ = self.tell.send(Event::Frame(Heard::new(&reply.to_string())));
            }
            self.follow(messages);
        }
        answer
    }

    /// An announce begins a stream, in another network another one; a goodbye ends it.
    fn follow(&mut self, messages: &[Value]) {
        for message in messages {
            match message["type"].as_str() {
                Some("announce") => {
                    let network = message["networkName"].as_str().unwrap_or("global").to_owned();
                    if self.seen().network.as_ref() != Some(&network) {
                        *self.seen() = Seen { ticket: self.ticket(), network: Some(network), last: 0 };
                        self.pause();
                    }
                    self.read();
                }
                Some("goodbye") => {
                    self.pause();
                    self.seen().network = None;
                }
                _ => {}
            }
        }
    }

    /// Reads a stream from now on, after what was read before.
    pub(super) fn read(&mut self) {
        if self.reader.is_none() {
            let reading = read(self.url.clone(), Arc::clone(&self.seen), self.tell.clone());
            self.reader = Some(tokio::spawn(reading).abort_handle());
        }
    }

    /// The stream is cut, wherever it is.
    pub(super) fn pause(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.abort();
        }
    }

    /// All that was in the mailbox until now has arrived.
    pub(super) async fn caught_up(&mut self) {
        loop {
            let answer = self.exchange(&[], json!({"poll": true, "heard": self.seen().last})).await.ok();
            let mail = answer["mail"].as_array().expect("mail");
            let Some(last) = mail.last().and_then(|item| item["id"].as_u64()) else { return };
            let seen = Arc::clone(&self.seen);
            eventually("the stream brings what is in the mailbox", PATIENCE, async || {
                (seen.lock().expect("not poisoned").last >= last).then_some(())
            })
            .await;
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("not poisoned")
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.pause();
    }
}

/// Reads one stream after the other, as an `EventSource` does.
async fn read(url: String, seen: Arc<Mutex<Seen>>, tell: UnboundedSender<Event>) {
    loop {
        let (ticket, last) = {
            let seen = seen.lock().expect("not poisoned");
            (seen.ticket.clone().expect("a ticket"), seen.last)
        };
        let mut request = http::endless(Method::GET, format!("{url}/signaling/events?ticket={ticket}"));
        if last > 0 {
            request = request.header("last-event-id", last.to_string());
        }
        if let Ok(response) = request.send().await {
            match response.status().as_u16() {
                200 => follow(response, &seen, &tell).await,
                // A node that has no room, or cannot read now.
                503 => {}
                status => panic!("a stream of events is answered {status}: {:?}", response.text().await),
            }
        }
        // A node may be down for a while.
        sleep(Duration::from_millis(20)).await;
    }
}

/// Reads a stream to its end.
async fn follow(mut response: reqwest::Response, seen: &Mutex<Seen>, tell: &UnboundedSender<Event>) {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            let event = String::from_utf8(event).expect("UTF-8");
            let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
            let Some(data) = field("data: ") else { continue };
            let id: u64 = field("id: ").and_then(|id| id.parse().ok()).expect("an event has an id");
            let mut seen = seen.lock().expect("not poisoned");
            assert!(id > seen.last, "event {id} comes after event {}", seen.last);
            // The peer may be gone. Told before it counts as seen: see `caught_up`.
            let _ = tell.send(Event::Frame(Heard::new(data)));
            seen.last = id;
        }
    }
}
