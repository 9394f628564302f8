//! Error codes: what programs read. The text beside a code is for people.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why something was refused. The wire form is the kebab-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The text is not JSON.
    MalformedJson,
    /// JSON, but not a message: a field is missing or of the wrong type.
    MalformedMessage,
    /// No node knows this `type`.
    UnknownType,
    /// Binary frames carry nothing here.
    BinaryFrame,
    /// Larger than the limit.
    MessageTooLarge,
    /// The announce's `data` is larger than the limit.
    ProfileTooLarge,
    /// An addressed message without `targetPeerId`.
    TargetMissing,
    /// `targetPeerId` is no peer id.
    TargetInvalid,
    /// A message to oneself.
    TargetSelf,
    /// The sender has not announced itself.
    NotAnnounced,
    /// No node knows the target in the sender's network, or it did not come back in time.
    PeerUnavailable,
    /// The target's node did not answer.
    NodeUnreachable,
    /// Too much waits for the target already.
    MailboxFull,
    /// Too many messages in too short a time.
    RateLimited,
    /// A kind of message that nodes do not pass on.
    NotRouted,
    /// The node (or its store) cannot do it now.
    Unavailable,
    /// HTTP: the node has as many streams as it can bear.
    NodeFull,
    /// HTTP: the node is about to stop.
    Draining,
    /// HTTP: the ticket is not one that this node sealed.
    TicketInvalid,
    /// HTTP: the ticket's time is over.
    TicketExpired,
    /// HTTP: the peer has a live session at this node.
    AlreadyConnected,
    /// HTTP: the signature is not of that key and content.
    SignatureInvalid,
    /// HTTP: the record's time is over, or has not come yet.
    RecordExpired,
    /// HTTP: a newer record of the same publisher is kept already.
    RecordStale,
    /// HTTP: the topic, the publisher or the node has as many records as it may.
    QuotaExceeded,
    /// HTTP: kept here, but not by as many nodes as were asked for.
    NotReplicated,
    /// Who said it did not prove who it is.
    Unverified,
    /// HTTP: no such route.
    NotFound,
    /// HTTP: the route exists, for another method.
    MethodNotAllowed,
    /// HTTP: a query parameter or body field is not valid.
    InvalidRequest,
    /// HTTP: the request is not proven to come from a node of the mesh.
    Unauthorized,
    /// HTTP: proven, but not allowed to say this.
    Forbidden,
}

impl Code {
    const ALL: [Self; 32] = [
        Self::MalformedJson,
        Self::MalformedMessage,
        Self::UnknownType,
        Self::BinaryFrame,
        Self::MessageTooLarge,
        Self::ProfileTooLarge,
        Self::TargetMissing,
        Self::TargetInvalid,
        Self::TargetSelf,
        Self::NotAnnounced,
        Self::PeerUnavailable,
        Self::NodeUnreachable,
        Self::MailboxFull,
        Self::RateLimited,
        Self::NotRouted,
        Self::Unavailable,
        Self::TicketInvalid,
        Self::TicketExpired,
        Self::AlreadyConnected,
        Self::NodeFull,
        Self::SignatureInvalid,
        Self::RecordExpired,
        Self::RecordStale,
        Self::QuotaExceeded,
        Self::NotReplicated,
        Self::Draining,
        Self::Unverified,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::InvalidRequest,
        Self::Unauthorized,
        Self::Forbidden,
    ];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed-json",
            Self::MalformedMessage => "malformed-message",
            Self::UnknownType => "unknown-type",
            Self::BinaryFrame => "binary-frame",
            Self::MessageTooLarge => "message-too-large",
            Self::ProfileTooLarge => "profile-too-large",
            Self::TargetMissing => "target-missing",
            Self::TargetInvalid => "target-invalid",
            Self::TargetSelf => "target-self",
            Self::NotAnnounced => "not-announced",
            Self::PeerUnavailable => "peer-unavailable",
            Self::NodeUnreachable => "node-unreachable",
            Self::MailboxFull => "mailbox-full",
            Self::RateLimited => "rate-limited",
            Self::NotRouted => "not-routed",
            Self::Unavailable => "unavailable",
            Self::NodeFull => "node-full",
            Self::Draining => "draining",
            Self::TicketInvalid => "ticket-invalid",
            Self::TicketExpired => "ticket-expired",
            Self::AlreadyConnected => "already-connected",
            Self::SignatureInvalid => "signature-invalid",
            Self::RecordExpired => "record-expired",
            Self::RecordStale => "record-stale",
            Self::QuotaExceeded => "quota-exceeded",
            Self::NotReplicated => "not-replicated",
            Self::Unverified => "unverified",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::InvalidRequest => "invalid-request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::MalformedJson => "the message is not JSON",
            Self::MalformedMessage => "the message lacks a field or has one of the wrong type",
            Self::UnknownType => "unknown message type",
            Self::BinaryFrame => "binary frames are not understood; send JSON text",
            Self::MessageTooLarge => "the message is larger than the limit",
            Self::ProfileTooLarge => "the data of an announce is larger than the limit",
            Self::TargetMissing => "targetPeerId is missing",
            Self::TargetInvalid => "targetPeerId is not 40 hexadecimal digits",
            Self::TargetSelf => "a peer cannot signal to itself",
            Self::NotAnnounced => "announce before signaling",
            Self::PeerUnavailable => "Target peer not found in this network",
            Self::NodeUnreachable => "the node of the target peer did not answer",
            Self::MailboxFull => "too much waits for the target peer already",
            Self::RateLimited => "too many messages",
            Self::NotRouted => "this kind of message is not passed on",
            Self::Unavailable => "the node cannot do this now",
            Self::Draining => "this node is about to stop; try another one",
            Self::NodeFull => "this node has no room for another stream; try another one",
            Self::TicketInvalid => "the ticket is not one of this node",
            Self::TicketExpired => "the ticket's time is over",
            Self::AlreadyConnected => "Peer already connected",
            Self::SignatureInvalid => "the signature does not match key and content",
            Self::RecordExpired => "the record's time is over, or has not come yet",
            Self::RecordStale => "a newer record of this publisher is kept already",
            Self::QuotaExceeded => "there are as many records of this topic or publisher as there may be",
            Self::NotReplicated => "kept here, but not by as many nodes as were asked for",
            Self::Unverified => "the sender did not prove who it is",
            Self::NotFound => "no such route",
            Self::MethodNotAllowed => "this route does not take this method",
            Self::InvalidRequest => "the request is not valid",
            Self::Unauthorized => "the request is not proven to come from a node of the mesh",
            Self::Forbidden => "this node may not say that",
        }
    }
}

/// A text that is no code of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
