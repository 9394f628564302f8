//! Meeting other nodes: dialling them, and being dialled.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::gate::Signed;
use pigeonhub_node_core::rest::{self, Reply};
use pigeonhub_protocol::http_signature::{Request, decode_key};
use pigeonhub_protocol::mesh::{Leave, Meeting, NodeDescriptor};
use pigeonhub_protocol::{Code, raw_json};

use crate::Error;
use crate::clock::now;
use crate::host::Host;

/// How often it is looked up who is to be dialled.
const TICK: Duration = Duration::from_millis(100);
/// How long other nodes have to take note that this one leaves.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);

impl Host {
    /// Dials whoever is due, until the node stops.
    pub async fn keep_mesh(self: Arc<Self>) {
        while !self.is_stopping() {
            let due = self.mesh.membership().due(now());
            for url in due {
                tokio::spawn(Arc::clone(&self).dial(url));
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn dial(self: Arc<Self>, url: String) {
        let greeting = self.mesh.membership().greeting(&url, now());
        let met = self.meet(&url, &greeting).await;
        let at = self.clock.moment();
        match met {
            Ok(meeting) => {
                if let Err(impostor) = self.mesh_changes(|mesh| mesh.met(&url, meeting, at)) {
                    tracing::warn!(url, %impostor, "node is not met");
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
        let node = meeting.node.node_id.clone();
        let unauthorized = |error: &str| Reply::refuse_saying(Code::Unauthorized, error);
        let signed = signed.ok_or_else(|| Reply::refuse(Code::Unauthorized))?;
        let key = decode_key(&meeting.node.public_key).ok_or_else(|| unauthorized("publicKey is no key"))?;
        if signed.node().as_ref() != Some(&node) {
            return Err(Reply::refuse(Code::Forbidden));
        }
        self.mesh.gate.check(signed, &key, request, now()).map_err(unauthorized)?;
        if !signed.knows(self.mesh.gate.secret()) {
            return Err(unauthorized("the mesh's secret is missing or wrong"));
        }
        if !self.is_known(&meeting.node) {
            self.look_up(&meeting.node).await.map_err(|error| unauthorized(&error.to_string()))?;
        }
        let at = self.clock.moment();
        self.mesh_changes(|mesh| mesh.heard(meeting, at))
            .map_err(|impostor| Reply::refuse_saying(Code::Forbidden, &impostor.to_string()))?;
        let answer = self.mesh.membership().answer(&node, at.now);
        Ok(rest::meeting(&answer))
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
        let posts = nodes.iter().map(|(node, url)| {
            tokio::time::timeout(
                LEAVE_LIMIT,
                self.mesh.courier.post(url, "/api/leave", Some(node), leave.clone()),
            )
        });
        futures_util::future::join_all(posts).await;
    }
}

/// The JSON of a body.
fn json(body: &impl serde::Serialize) -> bytes::Bytes {
    String::from(Box::<str>::from(raw_json(body))).into()
}
