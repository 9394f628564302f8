//! What a node says to a peer: one JSON object in one text frame.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Code, Fields, Frame, Millis, NetworkName, NodeId, PeerId, RawJson, Signal, SignalKind, Ticket};

/// A message from a node.
#[derive(Clone, Debug)]
pub enum NodeMessage {
    /// `connected`: the greeting, once, before anything else.
    Connected {
        /// The receiver's id, as the node understood it.
        peer: PeerId,
        /// The node.
        node: NodeId,
        /// For the peer's next socket with this node, if it asked for one.
        ticket: Option<Ticket>,
    },
    /// `peer-discovered`: `peer` is in the receiver's network and can be reached.
    Discovered {
        /// The other peer.
        peer: PeerId,
        /// The node at which it is.
        node: NodeId,
        /// The network of both.
        network: NetworkName,
        /// The JSON object of its announce.
        profile: RawJson,
    },
    /// `peer-disconnected`: `peer` lost its last node. Connections to it may well live on.
    Departed {
        /// The other peer.
        peer: PeerId,
        /// The network of both.
        network: NetworkName,
    },
    /// `goodbye`: `from` left on purpose.
    Goodbye {
        /// The peer that left.
        from: PeerId,
        /// The network of both.
        network: NetworkName,
        /// What it said.
        data: RawJson,
    },
    /// A signal from another peer.
    Signal(Signal),
    /// `pong`.
    Pong {
        /// The receiver.
        peer: PeerId,
    },
    /// `error`: something that the receiver sent was refused or could not be delivered.
    Error(Refusal),
}

/// What an `error` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    #[serde(rename = "error")]
    pub text: String,
    /// The `type` of the message that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_type: Option<String>,
    /// Its target.
    #[serde(default, rename = "targetPeerId", skip_serializing_if = "Option::is_none")]
    pub target: Option<PeerId>,
    /// Its `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<crate::MessageId>,
}

impl Refusal {
    /// A refusal of something of this `type`.
    #[must_use]
    pub fn new(code: Code, original_type: Option<String>) -> Self {
        Self { code, text: code.text().into(), original_type, target: None, id: None }
    }

    /// A refusal of this signal.
    #[must_use]
    pub fn of_signal(code: Code, signal: &Signal) -> Self {
        Self {
            target: Some(signal.target),
            id: signal.id.clone(),
            ..Self::new(code, Some(signal.kind.as_str().into()))
        }
    }
}

/// A frame that is no message of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseNodeMessageError {
    /// Not JSON, or a field is missing or wrong.
    Malformed,
    /// A `type` that this version does not know; to be ignored.
    UnknownType,
}

impl fmt::Display for ParseNodeMessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a message of a node",
            Self::UnknownType => "a type of message that this version does not know",
        })
    }
}

impl core::error::Error for ParseNodeMessageError {}

