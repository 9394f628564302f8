//! What goes back over HTTP.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use pigeonhub_protocol::Code;
use serde::Serialize;

/// An answer: always JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Headers besides `content-type`.
    pub headers: Vec<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    code: Code,
}

#[derive(Serialize)]
struct Full<'a> {
    error: &'a str,
    code: Code,
    nodes: Vec<&'a str>,
}

/// What cannot be done now may be tried again after a second.
const RETRY: (&str, &str) = ("retry-after", "1");

impl Reply {
    /// 200.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        // Our bodies have string keys and finite numbers only, so this cannot fail.
        Self { status: 200, body: serde_json::to_string(body).unwrap_or_default(), headers: Vec::new() }
    }

    /// A refusal: `{error, code}` with the status that goes with the code.
    #[must_use]
    pub fn refuse(code: Code) -> Self {
        Self::refuse_saying(code, code.text())
    }

    /// A refusal in other words.
    #[must_use]
    pub fn refuse_saying(code: Code, error: &str) -> Self {
        Self::refuse_with(code, &Refused { error, code })
    }

    /// The node takes nobody in, as it is full ([`Code::NodeFull`]) or about to stop
    /// ([`Code::Draining`]); these others may.
    #[must_use]
    pub fn elsewhere<'a>(code: Code, others: impl Iterator<Item = &'a str>) -> Self {
        Self::refuse_with(code, &Full { error: code.text(), code, nodes: others.collect() })
    }

    pub(super) fn refuse_with(code: Code, body: &impl Serialize) -> Self {
        let status = status(code);
        let headers = if matches!(status, 429 | 503) { alloc::vec![RETRY] } else { Vec::new() };
        Self { status, headers, ..Self::ok(body) }
    }

    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let code = if error.is_data() { Code::InvalidRequest } else { Code::MalformedJson };
        Self::refuse_saying(code, &error.to_string())
    }

    pub(super) fn invalid(error: &str) -> Self {
        Self::refuse_saying(Code::InvalidRequest, error)
    }

    /// 405, with the methods that are allowed.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self { headers: alloc::vec![("allow", allow)], ..Self::refuse(Code::MethodNotAllowed) }
    }
}

const fn status(code: Code) -> u16 {
    match code {
        Code::Unauthorized | Code::TicketInvalid | Code::TicketExpired => 401,
        Code::AlreadyConnected | Code::RecordStale => 409,
        Code::Forbidden | Code::Unverified => 403,
        Code::NotFound | Code::PeerUnavailable => 404,
        Code::MethodNotAllowed => 405,
        Code::MessageTooLarge | Code::ProfileTooLarge => 413,
        Code::RateLimited => 429,
        Code::NodeUnreachable => 502,
        Code::Unavailable | Code::MailboxFull | Code::NodeFull | Code::Draining | Code::NotReplicated => 503,
        Code::QuotaExceeded => 507,
        Code::MalformedJson
        | Code::MalformedMessage
        | Code::UnknownType
        | Code::BinaryFrame
        | Code::TargetMissing
        | Code::TargetInvalid
        | Code::TargetSelf
        | Code::NotAnnounced
        | Code::NotRouted
        | Code::InvalidRequest
        | Code::SignatureInvalid
        | Code::RecordExpired => 400,
    }
}
