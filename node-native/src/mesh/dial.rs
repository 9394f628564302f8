//! Meeting other nodes: dialling them, and being dialled.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::gate::Signed;
use pigeonhub_node_core::rest::{self, Reply};
use pigeonhub_protocol::http_signature::{Request, decode_key};
use pigeonhub_protocol::mesh::{Leave, Meeting, NodeDescriptor};
use pigeonhub_protocol::{Code, NodeId, raw_json};

use crate::Error;
use crate::clock::{now, wall};
use crate::host::Host;

/// How often it is looked up who is to be dialled.
const TICK: Duration = Duration::from_millis(100);
/// How long other nodes have to take note that this one leaves.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);

impl Host {
    /// Dials whoever is due, until the node stops.
    pub async fn keep_mesh(self: Arc<Self>) {
        while !self.is_stopped() {
            let due = self.mesh.membership().due(now());
            for url in due {
                tokio::spawn(Arc::clone(&self).dial(url));
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn dial(self: Arc<Self>, url: String) {
        let greeting = self.mesh.membership().greeting(&url, wall());
        let met = match self.meet(&url, &greeting).await {
            Ok(meeting) => Ok((None, meeting)),
            Err(error) => {
                let met = self.meet_around(&url, &greeting, error).await;
                met.map(|(relay, meeting)| (Some(relay), meeting))
            }
        };
        let at = self.clock.moment();
        match met {
            Ok((relay, meeting)) => {
                let met = self.mesh_changes(|mesh| match &relay {
                    None => mesh.met(&url, meeting, at),
                    Some(relay) => mesh.met_via(&url, relay, meeting, at),
                });
                if let Err(impostor) = met {
                    tracing::warn!(url, %impostor, "node is not met");
                    if relay.is_some() {
                        self.mesh_moves(|mesh| mesh.failed(&url, at));
                    }
                }
            }
            Err(error) => {
                tracing::debug!(url, %error, "nobody met");
                self.mesh_moves(|mesh| mesh.failed(&url, at));
            }
        }
    }

    async fn meet(&self, url: &str, greeting: &Meeting) -> Result<Meeting, Error> {
        let answer = self.mesh.courier.post(url, "/api/meet", None, json(greeting)).await?;
        if !answer.knows_secret {
            return Err(Error::Refused { status: 200, body: "it does not know the mesh's secret".into() });
        }
        serde_json::from_slice(&answer.body).map_err(Error::Malformed)
    }

    /// A node met this one. If it is a stranger it is looked up at its own URL.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub async fn met_by(
        self: &Arc<Self>,
        meeting: Meeting,
        signed: Option<&Signed>,
        request: &Request<'_>,
    ) -> Result<Reply, Reply> {
        let signed = signed.ok_or_else(|| Reply::refuse(Code::Unauthorized))?;
        self.check_meeting(&meeting, signed, request)?;
        if !self.is_known(&meeting.node) {
            let looked_up = self.look_up(&meeting.node).await;
            looked_up.map_err(|error| Reply::refuse_saying(Code::Unauthorized, &error.to_string()))?;
        }
        self.welcome(meeting, None)
    }

    /// A node met this one through `relay`, which speaks for it if it is a stranger.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub(super) fn met_through(
        self: &Arc<Self>,
        relay: &NodeId,
        meeting: Meeting,
        signed: &Signed,
        request: &Request<'_>,
    ) -> Result<Reply, Reply> {
        self.check_meeting(&meeting, signed, request)?;
        self.welcome(meeting, Some(relay))
    }

    /// Whether the node that speaks holds the key that it names, and knows the mesh's secret.
    fn check_meeting(&self, meeting: &Meeting, signed: &Signed, request: &Request<'_>) -> Result<(), Reply> {
        let unauthorized = |error: &str| Reply::refuse_saying(Code::Unauthorized, error);
        let key = decode_key(&meeting.node.public_key).ok_or_else(|| unauthorized("publicKey is no key"))?;
        if signed.node().as_ref() != Some(&meeting.node.node_id) {
            return Err(Reply::refuse(Code::Forbidden));
        }
        self.mesh.gate.check(signed, &key, request, wall()).map_err(unauthorized)?;
        if !signed.knows(self.mesh.gate.secret()) {
            return Err(unauthorized("the mesh's secret is missing or wrong"));
        }
        Ok(())
    }

    fn welcome(self: &Arc<Self>, meeting: Meeting, relay: Option<&NodeId>) -> Result<Reply, Reply> {
        let (node, at) = (meeting.node.node_id.clone(), self.clock.moment());
        let heard = self.mesh_changes(|mesh| match relay {
            None => mesh.heard(meeting, at),
            Some(relay) => mesh.heard_via(relay, meeting, at),
        });
        heard.map_err(|impostor| Reply::refuse_saying(Code::Forbidden, &impostor.to_string()))?;
        Ok(rest::meeting(&self.mesh.membership().answer(&node, wall())))
    }

    fn is_known(&self, node: &NodeDescriptor) -> bool {
        let membership = self.mesh.membership();
        let known = membership.find(&node.node_id).and_then(|contact| contact.descriptor.as_ref());
        known.is_some_and(|known| known.public_key == node.public_key)
    }

    /// Finds out whether the node at that URL is the one that met us.
    async fn look_up(&self, claimed: &NodeDescriptor) -> Result<(), Error> {
        // The semaphore is never closed.
        let _permit = self.mesh.strangers.acquire().await;
        let url = claimed.http_url();
        if !pigeonhub_protocol::mesh::is_node_url(&url) {
            return Err(Error::Unreachable(format!("{url} is no URL of a node")));
        }
        let found = self.mesh.courier.get(&url, "/api/node").await?;
        let found: NodeDescriptor = serde_json::from_slice(&found).map_err(Error::Malformed)?;
        if found.node_id == claimed.node_id && found.public_key == claimed.public_key {
            Ok(())
        } else {
            Err(Error::Unreachable(format!("{url} is another node")))
        }
    }

    /// Tells the other nodes that this one stops.
    pub async fn leave_mesh(&self) {
        let leave = json(&Leave { node_id: self.node.id.clone() });
        let nodes = self.mesh.up();
        let posts = nodes
            .iter()
            .map(|node| tokio::time::timeout(LEAVE_LIMIT, self.post_to(node, "/api/leave", leave.clone())));
        futures_util::future::join_all(posts).await;
    }
}

/// The JSON of a body.
pub(super) fn json(body: &impl serde::Serialize) -> bytes::Bytes {
    String::from(Box::<str>::from(raw_json(body))).into()
}
