//! The way to a node by WebSocket.

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Closed, Event, Heard};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open socket; whatever comes on it becomes events.
pub(super) struct SocketWay {
    sink: SplitSink<Socket, Message>,
    reader: AbortHandle,
}

impl SocketWay {
    pub(super) async fn open(url: &str, tell: UnboundedSender<Event>) -> Self {
        // A URL without a path gets one, as in browsers.
        let url = Url::parse(url).expect("a URL");
        let (socket, _) = connect_async(url.as_str()).await.expect("the WebSocket opens");
        let (sink, mut stream) = socket.split();
        let reader = tokio::spawn(async move {
            let closed = loop {
                let event = match stream.next().await {
                    Some(Ok(Message::Text(text))) => Event::Frame(Heard::new(&text)),
                    Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                        break Closed { code: code.into(), reason: reason.to_string() };
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(other)) => panic!("a node sends text only, not {other:?}"),
                    Some(Err(_)) | None => break Closed { code: 1006, reason: String::new() },
                };
                if tell.send(event).is_err() {
                    return;
                }
            };
            // Nobody may be interested any more. Reading on lets the closing handshake end.
            let _ = tell.send(Event::Closed(closed));
            while let Some(Ok(_)) = stream.next().await {}
        });
        Self { sink, reader: reader.abort_handle() }
    }

    /// False if the socket is closed.
    pub(super) async fn send(&mut self, message: Message) -> bool {
        self.sink.send(message).await.is_ok()
    }
}

impl Drop for SocketWay {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
