//! The bare frame relay that the node is compared with: text frames go to the other socket of the
//! pair, unread. Two sockets are a pair when their `peerId`s differ in the last digit only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use futures_util::SinkExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Buffers of a socket, in bytes: as the node has them.
const READ: usize = 4 * 1024;
const WRITE: usize = 32 * 1024;
/// Frames that may wait for one socket.
const QUEUE: usize = 256;
/// Frames written before one flush.
const BATCH: usize = 64;

/// The queue of each socket, by `peerId`.
type Queues = Arc<Mutex<HashMap<String, Sender<Utf8Bytes>>>>;

/// Serves until the process is stopped.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("relay listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = Router::new().route("/", any(upgrade)).with_state(Queues::default());
    Ok(axum::serve(listener, router).await?)
}

async fn upgrade(
    request: WebSocketUpgrade,
    State(queues): State<Queues>,
    Query(mut query): Query<HashMap<String, String>>,
) -> Response {
    let id = query.remove("peerId").unwrap_or_default();
    request.read_buffer_size(READ).write_buffer_size(WRITE).on_upgrade(async move |mut socket| {
        let (sender, queue) = mpsc::channel(QUEUE);
        lock(&queues, |queues| queues.insert(id.clone(), sender));
        // An error is the end of the socket, and nobody is there to be told.
        drop(carry(&mut socket, queue, &other(&id), &queues).await);
        lock(&queues, |queues| queues.remove(&id));
    })
}

async fn carry(
    socket: &mut WebSocket,
    mut queue: Receiver<Utf8Bytes>,
    other: &str,
    queues: &Queues,
) -> Result<(), axum::Error> {
    socket.send(Message::Text(Utf8Bytes::from_static(r#"{"type":"connected"}"#))).await?;
    let mut partner: Option<Sender<Utf8Bytes>> = None;
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            frame = socket.recv() => match frame.transpose()? {
                Some(Message::Text(text)) => {
                    if partner.is_none() {
                        partner = lock(queues, |queues| queues.get(other).cloned());
                    }
                    // A full queue loses the frame; the window of the load never fills one.
                    drop(partner.as_ref().map(|partner| partner.try_send(text)));
                }
                Some(Message::Close(_)) | None => return Ok(()),
                Some(_) => {}
            },
            _ = queue.recv_many(&mut batch, BATCH) => {
                for text in batch.drain(..) {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
        }
    }
}

/// The `peerId` of the other socket of the pair.
fn other(id: &str) -> String {
    let (stem, last) = id.split_at(id.len().saturating_sub(1));
    format!("{stem}{}", if last == "0" { '1' } else { '0' })
}

fn lock<T>(queues: &Queues, act: impl FnOnce(&mut HashMap<String, Sender<Utf8Bytes>>) -> T) -> T {
    act(&mut queues.lock().unwrap_or_else(PoisonError::into_inner))
}
