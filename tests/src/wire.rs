//! A peer as raw frames, on a WebSocket or over plain HTTP: what the PeerPigeon client says, and more.

mod socket;
mod visit;

use std::collections::VecDeque;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

pub(crate) use self::socket::Socket;
use self::socket::SocketWay;
use self::visit::Visit;
use crate::http::Answer;
use crate::{PATIENCE, TestNode};

/// How a peer reaches its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By WebSocket.
    Socket,
    /// By requests, and a stream of events.
    Events,
}

enum Way {
    Socket(SocketWay),
    Visit(Visit),
}

/// A peer id that no other test uses.
#[must_use]
pub fn fresh_id() -> String {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).expect("random bytes");
    pigeonhub_protocol::PeerId::from_bytes(bytes).to_string()
}

/// A frame that arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    /// As it came.
    pub text: String,
    /// As JSON.
    pub json: Value,
}

impl Heard {
    fn new(text: &str) -> Self {
        let json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in the frame {text}"));
        Self { text: text.into(), json }
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().expect("every frame has a type")
    }

    /// The bytes of its `data`, as they came.
    #[must_use]
    pub fn data_text(&self) -> &str {
        #[derive(serde::Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
        }
        serde_json::from_str::<Data<'_>>(&self.text).expect("a frame with data").data.get()
    }
}

/// How the node closed a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code; 1006 if the connection just ended.
    pub code: u16,
    /// The reason.
    pub reason: String,
}

enum Event {
    Frame(Heard),
    Closed(Closed),
}

/// A peer that is connected to a node. It answers the node's pings, and keeps what it hears until
/// asked.
pub struct WirePeer {
    /// Its id.
    pub id: String,
    /// What it announced last.
    pub network: String,
    way: Way,
    events: UnboundedReceiver<Event>,
    unread: VecDeque<Heard>,
    closed: Option<Closed>,
}

impl WirePeer {
    /// Opens a socket at this URL, with whatever peer id it has.
    pub async fn open(url: &str) -> Self {
        let (tell, events) = unbounded_channel();
        Self::on(Way::Socket(SocketWay::open(url, tell).await), events)
    }

    fn on(way: Way, events: UnboundedReceiver<Event>) -> Self {
        let (unread, network) = (VecDeque::new(), "global".into());
        Self { id: String::new(), network, way, events, unread, closed: None }
    }

    /// Connects to a node over plain HTTP with this id and reads the greeting.
    pub async fn visit_as(node: &TestNode, id: &str) -> Self {
        let (tell, events) = unbounded_channel();
        let mut peer = Self::on(Way::Visit(Visit::new(node, id, tell)), events);
        peer.id = id.into();
        peer.post(&[]).await.ok();
        let greeting = peer.expect("connected").await;
        assert_eq!(greeting.json["peerId"], id);
        peer
    }

    /// Connects by this transport with a new id.
    pub async fn connect_by(transport: Transport, node: &TestNode) -> Self {
        match transport {
            Transport::Socket => Self::connect(node).await,
            Transport::Events => Self::visit_as(node, &fresh_id()).await,
        }
    }

    /// Connects by this transport and announces in a network.
    pub async fn join_by(transport: Transport, node: &TestNode, network: &str) -> Self {
        let mut peer = Self::connect_by(transport, node).await;
        peer.announce(network).await;
        peer
    }

    /// Connects to a node with this id and reads the greeting.
    pub async fn connect_as(node: &TestNode, id: &str) -> Self {
        let mut peer = Self::open(&format!("{}/?peerId={id}", node.ws())).await;
        peer.id = id.into();
        let greeting = peer.expect("connected").await;
        assert_eq!(greeting.json["peerId"], id);
        peer
    }

    /// Connects to a node with a new id.
    pub async fn connect(node: &TestNode) -> Self {
        Self::connect_as(node, &fresh_id()).await
    }

    /// Connects and announces in a network, as the PeerPigeon client does.
    pub async fn join(node: &TestNode, network: &str) -> Self {
        Self::join_as(node, network, &fresh_id()).await
    }

    /// The same with this id.
    pub async fn join_as(node: &TestNode, network: &str, id: &str) -> Self {
        let mut peer = Self::connect_as(node, id).await;
        peer.announce(network).await;
        peer
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send_message(Message::text(text.into())).await;
    }

    /// Sends a frame of any kind on the socket.
    pub async fn send_message(&mut self, message: Message) {
        assert!(self.socket().send(message).await, "the socket takes a frame");
    }

    /// Sends a text; false if the socket is closed.
    pub async fn try_send_text(&mut self, text: &str) -> bool {
        self.socket().send(Message::text(text)).await
    }

    /// Sends JSON.
    pub async fn send(&mut self, frame: &Value) {
        match &mut self.way {
            Way::Socket(_) => self.send_text(frame.to_string()).await,
            Way::Visit(visit) => drop(visit.exchange(std::slice::from_ref(frame), json!({})).await.ok()),
        }
    }

    /// Posts messages, as a peer over plain HTTP does. Gives the answer; what it says was heard.
    pub async fn post(&mut self, messages: &[Value]) -> Answer {
        self.visit().exchange(messages, json!({})).await
    }

    /// The ticket of a peer over plain HTTP.
    #[must_use]
    pub fn ticket(&mut self) -> String {
        self.visit().ticket().expect("a ticket")
    }

    /// The stream of events is cut, and stays so until [`Self::listen_again`].
    pub fn stop_listening(&mut self) {
        self.visit().pause();
    }

    /// A stream of events is opened, and goes on after what was heard.
    pub fn listen_again(&mut self) {
        self.visit().read();
    }

