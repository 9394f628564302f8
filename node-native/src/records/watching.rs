//! `GET /api/watch/{topic}`: what is published under a topic, as server-sent events, as it comes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use pigeonhub_node_core::records::Watch;
use pigeonhub_node_core::rest::{self, FindQuery, Reply};
use pigeonhub_protocol::Code;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use crate::dht::FRESH_TO_WATCH;
use crate::host::Host;
use crate::http::response;

/// Records that are over, or come to other nodes only, ring no bell.
const LOOK: Duration = Duration::from_secs(2);
/// However many come: no more looks than this.
const PAUSE: Duration = Duration::from_millis(100);

/// One watcher.
struct Watcher {
    host: Arc<Host>,
    query: FindQuery,
    watch: Watch,
    news: watch::Receiver<u64>,
    is_first: bool,
    _place: OwnedSemaphorePermit,
}

impl Host {
    /// The stream. It begins with what is there.
    pub(crate) fn watch(self: &Arc<Self>, topic: String) -> Response {
        let Ok(place) = Arc::clone(&self.watchers).try_acquire_owned() else {
            return response(Reply::refuse(Code::NodeFull));
        };
        let watcher = Watcher {
            host: Arc::clone(self),
            query: FindQuery::first(topic),
            watch: Watch::default(),
            news: self.archive.news(),
            is_first: true,
            _place: place,
        };
        let events = stream::unfold(watcher, |mut watcher| async {
            let events = watcher.next().await?;
            Some((stream::iter(events.into_iter().map(Ok::<_, Infallible>)), watcher))
        });
        Sse::new(events.flatten()).keep_alive(KeepAlive::new()).into_response()
    }
}

impl Watcher {
    /// What there is to tell; `None` when the node stops.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if !std::mem::take(&mut self.is_first) {
                tokio::select! {
                    // The sender lives as long as the node.
                    _ = timeout(LOOK, self.news.changed()) => {}
                    () = self.host.stopped() => return None,
                }
                sleep(PAUSE).await;
            }
            self.news.mark_unchanged();
            // What the DHT has comes like any news.
            drop(self.host.look_in_dht(&self.query.topic, FRESH_TO_WATCH));
            // What cannot be read now is read at the next look.
            let Ok(found) = self.host.look_for(&self.query).await else { continue };
            let seen = self.watch.look(found);
            if !seen.is_empty() {
                let event = |seen| {
                    let (name, data) = rest::seen(&self.host.node.id, seen);
                    Event::default().event(name).data(data)
                };
                return Some(seen.iter().map(event).collect());
            }
        }
    }
}
