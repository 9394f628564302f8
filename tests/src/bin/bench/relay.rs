//! The bare frame relay that the node is compared with: text frames go to the other socket of the
//! pair, unread. Two sockets are a pair when their `peerId`s differ in the last digit only.
//!
//! A socket that names a crowd is in no pair: its frames go to some of the crowd, and as often back to
//! itself. That is what an announce comes to when nobody has to read, decide or remember anything.

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

use crate::peer::scatter;

/// Buffers of a socket, in bytes: as the node has them.
const READ: usize = 4 * 1024;
const WRITE: usize = 32 * 1024;
/// Frames that may wait for one socket.
const QUEUE: usize = 256;
/// Frames written before one flush.
const BATCH: usize = 64;

/// How many of a crowd a frame goes to: the node's K.
const CROWD: usize = 64;

type Queue = Sender<Utf8Bytes>;
/// The queue of each socket, by `peerId`; for those in crowds by crowd, in the order in which they came.
#[derive(Default)]
struct Everybody {
    pairs: HashMap<String, Queue>,
    crowds: HashMap<String, Vec<Queue>>,
    dice: u64,
}
type Queues = Arc<Mutex<Everybody>>;

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
    let crowd = query.remove("crowd");
    request.read_buffer_size(READ).write_buffer_size(WRITE).on_upgrade(async move |mut socket| {
        let (sender, queue) = mpsc::channel(QUEUE);
        let to = match crowd {
            // Nobody leaves a crowd before the relay is stopped.
            Some(crowd) => {
                lock(&queues, |all| all.crowds.entry(crowd.clone()).or_default().push(sender.clone()));
                To::Crowd(crowd, sender)
            }
            None => {
                lock(&queues, |all| all.pairs.insert(id.clone(), sender));
                To::Other(other(&id), None)
            }
        };
        // An error is the end of the socket, and nobody is there to be told.
        drop(carry(&mut socket, queue, to, &queues).await);
        lock(&queues, |all| all.pairs.remove(&id));
    })
}

/// Where a socket's frames go.
enum To {
    /// The other one of its pair, and its queue once it is known.
    Other(String, Option<Queue>),
    /// Some of a crowd, and itself.
    Crowd(String, Queue),
}

impl To {
    /// A full queue loses the frame; the window of the load never fills one.
    fn send(&mut self, text: Utf8Bytes, queues: &Queues) {
        match self {
            Self::Other(id, partner) => {
                if partner.is_none() {
                    *partner = lock(queues, |all| all.pairs.get(id).cloned());
                }
                drop(partner.as_ref().map(|partner| partner.try_send(text)));
            }
            Self::Crowd(crowd, own) => {
                for queue in lock(queues, |all| all.some_of(crowd)) {
                    drop(queue.try_send(text.clone()));
                    drop(own.try_send(text.clone()));
                }
            }
        }
    }
}

impl Everybody {
    /// As many as there are, or as go, by dice.
    fn some_of(&mut self, crowd: &str) -> Vec<Queue> {
        let Some(all) = self.crowds.get(crowd) else { return Vec::new() };
        if all.len() <= CROWD {
            return all.clone();
        }
        let throws = std::iter::repeat_with(|| {
            self.dice += 1;
            all[(scatter(self.dice) % all.len() as u64) as usize].clone()
        });
        throws.take(CROWD).collect()
    }
}

async fn carry(
    socket: &mut WebSocket,
    mut queue: Receiver<Utf8Bytes>,
    mut to: To,
    queues: &Queues,
) -> Result<(), axum::Error> {
    socket.send(Message::Text(Utf8Bytes::from_static(r#"{"type":"connected"}"#))).await?;
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            frame = socket.recv() => match frame.transpose()? {
                Some(Message::Text(text)) => to.send(text, queues),
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

fn lock<T>(queues: &Queues, act: impl FnOnce(&mut Everybody) -> T) -> T {
    act(&mut queues.lock().unwrap_or_else(PoisonError::into_inner))
}