impl NodeMessage {
    /// Writes the frame, stamped with the time. It names no receiver (`targetPeerId`) unless it is
    /// addressed, so that one frame serves all who are told.
    #[must_use]
    pub fn frame(&self, now: Millis) -> Frame {
        let timestamp = now.0;
        match self {
            Self::Connected { peer, node, ticket } => {
                let ticket = ticket.as_ref().map(|ticket| format!(r#","ticket":"{ticket}""#)).unwrap_or_default();
                format!(
                    r#"{{"type":"connected","peerId":"{peer}","data":{{"peerId":"{peer}","nodeId":"{node}"{ticket}}},"fromPeerId":"system","targetPeerId":"{peer}","timestamp":{timestamp}}}"#,
                )
                .into()
            }
            Self::Discovered { peer, node, network, profile } => {
                // The fields that only a node may write come last, so that they win.
                let free = profile.get().trim_end();
                let free = free.strip_suffix('}').unwrap_or("{").trim_end();
                let comma = if free.len() > 1 { "," } else { "" };
                let network = quoted(network);
                format!(
                    r#"{{"type":"peer-discovered","data":{free}{comma}"peerId":"{peer}","isHub":false,"nodeId":"{node}"}},"networkName":{network},"fromPeerId":"system","timestamp":{timestamp}}}"#,
                )
                .into()
            }
            Self::Departed { peer, network } => {
                let network = quoted(network);
                format!(
                    r#"{{"type":"peer-disconnected","data":{{"peerId":"{peer}","isHub":false}},"networkName":{network},"fromPeerId":"system","timestamp":{timestamp}}}"#,
                )
                .into()
            }
            Self::Goodbye { from, network, data } => {
                let network = quoted(network);
                format!(
                    r#"{{"type":"goodbye","data":{data},"fromPeerId":"{from}","networkName":{network},"timestamp":{timestamp}}}"#,
                )
                .into()
            }
            Self::Signal(signal) => signal_frame(signal, now),
            Self::Pong { peer } => format!(
                r#"{{"type":"pong","data":{{"timestamp":{timestamp}}},"fromPeerId":"system","targetPeerId":"{peer}","timestamp":{timestamp}}}"#,
            )
            .into(),
            Self::Error(refusal) => {
                Frame::of(&Stamped { kind: "error", message: refusal, timestamp })
            }
        }
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// [`ParseNodeMessageError`]; a client ignores such a frame.
    pub fn parse(text: &str) -> Result<Self, ParseNodeMessageError> {
        let fields = Fields::parse(text).ok_or(ParseNodeMessageError::Malformed)?;
        let kind: String = required(&fields, "type")?;
        let network = || optional(&fields, "networkName").map(Option::unwrap_or_default);
        let data = fields.get("data");
        if let Some(kind) = SignalKind::from_type(&kind) {
            return Ok(Self::Signal(Signal {
                kind,
                from: required(&fields, "fromPeerId")?,
                target: required(&fields, "targetPeerId")?,
                network: required(&fields, "networkName")?,
                data: data.ok_or(ParseNodeMessageError::Malformed)?.to_owned(),
                id: optional(&fields, "id")?,
                origin: None,
            }));
        }
        Ok(match kind.as_str() {
            "connected" => {
                let (peer, node, data) = about(data)?;
                // Without a ticket, or with one that makes no sense, the next socket does without.
                Self::Connected { peer, node, ticket: required(&data, "ticket").ok() }
            }
            "peer-discovered" => {
                let (peer, node, _) = about(data)?;
                Self::Discovered { peer, node, network: network()?, profile: owned(data) }
            }
            "peer-disconnected" => {
                let (peer, ..) = about(data)?;
                Self::Departed { peer, network: network()? }
            }
            "goodbye" => Self::Goodbye {
                from: required(&fields, "fromPeerId")?,
                network: network()?,
                data: owned(data),
            },
            "pong" => Self::Pong { peer: required(&fields, "targetPeerId")? },
            "error" => Self::Error(refusal(&fields)?),
            _ => return Err(ParseNodeMessageError::UnknownType),
        })
    }
}

fn owned(data: Option<&RawValue>) -> RawJson {
    data.map(ToOwned::to_owned).unwrap_or_default()
}

/// What `data` says about a peer: its id, its node, and all of it.
fn about(data: Option<&RawValue>) -> Result<(PeerId, NodeId, Fields<'_>), ParseNodeMessageError> {
    let data = data.and_then(Fields::read).ok_or(ParseNodeMessageError::Malformed)?;
    let node = optional(&data, "nodeId")?.unwrap_or_else(unnamed);
    Ok((required(&data, "peerId")?, node, data))
}

/// Servers of PeerPigeon send no code, and later versions of ours may send codes that are new.
fn refusal(fields: &Fields<'_>) -> Result<Refusal, ParseNodeMessageError> {
    let original_type = optional(fields, "originalType")?;
    let text = optional(fields, "error")?.unwrap_or_default();
    let Ok(code) = required(fields, "code") else {
        return Ok(Refusal { text, ..Refusal::new(Code::PeerUnavailable, original_type) });
    };
    let (target, id) = (optional(fields, "targetPeerId")?, optional(fields, "id")?);
    Ok(Refusal { code, text, original_type, target, id })
}

/// A text that is there, and of the right kind.
fn required<T: FromStr>(fields: &Fields<'_>, name: &str) -> Result<T, ParseNodeMessageError> {
    optional(fields, name)?.ok_or(ParseNodeMessageError::Malformed)
}

/// A text that is of the right kind if it is there.
fn optional<T: FromStr>(fields: &Fields<'_>, name: &str) -> Result<Option<T>, ParseNodeMessageError> {
    if fields.get(name).is_none_or(|value| value.get() == "null") {
        return Ok(None);
    }
    let text = fields.text(name).ok_or(ParseNodeMessageError::Malformed)?;
    text.parse().map(Some).map_err(|_| ParseNodeMessageError::Malformed)
}

/// Frames of a PeerPigeon server do not name a node.
fn unnamed() -> NodeId {
    "peerpigeon".parse().unwrap_or_else(|_| unreachable!("a valid node id"))
}

/// The one frame on the hot path is put together by hand: `data` is copied once.
fn signal_frame(signal: &Signal, now: Millis) -> Frame {
    let mut text = String::with_capacity(signal.data.get().len() + 288);
    let parts = [
        r#"{"type":""#,
        signal.kind.as_str(),
        r#"","data":"#,
        signal.data.get(),
        r#","fromPeerId":""#,
        signal.from.as_str(),
        r#"","targetPeerId":""#,
        signal.target.as_str(),
        r#"","networkName":"#,
    ];
    parts.into_iter().for_each(|part| text.push_str(part));
    push_quoted(&mut text, signal.network.as_str());
    if let Some(id) = &signal.id {
        text.push_str(r#","id":"#);
        push_quoted(&mut text, id.as_str());
    }
    // Writing to a string cannot fail.
    let _ = write!(text, r#","timestamp":{}}}"#, now.0);
    text.into()
}

fn quoted(network: &NetworkName) -> String {
    let mut text = String::new();
    push_quoted(&mut text, network.as_str());
    text
}

/// Adds a JSON string. Names and ids have hardly ever something to escape.
fn push_quoted(text: &mut String, value: &str) {
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&serde_json::to_string(value).unwrap_or_default());
    }
}

#[derive(Serialize)]
struct Stamped<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    message: &'a T,
    timestamp: u64,
}
