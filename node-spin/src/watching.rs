//! `GET /api/watch/{topic}`: what is published under a topic, as server-sent events. Nothing rings
//! here, so it is looked for every second.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use pigeonhub_node_core::records::Watch;
use pigeonhub_node_core::rest::{self, FindQuery, Reply};
use pigeonhub_protocol::Code;
use spin_sdk::http::ResponseOutparam;

use crate::clock::{self, now, sleep};
use crate::host::{Host, unavailable};
use crate::request::{answer, head};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// A watcher that left is noticed at the next write only.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A watcher that reads nothing for this long is given up.
const STUCK: Duration = Duration::from_secs(10);

impl Host {
    /// The stream. It begins with what is there, and ends itself as every stream here.
    pub async fn watch(mut self, topic: String, out: ResponseOutparam) {
        let cors = self.settings.cors_origin.clone();
        let name = format!("watch {:016x}", u64::from_le_bytes(clock::random()));
        let length = self.settings.stream;
        let until = now().plus(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        // A place among the streams; no session has this number.
        let session = pigeonhub_node_core::SessionId(u64::from_le_bytes(clock::random()));
        match self.store.open_stream(session, &name, until, self.settings.max_streams).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let full = Reply::elsewhere(Code::NodeFull, self.mesh.up().map(|node| node.u.as_str()));
                return answer(out, &full, &cors).await;
            }
            Err(error) => return answer(out, &unavailable(&error), &cors).await,
        }
        let more = [("cache-control", "no-cache"), ("x-accel-buffering", "no")];
        let response = head(200, "text/event-stream", &cors, &more);
        let mut sink = response.take_body();
        out.set(response);
        let (query, mut watch) = (FindQuery::first(topic), Watch::default());
        let (end, mut spoken) = (Instant::now() + length, Instant::now());
        while Instant::now() < end {
            let Ok(seen) = self.look(&query, &mut watch).await else { break };
            let mut text: String = seen
                .iter()
                .map(|seen| {
                    let (name, data) = rest::seen(&self.node.id, seen);
                    rest::event(name, &data)
                })
                .collect();
            if text.is_empty() && spoken.elapsed() >= HEARTBEAT {
                ":\n\n".clone_into(&mut text);
            }
            if !text.is_empty() {
                spoken = Instant::now();
                match clock::within(STUCK, sink.send(text.into_bytes())).await {
                    Some(Ok(())) => {}
                    Some(Err(_)) | None => break,
                }
            }
            sleep(LOOK).await;
            if self.refresh().await.is_err() {
                break;
            }
        }
        let _ = self.store.end_stream(session, &name).await;
        let _ = sink.close().await;
    }
}