    fn socket(&mut self) -> &mut SocketWay {
        match &mut self.way {
            Way::Socket(socket) => socket,
            Way::Visit(_) => panic!("{} has no socket", self.id),
        }
    }

    fn visit(&mut self) -> &mut Visit {
        match &mut self.way {
            Way::Visit(visit) => visit,
            Way::Socket(_) => panic!("{} is on a socket", self.id),
        }
    }

    /// Announces itself in a network, as the PeerPigeon client does.
    pub async fn announce(&mut self, network: &str) {
        self.network = network.into();
        self.send(
            &json!({"type": "announce", "data": {"peerId": self.id}, "maxPeers": 3, "networkName": network}),
        )
        .await;
    }

    /// Sends a signal, as the PeerPigeon client does.
    pub async fn signal(&mut self, kind: &str, target: &str, data: &Value) {
        let network = &self.network;
        self.send(&json!({
            "type": kind, "data": data, "maxPeers": 3, "networkName": network, "targetPeerId": target,
        }))
        .await;
    }

    /// Sends an offer that is told by its text.
    pub async fn offer(&mut self, target: &str, text: &str) {
        self.signal("offer", target, &json!({"type": "offer", "sdp": format!("v=0\r\n{text}")})).await;
    }

    /// Says goodbye, as `disconnect()` of the PeerPigeon client does.
    pub async fn goodbye(&mut self) {
        let (id, network) = (&self.id, &self.network);
        self.send(&json!({
            "type": "goodbye", "data": {"peerId": id, "timestamp": 1}, "maxPeers": 3, "networkName": network,
        }))
        .await;
    }

    /// Says goodbye three times, as a page of the PeerPigeon client does when it is unloaded.
    pub async fn unload(&mut self) {
        for _ in 0..3 {
            let id = self.id.clone();
            let data = json!({"peerId": id, "timestamp": 1, "reason": "peer_disconnect"});
            self.send(&json!({"type": "goodbye", "data": data})).await;
            self.send(&json!({"type": "cleanup-all", "data": data})).await;
        }
    }

    /// Closes the socket in an orderly way.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "Client disconnect".into() };
        self.send_message(Message::Close(Some(frame))).await;
        self.closed().await;
    }

    /// The connection breaks: no close frame, no goodbye.
    pub fn lose(self) {}

    /// Waits for the next frame of this type; others stay unread.
    pub async fn expect(&mut self, kind: &str) -> Heard {
        self.expect_that(kind, |heard| heard.kind() == kind).await
    }

    /// Waits for the news that this peer is there.
    pub async fn expect_peer(&mut self, id: &str) -> Heard {
        let about = |heard: &Heard| heard.kind() == "peer-discovered" && heard.json["data"]["peerId"] == id;
        self.expect_that("peer-discovered", about).await
    }

    /// Waits for an error, and checks its code and that it has a text for people.
    pub async fn expect_error(&mut self, code: &str) -> Heard {
        let error = self.expect("error").await;
        assert_eq!(error.json["code"], code, "{}", error.text);
        assert!(error.json["error"].as_str().is_some_and(|text| !text.is_empty()), "{}", error.text);
        error
    }

    /// Waits for a frame that is wanted; others stay unread.
    pub async fn expect_that(&mut self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Heard {
        if let Some(place) = self.unread.iter().position(&wanted) {
            return self.unread.remove(place).expect("it is there");
        }
        while self.listen(what).await {
            if self.unread.back().is_some_and(&wanted) {
                return self.unread.pop_back().expect("it is there");
            }
        }
        panic!("{} was closed ({:?}) before it heard: {what}", self.id, self.closed);
    }

    /// Waits until the node closes the socket.
    pub async fn closed(&mut self) -> Closed {
        while self.listen("a close").await {}
        self.closed.clone().expect("closed")
    }

    /// All that the node had to say to this peer until now has arrived: a pong came after it, or all
    /// that was in its mailbox.
    pub async fn fence(&mut self) {
        self.send(&json!({"type": "ping", "data": {"timestamp": 1}})).await;
        self.expect("pong").await;
        if let Way::Visit(visit) = &mut self.way {
            visit.caught_up().await;
            while let Ok(event) = self.events.try_recv() {
                self.note(event);
            }
        }
    }

    /// The same for what came by way of another peer's node: a signal of that peer came after it.
    pub async fn fence_from(&mut self, other: &mut Self) {
        let marker = fresh_id();
        other.signal("ice-candidate", &self.id, &json!({"candidate": marker})).await;
        self.expect_that("a marker", |heard| heard.json["data"]["candidate"] == *marker).await;
    }

    /// What arrived of this type and was not asked for yet. (See [`Self::fence`].)
    pub fn take(&mut self, kind: &str) -> Vec<Heard> {
        let (taken, left) = self.unread.drain(..).partition(|heard| heard.kind() == kind);
        self.unread = left;
        Vec::from_iter::<VecDeque<_>>(taken)
    }

    /// Checks that nothing of this type has arrived. (See [`Self::fence`].)
    #[track_caller]
    pub fn assert_none(&mut self, kind: &str) {
        let heard = self.take(kind);
        assert!(heard.is_empty(), "{} heard {heard:#?}", self.id);
    }

    /// Waits for one more event; false once the socket is closed.
    async fn listen(&mut self, what: &str) -> bool {
        if self.closed.is_some() {
            return false;
        }
        match timeout(PATIENCE, self.events.recv()).await {
            Ok(Some(event)) => self.note(event),
            Ok(None) => panic!("the reader of {} panicked", self.id),
            Err(_) => panic!("{} waits for: {what}; unread are {:#?}", self.id, self.unread),
        }
        self.closed.is_none()
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Frame(heard) => self.unread.push_back(heard),
            Event::Closed(closed) => self.closed = Some(closed),
        }
    }
}
