//! Writing to a socket: many frames in one go, and never waiting for ever.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use pigeonhub_node_core::Beat;
use pigeonhub_protocol::{Close, Frame};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};

use super::ending::Ending;
use super::{Session, Socket};
use crate::clock::now;

/// How long a peer has to take note of its close frame.
const FAREWELL: Duration = Duration::from_secs(1);

const TEXT: OpCode = OpCode::Data(Data::Text);

/// Bytes of replies that are written in one go.
const REPLIES: usize = 1024;
/// Bytes of mail that are written in one go.
pub(super) const MAIL: usize = 32 * 1024;

impl Session {
    pub(super) async fn ping(&mut self) -> Result<(), Ending> {
        let ping = self.socket.feed(Message::Ping(Bytes::new()));
        // A socket that takes no ping is busy writing; it is watched there.
        ping.now_or_never().transpose().map_err(|error| Ending::of_error(&error))?;
        self.flush().await
    }

    /// Writes replies. A peer that has just announced itself is told of everybody at once, and then
    /// of nobody for long, but the library keeps the room that the largest portion took.
    pub(super) async fn write(&mut self, frames: Vec<Frame>) -> Result<(), Ending> {
        if frames.is_empty() { Ok(()) } else { self.write_all(&mut frames.into_iter(), REPLIES).await }
    }

    /// Writes frames, at once if the socket takes them, in portions of about so many bytes. What is
    /// left in `frames` after a failure was not written.
    pub(super) async fn write_all(
        &mut self,
        frames: &mut impl Iterator<Item = Frame>,
        portion: usize,
    ) -> Result<(), Ending> {
        let mut waiting = 0;
        loop {
            match poll_fn(|context| self.socket.poll_ready_unpin(context)).now_or_never() {
                Some(ready) => ready.map_err(|error| Ending::of_error(&error))?,
                None => self.flush().await?,
            }
            let Some(frame) = frames.next() else { return self.flush().await };
            self.frames_out += 1;
            waiting += frame.len();
            // As a raw frame, for our frames are UTF-8 and a `Message::Text` would be checked for it again.
            let raw = tungstenite::protocol::frame::Frame::message(frame.into_bytes(), TEXT, true);
            self.socket.start_send_unpin(Message::Frame(raw)).map_err(|error| Ending::of_error(&error))?;
            if waiting >= portion {
                waiting = 0;
                self.flush().await?;
            }
        }
    }

    /// The node goes. The peer gets what waits for it and is told to go, and what it said before it
    /// heard that is heard. Signals that come for it from now on follow it to where it turns up.
    pub(super) async fn part(&mut self) {
        let reason = self.host.reason(Close::RESTART);
        let parting = async {
            let mut before = None;
            while before.replace(self.frames_out) != Some(self.frames_out) {
                self.deliver().await?;
            }
            let close = close_frame(Close::RESTART, &reason);
            self.socket.send(close).await.map_err(|error| Ending::of_error(&error))?;
            loop {
                let next = self.socket.next().await;
                // Replies find no reader any more.
                self.hear(next, now(), &mut Vec::new())?;
            }
        };
        let _: Result<Result<Infallible, Ending>, _> = timeout(FAREWELL, parting).await;
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        match self.socket.flush().now_or_never() {
            Some(flushed) => flushed.map_err(|error| Ending::of_error(&error)),
            None => Box::pin(self.flush_slowly()).await,
        }
    }

    /// Waits for a peer that does not read, but not for ever: until its mailbox overflows, or it was
    /// silent for too long.
    async fn flush_slowly(&mut self) -> Result<(), Ending> {
        let line = Arc::clone(&self.seat.line);
        loop {
            tokio::select! {
                flushed = self.socket.flush() => return flushed.map_err(|error| Ending::of_error(&error)),
                close = line.closed() => return Err(Ending::Dismissed(close)),
                () = self.alarm.as_mut() => {
                    if self.beat_of(self.host.clock.moment()) == Beat::Silence {
                        return Err(Ending::Silent);
                    }
                }
            }
        }
    }
}

/// Says why the socket is closed, and gives the peer a moment to hear it: a connection that is ended
/// with data unread is reset, and the reason lost.
pub(super) async fn farewell(socket: &mut Socket, close: Close, reason: &str) {
    let said = async {
        socket.send(close_frame(close, reason)).await?;
        // Up to the peer's own close frame.
        while socket.next().await.transpose()?.is_some() {}
        Ok::<(), tungstenite::Error>(())
    };
    if !matches!(timeout(FAREWELL, said).await, Ok(Ok(())) | Err(_)) && close == Close::TOO_LARGE {
        // The rest of the large frame cannot be read, so there is only waiting.
        tokio::time::sleep(FAREWELL).await;
    }
}

fn close_frame(close: Close, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: (close.code as u16).into(), reason: reason.into() }))
}

/// Answers the peer's own close frame; a broken socket says so at once.
pub(super) async fn answer_close(socket: &mut Socket) {
    // However it ends, the socket is over.
    drop(timeout(FAREWELL, socket.flush()).await);
}
