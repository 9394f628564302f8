//! Ways around a cut: posting to a node through another one, and passing on what others post.

use std::time::Instant;

use futures_util::future::{FutureExt, ready};
use pigeonhub_node_core::gate::{Secret, Signed};
use pigeonhub_node_core::relay::{self, Seal};
use pigeonhub_node_core::rest::{self, Call, Reply};
use pigeonhub_node_core::{Detour, Passage, Way};
use pigeonhub_protocol::http_signature::decode_key;
use pigeonhub_protocol::mesh::{Meeting, Relayed, RelayedAnswer};
use pigeonhub_protocol::{Code, NodeId};

use crate::clock::{self, moment, now};
use crate::host::{Host, StoreError};
use crate::outbound::{Failure, Posting};

/// Posting.
impl Host {
    /// Posts JSON to a node on the way on which it is reached now, and waits for its answer until
    /// `end`. What waits borrows nothing.
    pub fn post_to(&self, node: &NodeId, path: &str, body: Vec<u8>, end: Instant) -> Posting {
        match self.mesh.way(node) {
            None => ready(Err(Failure::Silent)).boxed_local(),
            Some(Way::Direct(url)) => self.post(&url, path, Some(node), body, end),
            Some(Way::Via { detour, public_key }) => {
                let posting = self.post_via(&detour, path, &body, end);
                let secret = self.secret();
                async move {
                    let (relayed, answer) = posting.await?;
                    let key = decode_key(&public_key).ok_or(Failure::Silent)?;
                    let opened = relay::opened(&relayed, answer, &key, secret.as_ref());
                    match opened.ok_or(Failure::Silent)? {
                        (200, body) => Ok(body.get().as_bytes().to_vec()),
                        (401, _) => Err(Failure::Unknown),
                        _ => Err(Failure::Refused),
                    }
                }
                .boxed_local()
            }
        }
    }

    /// Meets a node that did not answer at its URL through those that may reach it.
    pub async fn meet_around(&self, url: &str, greeting: &Meeting) -> Option<(NodeId, Meeting)> {
        let body = serde_json::to_vec(greeting).ok()?;
        for detour in self.mesh.detours(url) {
            let met = self.post_via(&detour, "/api/meet", &body, self.patience()).await.ok();
            let met = met.and_then(|(relayed, answer)| relay::met(&relayed, answer, self.secret().as_ref()));
            if let Some(meeting) = met {
                return Some((detour.relay, meeting));
            }
        }
        None
    }

    fn post_via(
        &self,
        detour: &Detour,
        path: &str,
        body: &[u8],
        end: Instant,
    ) -> impl Future<Output = Result<(Relayed, RelayedAnswer), Failure>> + use<> {
        let nonce = format!("{:032x}", u128::from_le_bytes(clock::random()));
        let secret = self.secret();
        let relayed = self.seal(secret.as_ref()).wrap(&detour.node, path, body, now().0 / 1000, &nonce);
        let posting = relayed.map(|relayed| {
            let body = serde_json::to_vec(&relayed).unwrap_or_default();
            let posting = self.post(&detour.url, "/api/relay", Some(&detour.relay), body, end);
            (relayed, posting)
        });
        async move {
            let (relayed, posting) = posting.ok_or(Failure::Silent)?;
            // Whatever it is that the other one does not do: there is no way through it.
            let answer = posting.await.map_err(|_| Failure::Silent)?;
            Ok((relayed, serde_json::from_slice(&answer).map_err(|_| Failure::Silent)?))
        }
    }

    fn secret(&self) -> Option<Secret> {
        Secret::new(self.settings.mesh_secret.as_deref())
    }

    const fn seal<'a>(&'a self, secret: Option<&'a Secret>) -> Seal<'a> {
        Seal { key: &self.key, node: &self.node.id, secret }
    }
}

/// Passing on.
impl Host {
    /// `POST /api/relay`
    pub async fn relay(&mut self, by: &NodeId, relayed: &Relayed) -> Result<Reply, StoreError> {
        Ok(match self.mesh.passage(by, relayed) {
            Err(code) => Reply::refuse(code),
            Ok(Passage::Here) => {
                let reply = self.relayed(by, relayed).await?.unwrap_or_else(|refusal| refusal);
                self.seal(self.secret().as_ref()).answer(relayed, reply)
            }
            Ok(Passage::On(url)) => {
                let body = serde_json::to_vec(relayed).unwrap_or_default();
                let answer = self.post(&url, "/api/relay", Some(&relayed.to), body, self.patience()).await;
                match answer.ok().and_then(|answer| String::from_utf8(answer).ok()) {
                    Some(body) => Reply { status: 200, body, headers: Vec::new() },
                    None => Reply::refuse(Code::NodeUnreachable),
                }
            }
        })
    }

    /// Another node says something through `by`: as if it came by itself.
    async fn relayed(&mut self, by: &NodeId, relayed: &Relayed) -> Result<Result<Reply, Reply>, StoreError> {
        let signed = match Signed::of(&relayed.proof) {
            Ok(signed) => signed,
            Err(code) => return Ok(Err(Reply::refuse(code))),
        };
        let call = |node| {
            rest::route(&rest::Request {
                method: "POST",
                path: &relayed.path,
                query: "",
                body: relayed.body.get().as_bytes(),
                node,
            })
        };
        if relayed.path == "/api/meet" {
            return match call(None) {
                Ok(Call::Meet(meeting)) => self.met_through(by, &meeting, &signed, relayed).await,
                Ok(_) => Ok(Err(Reply::refuse(Code::NotFound))),
                Err(refusal) => Ok(Err(refusal)),
            };
        }
        let known = signed.node().and_then(|node| self.mesh.find(&node)).and_then(|c| c.descriptor.clone());
        let Some(known) = known else { return Ok(Err(Reply::refuse(Code::Unauthorized))) };
        if let Err(refusal) = self.check_relayed(&signed, &known, relayed).await? {
            return Ok(Err(refusal));
        }
        match call(Some(&known.node_id)) {
            // Boxed, as a call may be one that was relayed.
            Ok(call) => Box::pin(self.call(call)).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// A node met this one through `relay`, which speaks for it if it is a stranger.
    async fn met_through(
        &mut self,
        relay: &NodeId,
        meeting: &Meeting,
        signed: &Signed,
        relayed: &Relayed,
    ) -> Result<Result<Reply, Reply>, StoreError> {
        if signed.node().as_ref() != Some(&meeting.node.node_id) {
            return Ok(Err(Reply::refuse(Code::Forbidden)));
        }
        if let Err(refusal) = self.check_relayed(signed, &meeting.node, relayed).await? {
            return Ok(Err(refusal));
        }
        if !signed.knows(self.secret().as_ref()) {
            let error = "the mesh's secret is missing or wrong";
            return Ok(Err(Reply::refuse_saying(Code::Unauthorized, error)));
        }
        let at = moment();
        let heard = self.change_mesh(|mesh| mesh.heard_via(relay, meeting.clone(), at)).await?;
        let changes = match heard {
            Ok(changes) => changes,
            Err(impostor) => {
                return Ok(Err(Reply::refuse_saying(Code::Forbidden, &impostor.to_string())));
            }
        };
        self.follow(changes).await?;
        Ok(Ok(rest::meeting(&self.mesh.answer(&meeting.node.node_id, at.now))))
    }
}
