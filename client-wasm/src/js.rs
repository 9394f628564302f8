//! What `pkg/index.js` calls: the hub and its links, with callbacks instead of streams and JSON
//! text instead of values. Apps do not see it.

use core::pin::Pin;

use futures_util::{Stream, StreamExt};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use pigeonhub_client_core::PeerView;
use pigeonhub_protocol::Refusal;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::MediaStream;

use crate::event::Notice;
use crate::link::Track;
use crate::options::{self, Checked};
use crate::{Hub, HubError, HubOptions, Link, LinkState, NodeEntry, NodeState, NodeView, Payload};

#[wasm_bindgen]
extern "C" {
    /// What `connect` makes of its options.
    pub type RawOptions;
    #[wasm_bindgen(method, getter)]
    fn network(this: &RawOptions) -> String;
    /// URLs and transports in turns; an empty transport is a choice.
    #[wasm_bindgen(method, getter)]
    fn nodes(this: &RawOptions) -> Vec<String>;
    /// The profile, as JSON.
    #[wasm_bindgen(method, getter)]
    fn data(this: &RawOptions) -> String;
    #[wasm_bindgen(method, getter, js_name = peerId)]
    fn peer_id(this: &RawOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn key(this: &RawOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn persist(this: &RawOptions) -> bool;
    #[wasm_bindgen(method, getter, js_name = requireVerified)]
    fn require_verified(this: &RawOptions) -> bool;
    #[wasm_bindgen(method, getter)]
    fn sessions(this: &RawOptions) -> usize;
    #[wasm_bindgen(method, getter, js_name = iceServers)]
    fn ice_servers(this: &RawOptions) -> Option<JsValue>;
}

/// A hub.
#[wasm_bindgen]
pub struct RawHub(Hub);

/// A link.
#[wasm_bindgen]
pub struct RawLink(Link);

#[wasm_bindgen]
impl RawHub {
    /// Starts a client.
    pub fn open(given: &RawOptions) -> Promise {
        // Read at once: what is no text throws here, where somebody hears it.
        let (nodes, data) = (given.nodes(), given.data());
        let options = HubOptions {
            network: given.network(),
            nodes: Vec::new(),
            peer_id: given.peer_id(),
            key: given.key(),
            persist: given.persist(),
            require_verified: given.require_verified(),
            sessions: given.sessions(),
            ice_servers: given.ice_servers(),
            profile: serde_json::Value::Null,
        };
        promise(async move {
            let entries = nodes.chunks_exact(2).map(|pair| entry(pair[0].clone(), &pair[1]));
            let options = HubOptions { nodes: entries.collect::<Result<_, _>>()?, ..options };
            Ok(Self(Hub::open(Checked::new(&options, &data)?).await?).into())
        })
    }

    /// Waits for the first node. Once.
    pub fn ready(&self) -> Promise {
        let hub = self.0.clone();
        promise(async move { hub.ready().await.map(|()| JsValue::UNDEFINED) })
    }

    /// Calls back with the kind and the fields of each event.
    pub fn listen(&self, callback: Function) {
        call_back(self.0.notices(), callback, |notice| match notice {
            Notice::Peer(peer) => vec!["peer".into(), peer_object(&peer)],
            Notice::PeerGone(peer) => vec!["peergone".into(), object([("peerId", peer.as_str().into())])],
            Notice::Node(node) => vec!["nodechange".into(), node_object(&node)],
            Notice::Link(link) => vec!["link".into(), RawLink(link).into()],
            Notice::Path { peer, via } => {
                let via = via.map(|url| url.0);
                vec!["path".into(), object([("peerId", peer.as_str().into()), ("via", via.into())])]
            }
            Notice::Refused(Refusal { code, text, .. }) => {
                vec!["error".into(), object([("code", code.as_str().into()), ("message", text.into())])]
            }
        });
    }

    /// This peer's id.
    #[wasm_bindgen(getter)]
    pub fn peer_id(&self) -> String {
        self.0.peer_id()
    }

    /// The peers of the network.
    pub fn peers(&self) -> Array {
        self.0.peer_views().iter().map(peer_object).collect()
    }

    /// The nodes to choose from.
    pub fn nodes(&self) -> Array {
        self.0.nodes().iter().map(node_object).collect()
    }

    /// Links up with a peer.
    pub fn dial(&self, peer: String, stream: Option<MediaStream>) -> Promise {
        let hub = self.0.clone();
        promise(async move { hub.dial(&peer, stream).await.map(|link| RawLink(link).into()) })
    }

    /// The link to a peer, if there is one.
    pub fn link(&self, peer: &str) -> Option<RawLink> {
        self.0.link(peer).map(RawLink)
    }

    /// This peer's public key.
    #[wasm_bindgen(getter)]
    pub fn public_key(&self) -> Option<String> {
        self.0.public_key()
    }

    /// This peer's key as text.
    pub fn export_key(&self) -> Option<String> {
        self.0.export_key()
    }

    /// Signs a text with this peer's key.
    pub fn sign(&self, text: String) -> Promise {
        let key = self.0.key();
        promise(async move {
            let key = key.ok_or_else(HubError::no_identity)?;
            Ok(key.sign(&text).await.ok_or_else(HubError::no_identity)?.into())
        })
    }

    /// Tells others something new about this peer.
    pub fn set_data(&self, json: &str) -> Result<(), HubError> {
        self.0.set_profile_json(json)
    }

    /// One more node to choose from.
    pub fn add_node(&self, url: String, transport: &str) -> Result<(), HubError> {
        self.0.add_node(entry(url, transport)?)
    }

    /// How a node is reached, once that is known.
    pub fn transport(&self, url: &str) -> Option<String> {
        self.0.transport(url).map(|transport| transport.as_str().into())
    }

    /// A node no longer to choose from.
    pub fn remove_node(&self, url: &str) {
        self.0.remove_node(url);
    }

    /// Says goodbye and closes everything.
    pub fn close(&self) {
        self.0.close();
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

    /// Whether the other side is proven.
    #[wasm_bindgen(getter)]
    pub fn verified(&self) -> bool {
        self.0.is_verified()
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
        promise(async { sent.await.map(|()| JsValue::UNDEFINED) })
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
    pub fn stats(&self) -> Promise {
        let link = self.0.clone();
        promise(async move { link.stats().await })
    }

    /// Ends it.
    pub fn close(&self) {
        self.0.close();
    }
}

fn entry(url: String, transport: &str) -> Result<NodeEntry, HubError> {
    Ok(NodeEntry { url, transport: options::transport(transport)? })
}

/// A promise of what a future gives. Boxed: the glue around it is there once, not once per kind.
fn promise(future: impl Future<Output = Result<JsValue, HubError>> + 'static) -> Promise {
    let future: Pin<Box<dyn Future<Output = Result<JsValue, HubError>>>> = Box::pin(future);
    future_to_promise(async { Ok(future.await?) })
}

/// Calls back with what `arguments` makes of each event, until there are no more.
fn call_back<T: 'static>(
    events: impl Stream<Item = T> + 'static,
    callback: Function,
    arguments: fn(T) -> Vec<JsValue>,
) {
    // Boxed, as in `promise`.
    let mut events: Pin<Box<dyn Stream<Item = Vec<JsValue>>>> = Box::pin(events.map(arguments));
    spawn_local(async move {
        while let Some(arguments) = events.next().await {
            // `index.js` does not throw: it dispatches events, and browsers report what throws there.
            let _ = callback.apply(&JsValue::UNDEFINED, &arguments.into_iter().collect());
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

fn peer_object(peer: &PeerView) -> JsValue {
    object([
        ("peerId", peer.peer.as_str().into()),
        ("data", JSON::parse(peer.profile.get()).unwrap_or_default()),
        ("verified", peer.is_verified.into()),
        ("away", peer.is_away.into()),
        ("nodeId", peer.node.as_str().into()),
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
