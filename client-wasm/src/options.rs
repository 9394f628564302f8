//! What an app chooses when it connects, and the check of it.

use pigeonhub_client_core::{NodeUrl, Options, Transport};
use pigeonhub_protocol::{NetworkName, PeerId, RawJson, limit};
use wasm_bindgen::JsValue;
use web_sys::{RtcConfiguration, RtcIceServer, RtcPeerConnection};

use crate::error::HubError;
use crate::identity::Identity;
use crate::{address, keys};

/// Public STUN servers of two operators, for apps that name none.
const STUN: [&str; 2] = ["stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478"];

/// A node, as an app names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    /// Its URL: `ws`, `wss`, `http` or `https`.
    pub url: String,
    /// How to talk to it. By default a WebSocket, except that nodes with a URL of `http` or `https`
    /// are asked what they offer.
    pub transport: Option<Transport>,
}

impl<Url: Into<String>> From<Url> for NodeEntry {
    fn from(url: Url) -> Self {
        Self { url: url.into(), transport: None }
    }
}

/// What an app chooses when it connects.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// The network (room) to be in: peers of other networks are not seen. `global` by default.
    pub network: String,
    /// Nodes, best first.
    pub nodes: Vec<NodeEntry>,
    /// What others are told about this peer: a JSON object.
    pub profile: serde_json::Value,
    /// This peer's id, 40 hexadecimal digits. By default it is the SHA-1 of a key, so that the peer can
    /// prove it; a peer whose id is given proves nothing.
    pub peer_id: Option<String>,
    /// This peer's key, as [`Hub::export_key`](crate::Hub::export_key) gives it; a fresh one by default.
    pub key: Option<String>,
    /// Come back with the same key after a reload: it is kept in `localStorage`. Tabs that are open at once
    /// have one each.
    pub persist: bool,
    /// Have nothing to do with peers that do not prove their id.
    pub require_verified: bool,
    /// How many nodes to be on at once: 2 by default.
    pub sessions: usize,
    /// `RTCConfiguration.iceServers`; two public STUN servers by default.
    pub ice_servers: Option<JsValue>,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            network: NetworkName::GLOBAL.into(),
            nodes: Vec::new(),
            profile: serde_json::Value::Object(serde_json::Map::new()),
            peer_id: None,
            key: None,
            persist: false,
            require_verified: false,
            sessions: 2,
            ice_servers: None,
        }
    }
}

/// Who the app wants this peer to be.
pub(crate) enum Who {
    /// Somebody new.
    Fresh,
    /// Who it was last time.
    Kept,
    /// Whoever has this key.
    Key(String),
    /// Who has this id, which nothing proves.
    Id(PeerId),
}

/// The options of an app after their check, all but the peer's id.
pub(crate) struct Checked {
    pub network: NetworkName,
    pub nodes: Vec<NodeUrl>,
    /// What is not to be chosen.
    pub transports: Vec<(NodeUrl, Transport)>,
    pub profile: RawJson,
    pub who: Who,
    pub require_verified: bool,
    pub sessions: usize,
    pub rtc: RtcConfiguration,
}

impl Checked {
    /// Options for the client of this peer.
    pub(crate) fn client(&self, identity: &Identity) -> Options {
        Options {
            peer: identity.peer,
            network: self.network.clone(),
            profile: self.profile.clone(),
            nodes: self.nodes.clone(),
            key: identity.key.as_ref().map(|key| key.public().into()),
            require_verified: self.require_verified,
            sessions: self.sessions,
        }
    }
}

impl Checked {
    /// Checks options, with the profile as JSON text beside them: JavaScript has it in no other way.
    pub(crate) fn new(options: &HubOptions, profile_json: &str) -> Result<Self, HubError> {
        let network = options.network.parse::<NetworkName>();
        let (mut nodes, mut transports) = (Vec::new(), Vec::new());
        for entry in &options.nodes {
            let node = address::checked(&entry.url)?;
            transports.extend(entry.transport.map(|transport| (node.clone(), transport)));
            nodes.push(node);
        }
        if nodes.is_empty() {
            return Err(HubError::new("invalid-options", "at least one node is needed"));
        }
        Ok(Self {
            network: network.map_err(|error| HubError::new("invalid-network", error.to_string()))?,
            nodes,
            transports,
            profile: profile(profile_json)?,
            who: who(options)?,
            require_verified: options.require_verified,
            sessions: options.sessions.max(1),
            rtc: rtc(options.ice_servers.as_ref())?,
        })
    }
}

/// Checks what the app says of this peer's identity.
fn who(options: &HubOptions) -> Result<Who, HubError> {
    match (&options.key, &options.peer_id) {
        (Some(_), Some(_)) => {
            Err(HubError::new("invalid-options", "a key has its own id: leave one of them out"))
        }
        (Some(key), None) if !keys::is_text(key) => {
            Err(HubError::new("invalid-key", "a key is 32 bytes in base64"))
        }
        (Some(key), None) => Ok(Who::Key(key.clone())),
        (None, Some(id)) => peer(id).map(Who::Id),
        (None, None) => Ok(if options.persist { Who::Kept } else { Who::Fresh }),
    }
}

/// Checks a peer id.
pub(crate) fn peer(text: &str) -> Result<PeerId, HubError> {
    text.parse().map_err(|_| HubError::new("invalid-peer-id", "a peer id is exactly 40 hexadecimal digits"))
}

/// Checks the name of a transport; an empty one leaves the choice open.
pub(crate) fn transport(name: &str) -> Result<Option<Transport>, HubError> {
    let wish = Some(name).filter(|name| !name.is_empty()).map(str::parse).transpose();
    wish.map_err(|_| HubError::new("invalid-options", "a transport is `websocket` or `http`"))
}

/// Checks a profile.
pub(crate) fn profile(json: &str) -> Result<RawJson, HubError> {
    let invalid = || HubError::new("invalid-profile", "a profile is a JSON object of at most 16 KiB");
    if !json.starts_with('{') || json.len() > limit::PROFILE {
        return Err(invalid());
    }
    serde_json::from_str(json).map_err(|_| invalid())
}

/// The configuration of every connection. A throw-away one shows that the browser takes it, and
/// that there is WebRTC at all: better now than at the first call.
fn rtc(ice_servers: Option<&JsValue>) -> Result<RtcConfiguration, HubError> {
    let configuration = RtcConfiguration::new();
    let code = if ice_servers.is_some() { "invalid-ice-servers" } else { "no-webrtc" };
    let servers = ice_servers.cloned().unwrap_or_else(|| {
        let server = RtcIceServer::new();
        server.set_urls(&STUN.map(JsValue::from).into_iter().collect::<js_sys::Array>());
        js_sys::Array::of1(&server).into()
    });
    configuration.set_ice_servers(&servers);
    match RtcPeerConnection::new_with_configuration(&configuration) {
        Ok(connection) => {
            connection.close();
            Ok(configuration)
        }
        Err(thrown) => Err(HubError::thrown(code, &thrown)),
    }
}
