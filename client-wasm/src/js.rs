//! What `pkg/index.js` calls: the hub and its links, with callbacks instead of streams and JSON
//! text instead of values. Apps do not see it.

use core::cell::RefCell;

use futures_channel::oneshot;
use futures_util::{Stream, StreamExt};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::MediaStream;

use crate::link::Track;
use crate::{Hub, HubError, HubEvent, HubOptions, Link, LinkState, NodeState, NodeView, Payload, PeerInfo};

/// A hub.
#[wasm_bindgen]
pub struct RawHub {
    hub: Hub,
    first_node: RefCell<Option<oneshot::Receiver<()>>>,
}

/// A link.
#[wasm_bindgen]
pub struct RawLink(Link);

#[wasm_bindgen]
impl RawHub {
    /// Starts a client.
    pub async fn open(
        network: String,
        nodes: Vec<String>,
        data: String,
        peer_id: Option<String>,
        persist: bool,
        sessions: usize,
        ice_servers: JsValue,
    ) -> Result<Self, HubError> {
        let options = HubOptions {
            network,
            nodes,
            // What is no JSON is no object either, and refused as such.
            profile: serde_json::from_str(&data).unwrap_or_default(),
            peer_id,
            persist,
            sessions,
            ice_servers: Some(ice_servers).filter(|servers| !servers.is_undefined()),
        };
        let (hub, first_node) = Hub::open(options.try_into()?).await;
        Ok(Self { hub, first_node: RefCell::new(Some(first_node)) })
    }

    /// Waits for the first node. Once.
    pub async fn ready(&self) -> Result<(), HubError> {
        let first_node = self.first_node.take().ok_or_else(HubError::hub_closed)?;
        self.hub.ready(first_node).await
    }

    /// Calls back with the kind and the fields of each event.
    pub fn listen(&self, callback: Function) {
        call_back(self.hub.events(), callback, |event| match event {
            HubEvent::Peer(peer) => vec!["peer".into(), peer_object(&peer)],
            HubEvent::PeerGone(peer) => vec!["peergone".into(), object([("peerId", peer.into())])],
            HubEvent::Node(node) => vec!["nodechange".into(), node_object(&node)],
            HubEvent::Link(link) => vec!["link".into(), RawLink(link).into()],
            HubEvent::Path { peer, via } => {
                vec!["path".into(), object([("peerId", peer.into()), ("via", via.into())])]
            }
            HubEvent::Refused { code, text } => {
                vec!["error".into(), object([("code", code.into()), ("message", text.into())])]
            }
        });
    }

    /// This peer's id.
    #[wasm_bindgen(getter)]
    pub fn peer_id(&self) -> String {
        self.hub.peer_id()
    }

    /// The peers of the network.
    pub fn peers(&self) -> Array {
        self.hub.peers().iter().map(peer_object).collect()
    }

    /// The nodes to choose from.
    pub fn nodes(&self) -> Array {
        self.hub.nodes().iter().map(node_object).collect()
    }

    /// Links up with a peer.
    pub async fn dial(&self, peer: String, stream: Option<MediaStream>) -> Result<RawLink, HubError> {
        self.hub.dial(&peer, stream).await.map(RawLink)
    }

    /// The link to a peer, if there is one.
    pub fn link(&self, peer: &str) -> Option<RawLink> {
        self.hub.link(peer).map(RawLink)
    }

    /// Publishes a record; gives the node's receipt.
    pub async fn publish(&self, topic: String, json: String, ttl: Option<u32>) -> Result<String, HubError> {
        self.hub.publish_json(&topic, &json, ttl).await
    }

    /// The records of a topic.
    pub async fn find(&self, topic: String) -> Result<String, HubError> {
        self.hub.find_json(&topic).await.map(|records| records.get().into())
    }

    /// Tells others something new about this peer.
    pub fn set_data(&self, json: &str) -> Result<(), HubError> {
        self.hub.set_profile_json(json)
    }

    /// One more node to choose from.
    pub fn add_node(&self, url: &str) -> Result<(), HubError> {
        self.hub.add_node(url)
    }

    /// A node no longer to choose from.
    pub fn remove_node(&self, url: &str) {
        self.hub.remove_node(url);
    }

    /// Says goodbye and closes everything.
    pub fn close(&self) {
        self.hub.close();
    }
}

