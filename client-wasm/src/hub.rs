//! The hub: this client's place in the mesh.

use core::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use pigeonhub_client_core::{Command, Input, NodeState, NodeUrl, NodeView, PeerView, Transport};
use web_sys::MediaStream;

use crate::engine::Engine;
use crate::error::HubError;
use crate::event::{HubEvent, Notice, PeerInfo};
use crate::feed::Subscription;
use crate::identity::Identity;
use crate::keys::Key;
use crate::link::{self, Link};
use crate::options::{self, Checked, HubOptions, NodeEntry};
use crate::{address, ambient};

/// How long the first node may take, in milliseconds.
const PATIENCE: i32 = 10_000;

/// A client of the mesh. Clones are the same client; only [`Hub::close`] ends it.
#[derive(Clone)]
pub struct Hub(Rc<Engine>);

impl Hub {
    /// Goes on the nodes; done when the first one is there.
    ///
    /// # Errors
    ///
    /// `invalid-options`, `invalid-network`, `invalid-url`, `invalid-peer-id`, `invalid-profile`,
    /// `invalid-ice-servers`, `invalid-key`, `no-identity` or `no-webrtc` at once; `no-node` after 10 s without any node.
    pub async fn connect(options: HubOptions) -> Result<Self, HubError> {
        let options = Checked::new(&options, &options.profile.to_string())?;
        let hub = Self::open(options).await?;
        hub.ready().await?;
        Ok(hub)
    }

    /// Starts, without waiting for a node.
    pub(crate) async fn open(options: Checked) -> Result<Self, HubError> {
        let identity = Identity::of(&options.who, &options.network).await?;
        if options.require_verified && identity.key.is_none() {
            // The others would refuse this one as it refuses them.
            return Err(HubError::no_identity());
        }
        Ok(Self(Engine::start(&options, identity)))
    }

    /// Waits for the first node, and closes the hub if none comes. Once.
    pub(crate) async fn ready(&self) -> Result<(), HubError> {
        let mut first_node = self.0.ready().subscribe();
        match select(first_node.next(), pin!(ambient::sleep(PATIENCE))).await {
            Either::Left((Some(()), _)) => Ok(()),
            Either::Left((None, _)) => Err(HubError::hub_closed()),
            Either::Right(_) => {
                self.close();
                Err(HubError::new("no-node", "none of the nodes could be reached within 10 seconds"))
            }
        }
    }

    /// This peer's id.
    #[must_use]
    pub fn peer_id(&self) -> String {
        self.0.peer().as_str().into()
    }

    /// This peer's public key, in base64; none if it has no key.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        self.key().map(|key| key.public().into())
    }

    /// This peer's key as text: whoever has it is this peer. For [`HubOptions::key`], on another device say.
    #[must_use]
    pub fn export_key(&self) -> Option<String> {
        self.key().map(|key| key.text().into())
    }

    pub(crate) fn key(&self) -> Option<Rc<Key>> {
        self.0.key()
    }

    /// The next sequence number of what this peer publishes: the time, and growing.
    pub(crate) fn next_seq(&self, now: u64) -> u64 {
        self.0.next_seq(now)
    }

    /// What happens, until the hub is closed. The first subscription also gets what came before
    /// it. A reader that is more than 1024 events behind loses the oldest.
    pub fn events(&self) -> impl Stream<Item = HubEvent> + use<> {
        self.notices().map(HubEvent::from)
    }

    pub(crate) fn notices(&self) -> Subscription<Notice> {
        self.0.notices().subscribe()
    }

    /// Links up with a peer; done when the data channel is open. If there is a link already, that
    /// is it.
    ///
    /// # Errors
    ///
    /// `invalid-peer-id`, `invalid-stream`, `target-self`, `peer-unavailable`, `no-answer`, `no-path`,
    /// `negotiation-failed`, `closed`.
    pub async fn dial(&self, peer: &str, media: Option<MediaStream>) -> Result<Link, HubError> {
        let peer = options::peer(peer)?;
        if peer == self.0.peer() {
            return Err(HubError::new("target-self", "a peer cannot dial itself"));
        }
        self.still_open()?;
        media.as_ref().map_or(Ok(()), link::checked)?;
        let link = self.0.link_with(peer);
        if let Some(media) = media {
            link.add_stream(&media)?;
        }
        self.0.tell(Input::Command(Command::Dial(peer)));
        link.connected().await?;
        Ok(link)
    }

    /// The link to a peer, if there is one.
    #[must_use]
    pub fn link(&self, peer: &str) -> Option<Link> {
        self.0.link(&peer.parse().ok()?)
    }

    /// The peers of the network that this client was told of.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.peer_views().into_iter().map(PeerInfo::from).collect()
    }

    pub(crate) fn peer_views(&self) -> Vec<PeerView> {
        self.0.peers()
    }

    /// The nodes to choose from, best first.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        self.0.nodes()
    }

    /// Tells others something new about this peer: a JSON object.
    ///
    /// # Errors
    ///
    /// `invalid-profile`, `closed`.
    #[expect(clippy::needless_pass_by_value, reason = "what is set is given away")]
    pub fn set_profile(&self, profile: serde_json::Value) -> Result<(), HubError> {
        self.set_profile_json(&profile.to_string())
    }

    pub(crate) fn set_profile_json(&self, json: &str) -> Result<(), HubError> {
        self.still_open()?;
        self.0.tell(Input::Command(Command::SetProfile(options::profile(json)?)));
        Ok(())
    }

    /// How a node is reached, once that is known.
    #[must_use]
    pub fn transport(&self, url: &str) -> Option<Transport> {
        self.0.lines().transport(&NodeUrl(url.into()))
    }

    /// One more node to choose from.
    ///
    /// # Errors
    ///
    /// `invalid-url`, `closed`.
    pub fn add_node(&self, node: impl Into<NodeEntry>) -> Result<(), HubError> {
        self.still_open()?;
        let NodeEntry { url, transport } = node.into();
        let url = address::checked(&url)?;
        if let Some(transport) = transport {
            self.0.lines().fix(&url, transport);
        }
        self.0.tell(Input::Command(Command::AddNode(url)));
        Ok(())
    }

    /// A node no longer to choose from.
    pub fn remove_node(&self, url: &str) {
        let url = NodeUrl(url.into());
        self.0.tell(Input::Command(Command::RemoveNode(url.clone())));
        self.0.lines().forget(&url);
    }

    /// All nodes, those that are in use first.
    pub(crate) fn nodes_to_ask(&self) -> Vec<NodeUrl> {
        let (open, others): (Vec<_>, Vec<_>) =
            self.nodes().into_iter().partition(|node| node.state == NodeState::Open);
        open.into_iter().chain(others).map(|node| node.url).collect()
    }

    /// Says goodbye and closes everything.
    pub fn close(&self) {
        self.0.tell(Input::Command(Command::Close));
    }

    pub(crate) fn still_open(&self) -> Result<(), HubError> {
        if self.0.is_closed().get() { Err(HubError::hub_closed()) } else { Ok(()) }
    }
}
