//! Ways around a cut: posting to a node through another one, and passing on what others post.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::select_ok;
use pigeonhub_node_core::gate::Signed;
use pigeonhub_node_core::relay::{self, Seal};
use pigeonhub_node_core::rest::{self, Call, Reply};
use pigeonhub_node_core::{Detour, Passage, Way};
use pigeonhub_protocol::http_signature::decode_key;
use pigeonhub_protocol::mesh::{Meeting, Relayed, RelayedAnswer};
use pigeonhub_protocol::{Code, NodeId};

use super::dial::json;
use crate::clock::{now, wall};
use crate::host::Host;
use crate::pace::Verdict;
use crate::{Error, http};

/// A node that does not let anything through.
fn blocked(reason: &str) -> Error {
    Error::Unreachable(reason.into())
}

/// Posting.
impl Host {
    /// Posts JSON to a node on the way on which it is reached now, and gives the answer.
    pub(crate) async fn post_to(&self, node: &NodeId, path: &str, body: Bytes) -> Result<Vec<u8>, Error> {
        let way = self.mesh.membership().way(node);
        match way.ok_or_else(|| blocked("there is no way to the node"))? {
            Way::Direct(url) => {
                let answer = self.mesh.courier.post(&url, path, Some(node), body).await?;
                Ok(answer.body)
            }
            Way::Via { detour, public_key } => {
                let (relayed, answer) = self.post_via(&detour, path, &body).await?;
                let key = decode_key(&public_key).ok_or_else(|| blocked("the node has no key"))?;
                let opened = relay::opened(&relayed, answer, &key, self.mesh.gate.secret());
                let (status, body) = opened.ok_or_else(|| blocked("the answer is not of that node"))?;
                let body = body.get();
                match status {
                    200 => Ok(body.as_bytes().to_vec()),
                    _ => Err(Error::Refused { status, body: body.chars().take(200).collect() }),
                }
            }
        }
    }

    /// Meets a node that did not answer at its URL through those that may reach it, the first of
    /// which counts.
    pub(super) async fn meet_around(
        &self,
        url: &str,
        greeting: &Meeting,
        error: Error,
    ) -> Result<(NodeId, Meeting), Error> {
        let (detours, body) = (self.mesh.membership().detours(url), json(greeting));
        if detours.is_empty() {
            return Err(error);
        }
        let meet = async |detour: &Detour| {
            let (relayed, answer) = self.post_via(detour, "/api/meet", &body).await?;
            let met = relay::met(&relayed, answer, self.mesh.gate.secret());
            let meeting = met.ok_or_else(|| blocked("the answer is not of that node"))?;
            Ok((detour.relay.clone(), meeting))
        };
        select_ok(detours.iter().map(|detour| Box::pin(meet(detour)))).await.map(|(met, _)| met)
    }

    async fn post_via(
        &self,
        detour: &Detour,
        path: &str,
        body: &[u8],
    ) -> Result<(Relayed, RelayedAnswer), Error> {
        let courier = &self.mesh.courier;
        let relayed = self.seal().wrap(&detour.node, path, body, wall().0 / 1000, &courier.nonce());
        let relayed = relayed.ok_or_else(|| blocked("the body is no JSON"))?;
        let answer = courier.post(&detour.url, "/api/relay", Some(&detour.relay), json(&relayed)).await;
        let answer = answer.map_err(|error| blocked(&format!("{} does not help: {error}", detour.relay)))?;
        Ok((relayed, serde_json::from_slice(&answer.body).map_err(Error::Malformed)?))
    }

    fn seal(&self) -> Seal<'_> {
        Seal { key: self.mesh.courier.key(), node: &self.node.id, secret: self.mesh.gate.secret() }
    }
}

/// Passing on.
impl Host {
    /// `POST /api/relay`
    pub(crate) async fn relay(self: &Arc<Self>, by: &NodeId, relayed: &Relayed) -> Reply {
        let passage = self.mesh.membership().passage(by, relayed);
        match passage {
            Err(code) => Reply::refuse(code),
            Ok(Passage::Here) => {
                let reply = self.relayed(by, relayed).await.unwrap_or_else(|refusal| refusal);
                self.seal().answer(relayed, reply)
            }
            Ok(Passage::On(url)) => match self.mesh.link(by).map(|link| link.pace.lock().count(now())) {
                Some(Verdict::Pass) => self.pass_on(&url, relayed).await,
                _ => Reply::refuse(Code::RateLimited),
            },
        }
    }

    async fn pass_on(self: &Arc<Self>, url: &str, relayed: &Relayed) -> Reply {
        let Ok(_permit) = self.mesh.relays.try_acquire() else { return Reply::refuse(Code::Unavailable) };
        match self.mesh.courier.post(url, "/api/relay", Some(&relayed.to), json(relayed)).await {
            Ok(answer) => match String::from_utf8(answer.body) {
                Ok(body) => Reply { status: 200, body, headers: Vec::new() },
                Err(_) => Reply::refuse(Code::NodeUnreachable),
            },
            Err(error) => {
                tracing::debug!(to = %relayed.to, path = relayed.path, %error, "not passed on");
                Reply::refuse(Code::NodeUnreachable)
            }
        }
    }

    /// Another node says something through `by`: as if it came by itself.
    async fn relayed(self: &Arc<Self>, by: &NodeId, relayed: &Relayed) -> Result<Reply, Reply> {
        let signed = Signed::of(&relayed.proof).map_err(Reply::refuse)?;
        let is_meeting = relayed.path == "/api/meet";
        let signer = || relay::signed(relayed, |request| http::signer(self, &signed, request));
        let node = if is_meeting { Ok(None) } else { signer().map(Some) };
        let node = node.map_err(|error| Reply::refuse_saying(Code::Unauthorized, error))?;
        let call = rest::route(&rest::Request {
            method: "POST",
            path: &relayed.path,
            query: "",
            body: relayed.body.get().as_bytes(),
            node: node.as_ref(),
        })?;
        match call {
            Call::Meet(meeting) => {
                relay::signed(relayed, |request| self.met_through(by, meeting, &signed, request))
            }
            call => Ok(self.call(call).await),
        }
    }
}