#[wasm_bindgen]
impl RawLink {
    /// A number that no other link of this page has: handles with the same one are the same link.
    #[wasm_bindgen(getter)]
    pub fn serial(&self) -> u32 {
        self.0.serial()
    }

    /// The other peer.
    #[wasm_bindgen(getter)]
    pub fn peer_id(&self) -> String {
        self.0.peer_id()
    }

    /// Its state.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        link_state(&self.0.state()).into()
    }

    /// Calls back with each change: state, and the error if it failed.
    pub fn listen_states(&self, callback: Function) {
        call_back(self.0.states(), callback, |state| {
            let error = match &state {
                LinkState::Failed(failure) => HubError::from(failure).into(),
                _ => JsValue::UNDEFINED,
            };
            vec![link_state(&state).into(), error]
        });
    }

    /// Calls back with each message: a string or an `ArrayBuffer`.
    pub fn listen_messages(&self, callback: Function) {
        call_back(self.0.messages(), callback, |payload| match payload {
            Payload::Text(text) => vec![text.into()],
            Payload::Bytes(bytes) => vec![Uint8Array::from(bytes.as_slice()).buffer().into()],
        });
    }

    /// Calls back with each track and its stream.
    pub fn listen_tracks(&self, callback: Function) {
        call_back(self.0.tracks(), callback, |Track { track, stream }| vec![track.into(), stream.into()]);
    }

    /// Sends text. It is in the queue when this returns, and with the browser when the promise
    /// resolves.
    pub fn send_text(&self, text: String) -> Promise {
        self.send(Payload::Text(text))
    }

    /// Sends bytes, likewise.
    pub fn send_bytes(&self, bytes: Vec<u8>) -> Promise {
        self.send(Payload::Bytes(bytes))
    }

    fn send(&self, payload: Payload) -> Promise {
        let sent = self.0.send(payload);
        future_to_promise(async { Ok(sent.await.map(|()| JsValue::UNDEFINED)?) })
    }

    /// Sends the tracks of a stream.
    pub fn add_stream(&self, stream: &MediaStream) -> Result<(), HubError> {
        self.0.add_stream(stream)
    }

    /// Sends them no more.
    pub fn remove_stream(&self, stream: &MediaStream) {
        self.0.remove_stream(stream);
    }

    /// The browser's report.
    pub async fn stats(&self) -> Result<JsValue, HubError> {
        self.0.stats().await
    }

    /// Ends it.
    pub fn close(&self) {
        self.0.close();
    }
}

/// Calls back with what `arguments` makes of each event, until there are no more.
fn call_back<T: 'static>(
    events: impl Stream<Item = T> + Unpin + 'static,
    callback: Function,
    arguments: fn(T) -> Vec<JsValue>,
) {
    spawn_local(async move {
        let mut events = events;
        while let Some(event) = events.next().await {
            // `index.js` does not throw: it dispatches events, and browsers report what throws there.
            let _ = callback.apply(&JsValue::UNDEFINED, &arguments(event).into_iter().collect());
        }
    });
}

fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // A property of a fresh object.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

fn peer_object(peer: &PeerInfo) -> JsValue {
    object([
        ("peerId", peer.peer_id.as_str().into()),
        ("data", JSON::parse(&peer.profile.to_string()).unwrap_or_default()),
        // Proofs of identity come with their own version of the wire.
        ("verified", JsValue::FALSE),
        ("nodeId", peer.node_id.as_str().into()),
    ])
}

fn node_object(node: &NodeView) -> JsValue {
    object([
        ("url", node.url.0.as_str().into()),
        ("nodeId", node.node.as_ref().map(|node| node.as_str()).into()),
        ("state", node_state(node.state).into()),
    ])
}

const fn node_state(state: NodeState) -> &'static str {
    match state {
        NodeState::Idle => "idle",
        NodeState::Dialing => "dialing",
        NodeState::Open => "open",
        NodeState::Down => "down",
    }
}

const fn link_state(state: &LinkState) -> &'static str {
    match state {
        LinkState::Connecting => "connecting",
        LinkState::Connected => "connected",
        LinkState::Interrupted => "interrupted",
        LinkState::Closed => "closed",
        LinkState::Failed(_) => "failed",
    }
}
