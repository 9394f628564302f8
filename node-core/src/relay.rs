//! Requests that another node passes on: wrapped, unwrapped, answered, and the answer checked.

use alloc::format;
use alloc::string::{String, ToString};

use pigeonhub_protocol::http_signature::{
    Answered, Headers, Request, SigningKey, VerifyingKey, decode_key, sign, sign_answer, verify_answer,
};
use pigeonhub_protocol::mesh::{Meeting, Proof, Relayed, RelayedAnswer};
use pigeonhub_protocol::{Code, NodeId, RawJson};
use serde_json::value::RawValue;

use crate::gate::Secret;
use crate::rest::Reply;

/// What signs for a node.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// Its key.
    pub key: &'a SigningKey,
    /// Its id.
    pub node: &'a NodeId,
    /// The mesh's secret, if there is one.
    pub secret: Option<&'a Secret>,
}

impl Seal<'_> {
    /// A request for `to`, to be given to another node. `created` is in seconds since the epoch,
    /// `nonce` is new. `None` if the body is no JSON.
    #[must_use]
    pub fn wrap(&self, to: &NodeId, path: &str, body: &[u8], created: u64, nonce: &str) -> Option<Relayed> {
        let body: RawJson = serde_json::from_slice(body).ok()?;
        let query = query(to);
        let headers = sign(self.key, self.node.as_str(), &request(to, path, &query, &body), created, nonce);
        let proof = self.proof(headers, "request", None);
        Some(Relayed { to: to.clone(), path: path.to_string(), proof, body })
    }

    /// The answer of this node to a relayed request.
    #[must_use]
    pub fn answer(&self, relayed: &Relayed, reply: Reply) -> Reply {
        let Reply { status, body, .. } = reply;
        let request = &relayed.proof.signature;
        let answered = Answered { request, status, body: body.as_bytes() };
        let headers = sign_answer(self.key, self.node.as_str(), &answered);
        let proof = self.proof(headers, "answer", Some(request));
        match RawValue::from_string(body) {
            Ok(body) => Reply::ok(&RelayedAnswer { status, proof, body }),
            Err(_) => Reply::refuse(Code::Unavailable),
        }
    }

    /// `of` is the signature that the secret vouches for; by default the one in `headers`.
    fn proof(&self, headers: Headers, role: &str, of: Option<&str>) -> Proof {
        let Headers { content_digest, signature_input, signature } = headers;
        let secret = self.secret.map(|secret| secret.prove(role, of.unwrap_or(&signature)));
        Proof { content_digest, signature_input, signature, secret }
    }
}

fn query(to: &NodeId) -> String {
    format!("?to={to}")
}

fn request<'a>(to: &'a NodeId, path: &'a str, query: &'a str, body: &'a RawJson) -> Request<'a> {
    Request { method: "POST", authority: to.as_str(), path, query, body: body.get().as_bytes() }
}

/// What its sender signed of a relayed request, as [`crate::gate`] wants to see it.
pub fn signed<T>(relayed: &Relayed, look: impl FnOnce(&Request<'_>) -> T) -> T {
    look(&request(&relayed.to, &relayed.path, &query(&relayed.to), &relayed.body))
}

/// The body of the answer to a relayed request, and its status; `None` unless the holder of `key`
/// gave it, who has to know the mesh's secret.
#[must_use]
pub fn opened(
    relayed: &Relayed,
    answer: RelayedAnswer,
    key: &VerifyingKey,
    secret: Option<&Secret>,
) -> Option<(u16, RawJson)> {
    let RelayedAnswer { status, proof, body } = answer;
    let Proof { content_digest, signature_input, signature, secret: proven } = proof;
    let request = &relayed.proof.signature;
    let headers = Headers { content_digest, signature_input, signature };
    let answered = Answered { request, status, body: body.get().as_bytes() };
    verify_answer(&headers, key, relayed.to.as_str(), &answered).ok()?;
    let knows = |secret: &Secret| secret.is_proven("answer", request, proven.as_deref());
    secret.is_none_or(knows).then_some((status, body))
}

/// The meeting that answers a relayed one, signed with the key that it names.
#[must_use]
pub fn met(relayed: &Relayed, answer: RelayedAnswer, secret: Option<&Secret>) -> Option<Meeting> {
    let meeting: Meeting = serde_json::from_str(answer.body.get()).ok()?;
    let key = decode_key(&meeting.node.public_key)?;
    let (status, _) = opened(relayed, answer, &key, secret)?;
    (status == 200 && meeting.node.node_id == relayed.to).then_some(meeting)
}
