//! `GET /signaling/events`: a peer's mail as server-sent events.
//!
//! The `id` of an event is the mail's place, so a stream that was cut goes on where it ended. Mail
//! cannot ring here, so it is looked for again and again, as [`pace`] says. A stream ends itself
//! before a platform would, at a time of its own, so that not all come back at once; a newer stream
//! of the same session ends it, too.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use pigeonhub_node_core::rest::{EventsQuery, Reply};
use pigeonhub_node_core::{Caller, ConverseError, Event, MailSeq, mail, pace, resume};
use pigeonhub_protocol::Code;
use spin_sdk::http::ResponseOutparam;

use crate::clock::{self, now, sleep};
use crate::host::{Host, StoreError, unavailable};
use crate::request::{Request, answer, head};

/// A client that left is noticed at the next write only.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How often a stream renews its peer's lease and looks after the mesh.
const CARE: Duration = Duration::from_secs(5);
/// Messages in one go.
const MOST: usize = 64;

/// A client that reads nothing for this long is given up: its stream takes another one's place.
const STUCK: Duration = Duration::from_secs(10);

/// How a stream ended.
enum Ended {
    Orderly,
    /// In the middle of a write.
    Stuck,
}

/// A stream that has begun.
struct Stream {
    caller: Caller,
    /// The peer has got, or will get, its mail up to here.
    place: MailSeq,
    /// Tells it from other streams of the session.
    name: String,
    end: Instant,
    /// How many there are, this one included.
    open: usize,
}

impl Host {
    /// Streams, until the time is over or the client is gone.
    pub async fn stream(mut self, request: &Request, query: &EventsQuery, out: ResponseOutparam) {
        let cors = self.settings.cors_origin.clone();
        let mut stream = match self.begin(request, query).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(refusal)) => return answer(out, &refusal, &cors).await,
            Err(error) => return answer(out, &unavailable(&error), &cors).await,
        };
        let more = [("cache-control", "no-cache"), ("x-accel-buffering", "no")];
        let response = head(200, "text/event-stream", &cors, &more);
        let mut sink = response.take_body();
        out.set(response);
        if sink.send(b"retry: 250\n\n".to_vec()).await.is_ok() {
            // Whatever ended it, the client comes back and reads on.
            if !matches!(self.write(&mut stream, &mut sink).await, Ok(Ended::Stuck)) {
                let _ = sink.close().await;
            }
        }
        self.store.at(now());
        let until = now().plus(self.node.settings.hold);
        let _ = self.store.close_stream(&stream.caller, &stream.name, until).await;
    }

    async fn begin(
        &self,
        request: &Request,
        query: &EventsQuery,
    ) -> Result<Result<Stream, Reply>, StoreError> {
        let last = request.header("last-event-id").and_then(|last| last.parse().ok());
        let place = MailSeq(last.unwrap_or(query.cursor));
        let caller = match resume(&self.store, &self.tickets, &query.ticket, place, now()).await {
            Ok(caller) => caller,
            Err(ConverseError::Refused(code)) => return Ok(Err(Reply::refuse(code))),
            Err(ConverseError::Store(error)) => return Err(error),
        };
        // Between four fifths of the time that it may take and all of it.
        let dice = f64::from(u16::from_le_bytes(clock::random())) / f64::from(u16::MAX);
        let length = self.settings.stream.mul_f64(1.0 - dice / 5.0);
        let until = now().plus(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        let name = format!("{:016x}", u64::from_le_bytes(clock::random()));
        let most = self.settings.max_streams;
        let end = Instant::now() + length;
        Ok(match self.store.open_stream(caller.session, &name, until, most).await? {
            Some(open) => Ok(Stream { caller, place, name, end, open }),
            None => Err(Reply::elsewhere(Code::NodeFull, self.mesh.up().map(|node| node.u.as_str()))),
        })
    }

    async fn write<S>(&mut self, stream: &mut Stream, sink: &mut S) -> Result<Ended, StoreError>
    where
        S: futures_util::Sink<Vec<u8>> + Unpin,
    {
        let (mut spoken, mut cared) = (Instant::now(), Instant::now());
        // Who has just come is about to hear something.
        let mut heard = Instant::now();
        while Instant::now() < stream.end {
            let mail = mail(&self.store, &stream.caller, stream.place, MOST, now()).await?;
            let mut text = String::new();
            if let Some((last, _)) = mail.last() {
                stream.place = *last;
                heard = Instant::now();
                let event = |(seq, frame): &(MailSeq, _)| event(*seq, frame);
                text = mail.iter().map(event).collect();
            } else if spoken.elapsed() >= HEARTBEAT {
                ":\n\n".clone_into(&mut text);
            }
            if !text.is_empty() {
                spoken = Instant::now();
                match clock::within(STUCK, sink.send(text.into_bytes())).await {
                    Some(Ok(())) => {}
                    Some(Err(_)) => break,
                    None => return Ok(Ended::Stuck),
                }
            }
            if mail.len() == MOST {
                continue;
            }
            if cared.elapsed() >= CARE {
                cared = Instant::now();
                self.care(&stream.caller).await?;
                match self.store.streams(stream.caller.session, &stream.name).await? {
                    Some(open) => stream.open = open,
                    None => break,
                }
            }
            let quiet = u64::try_from(heard.elapsed().as_millis()).unwrap_or(u64::MAX);
            sleep(Duration::from_millis(pace::pause(stream.open, quiet))).await;
        }
        Ok(Ended::Orderly)
    }

    /// What a socket's host does at its ease, a stream does now and then.
    async fn care(&mut self, caller: &Caller) -> Result<(), StoreError> {
        self.refresh().await?;
        let errands = self.step(Event::StillHere(caller.clone())).await?.errands;
        self.carry_out(errands).await?;
        self.sweep().await?;
        self.wind_up().await?;
        self.look_for_nodes().await?;
        self.keep_mesh().await
    }
}

fn event(seq: MailSeq, frame: &pigeonhub_protocol::Frame) -> String {
    format!("id: {}\ndata: {}\n\n", seq.0, frame.as_str())
}
