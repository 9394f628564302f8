//! `GET /signaling/events`: a peer's mail as server-sent events.
//!
//! The `id` of an event is the mail's place, so a stream that was cut goes on where it ended. Mail
//! is looked for in short pauses: 50 ms after some came, up to 250 ms when all is quiet, as a quiet
//! peer's first offer must not wait. A stream ends itself before a platform would, at a time of its
//! own, so that not all come back at once.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use pigeonhub_node_core::rest::{EventsQuery, Reply};
use pigeonhub_node_core::{Caller, Event, MailSeq, Mailroom, mail, ticket};
use pigeonhub_protocol::Code;
use spin_sdk::http::ResponseOutparam;

use crate::clock::{self, now, sleep};
use crate::host::{Host, StoreError};
use crate::request::{Request, answer, head};

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// A client that left is noticed at the next write only.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How often a stream renews its peer's lease and looks after the mesh.
const CARE: Duration = Duration::from_secs(5);
/// Messages in one go.
const MOST: usize = 64;

impl Host {
    /// Streams, until the time is over or the client is gone.
    pub async fn stream(mut self, request: &Request, query: &EventsQuery, out: ResponseOutparam) {
        let cors = self.settings.cors_origin.clone();
        let (caller, cursor) = match self.begin(request, query).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(code)) => return answer(out, &Reply::refuse(code), &cors).await,
            Err(_) => return answer(out, &Reply::refuse(Code::Unavailable), &cors).await,
        };
        let more = [("cache-control", "no-cache"), ("x-accel-buffering", "no")];
        let response = head(200, "text/event-stream", &cors, &more);
        let mut sink = response.take_body();
        out.set(response);
        if sink.send(b"retry: 250\n\n".to_vec()).await.is_err() {
            return;
        }
        let jitter = u64::from(u16::from_le_bytes(clock::random())) * 5_000 / u64::from(u16::MAX);
        let end = Instant::now() + self.settings.stream.saturating_sub(Duration::from_millis(jitter));
        let mut place = cursor;
        let mut pause = SHORTEST_PAUSE;
        let (mut spoken, mut cared) = (Instant::now(), Instant::now());
        while Instant::now() < end {
            let Ok(mail) = mail(&self.store, &caller, place, MOST, now()).await else { break };
            let text = if let Some((last, _)) = mail.last() {
                place = *last;
                pause = SHORTEST_PAUSE;
                mail.iter()
                    .map(|(seq, frame)| format!("id: {}\ndata: {}\n\n", seq.0, frame.as_str()))
                    .collect()
            } else if spoken.elapsed() >= HEARTBEAT {
                ":\n\n".to_owned()
            } else {
                pause = (pause * 5 / 4).min(LONGEST_PAUSE);
                String::new()
            };
            if !text.is_empty() {
                spoken = Instant::now();
                if sink.send(text.into_bytes()).await.is_err() {
                    break;
                }
            }
            if cared.elapsed() >= CARE {
                cared = Instant::now();
                if self.care(&caller).await.is_err() {
                    break;
                }
            }
            sleep(pause).await;
        }
        let _ = sink.close().await;
    }

    async fn begin(
        &self,
        request: &Request,
        query: &EventsQuery,
    ) -> Result<Result<(Caller, MailSeq), Code>, StoreError> {
        let caller = match ticket::open(&query.ticket, &self.tickets, now()) {
            Ok(caller) => caller,
            Err(code) => return Ok(Err(code)),
        };
        let Some(network) = &caller.network else { return Ok(Err(Code::NotAnnounced)) };
        let last = request.header("last-event-id").and_then(|last| last.parse().ok());
        let cursor = MailSeq(last.unwrap_or(query.cursor));
        self.store.acknowledge(network, caller.peer, caller.session, cursor).await?;
        Ok(Ok((caller, cursor)))
    }

    /// What a socket's host does at its ease, a stream does now and then.
    async fn care(&mut self, caller: &Caller) -> Result<(), StoreError> {
        self.refresh().await?;
        let errands = self.step(Event::StillHere(caller.clone())).await?.errands;
        self.carry_out(errands).await?;
        self.sweep().await?;
        self.keep_mesh().await
    }
}
