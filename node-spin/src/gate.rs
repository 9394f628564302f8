//! Requests of other nodes: which node signed this one?

use pigeonhub_node_core::gate::{Secret, Signed, authority};
use pigeonhub_node_core::relay;
use pigeonhub_node_core::rest::Reply;
use pigeonhub_protocol::http_signature::{Request as Signable, decode_key};
use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor, Relayed};
use pigeonhub_protocol::{Code, NodeId};

use crate::clock::now;
use crate::host::{Host, StoreError};
use crate::request::Request;

impl Host {
    /// The known node that signed the request; `None` if it does not say that it is signed.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub async fn signer(&self, request: &Request) -> Result<Result<Option<NodeId>, Reply>, StoreError> {
        let Some(signed) = signed(request) else { return Ok(Ok(None)) };
        let signed = match signed {
            Ok(signed) => signed,
            Err(code) => return Ok(Err(Reply::refuse(code))),
        };
        let known = signed.node().and_then(|node| self.mesh.find(&node)).and_then(|c| c.descriptor.clone());
        let Some(descriptor) = known else {
            return Ok(Err(Reply::refuse_saying(Code::Unauthorized, "this node is not known here")));
        };
        let checked = self.check(&signed, &descriptor, request).await?;
        Ok(checked.map(|()| Some(descriptor.node_id)))
    }

    /// Whether the meeting is of the node that it says; a stranger is looked up at its own URL.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub async fn met_by(
        &self,
        meeting: &Meeting,
        request: &Request,
    ) -> Result<Result<Signed, Reply>, StoreError> {
        let unauthorized = |error: &str| Ok(Err(Reply::refuse_saying(Code::Unauthorized, error)));
        let Some(Ok(signed)) = signed(request) else { return Ok(Err(Reply::refuse(Code::Unauthorized))) };
        let node = &meeting.node;
        if signed.node().as_ref() != Some(&node.node_id) {
            return Ok(Err(Reply::refuse(Code::Forbidden)));
        }
        if let Err(reply) = self.check(&signed, node, request).await? {
            return Ok(Err(reply));
        }
        if !signed.knows(Secret::new(self.settings.mesh_secret.as_deref()).as_ref()) {
            return unauthorized("the mesh's secret is missing or wrong");
        }
        let same =
            |other: &NodeDescriptor| other.node_id == node.node_id && other.public_key == node.public_key;
        let known = self.mesh.find(&node.node_id).and_then(|contact| contact.descriptor.as_ref());
        if !known.is_some_and(same) {
            let url = node.http_url();
            if !pigeonhub_protocol::mesh::is_node_url(&url) {
                return unauthorized("that is no URL of a node");
            }
            let found = self.get(&url, "/api/node").await.ok();
            let found = found.and_then(|body| serde_json::from_slice::<NodeDescriptor>(&body).ok());
            if !found.as_ref().is_some_and(same) {
                return unauthorized("the node was not found at its own URL");
            }
        }
        Ok(Ok(signed))
    }

    /// Whether the node `of` signed what another one brought.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub async fn check_relayed(
        &self,
        signed: &Signed,
        of: &NodeDescriptor,
        relayed: &Relayed,
    ) -> Result<Result<(), Reply>, StoreError> {
        let checked = relay::signed(relayed, |signable| self.holds(signed, of, signable));
        self.check_once(signed, checked).await
    }

    async fn check(
        &self,
        signed: &Signed,
        of: &NodeDescriptor,
        request: &Request,
    ) -> Result<Result<(), Reply>, StoreError> {
        let signable = Signable {
            method: &request.method,
            authority: &request.authority,
            path: &request.path,
            query: &request.query,
            body: &request.body,
        };
        self.check_once(signed, self.holds(signed, of, &signable)).await
    }

    fn holds(
        &self,
        signed: &Signed,
        of: &NodeDescriptor,
        signable: &Signable<'_>,
    ) -> Result<(), &'static str> {
        let key = decode_key(&of.public_key).ok_or("publicKey is no key")?;
        let names = [authority(&self.mesh.own().u)];
        signed.check(&key, signable, &self.node.id, &names, now())
    }

    async fn check_once(
        &self,
        signed: &Signed,
        checked: Result<(), &'static str>,
    ) -> Result<Result<(), Reply>, StoreError> {
        let checked = match checked {
            Ok(()) if !self.store.once(&signed.once(), signed.until()).await? => {
                Err("the request was seen before")
            }
            checked => checked,
        };
        Ok(checked.map_err(|error| Reply::refuse_saying(Code::Unauthorized, error)))
    }
}

fn signed(request: &Request) -> Option<Result<Signed, Code>> {
    Signed::read(|name| request.header(name).map(str::to_owned))
}
