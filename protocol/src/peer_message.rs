//! What a peer says to a node: one JSON object in one text frame.

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::{Code, Frame, MessageId, NetworkName, PeerId, RawJson, SignalKind, limit, raw_json};

/// A message from a peer. The sender is never part of it: who speaks is a fact of the session, and
/// a `fromPeerId` in the frame has no effect.
#[derive(Clone, Debug)]
pub enum PeerMessage {
    /// `announce`: the peer joins a network (and leaves the one it was in).
    Announce {
        /// The network; `global` if the frame names none.
        network: NetworkName,
        /// What others are told about the peer: a JSON object free of the fields that only a node
        /// may write (`peerId`, `isHub`, `nodeId`).
        profile: RawJson,
    },
    /// `offer`, `answer`, `ice-candidate`, …: to be passed on to `target`.
    Signal {
        /// What it is.
        kind: SignalKind,
        /// Whom it is for.
        target: PeerId,
        /// Passed on untouched.
        data: RawJson,
        /// The sender's id for it.
        id: Option<MessageId>,
    },
    /// `goodbye`: the peer leaves its network and wants its connections closed.
    Goodbye {
        /// Passed on untouched.
        data: RawJson,
    },
    /// `discover`: the peer asks who is there, without telling anything new.
    Discover,
    /// `ping`.
    Ping,
    /// `cleanup`, `cleanup-all`: old clients say it, nodes have nothing to do.
    Cleanup,
}

/// Why a frame is no [`PeerMessage`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub code: Code,
    /// The frame's `type`, as far as it could be read.
    pub original_type: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.text())
    }
}

impl core::error::Error for ParseError {}

impl PeerMessage {
    /// Reads one frame.
    ///
    /// # Errors
    /// The code says what is wrong with the frame; the connection is none the worse for it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| ParseError {
            code: match error.classify() {
                Category::Data => Code::MalformedMessage,
                Category::Io | Category::Syntax | Category::Eof => Code::MalformedJson,
            },
            original_type: None,
        })?;
        let kind = envelope.kind.0.as_ref();
        envelope.message(kind).map_err(|code| ParseError { code, original_type: Some(short(kind)) })
    }

    /// The frame's `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Announce { .. } => "announce",
            Self::Signal { kind, .. } => kind.as_str(),
            Self::Goodbye { .. } => "goodbye",
            Self::Discover => "discover",
            Self::Ping => "ping",
            Self::Cleanup => "cleanup",
        }
    }

    /// Writes the message as a frame, as a client in `network` sends it.
    #[must_use]
    pub fn frame(&self, network: &NetworkName) -> Frame {
        let (data, target, id) = match self {
            Self::Announce { profile, .. } => (Some(profile), None, None),
            Self::Signal { target, data, id, .. } => (Some(data), Some(target), id.as_ref()),
            Self::Goodbye { data } => (Some(data), None, None),
            Self::Discover | Self::Ping | Self::Cleanup => (None, None, None),
        };
        let network_name = match self {
            Self::Announce { network, .. } => network,
            _ => network,
        };
        Frame::of(&Written { kind: self.kind(), data, network_name, target_peer_id: target, id })
    }
}

/// The type of a frame, short enough to be said back.
fn short(kind: &str) -> String {
    kind.chars().take(64).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawJson>,
    network_name: &'a NetworkName,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_peer_id: Option<&'a PeerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a MessageId>,
}

/// The fields that a node reads; all others are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    network_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    target_peer_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
}

impl Envelope<'_> {
    fn message(&self, kind: &str) -> Result<PeerMessage, Code> {
        if let Some(kind) = SignalKind::from_type(kind) {
            return self.signal(kind);
        }
        Ok(match kind {
            "announce" => {
                let network = self.network_name.as_ref().map_or("", |name| &name.0);
                let network = network.parse().map_err(|_| Code::MalformedMessage)?;
                PeerMessage::Announce { network, profile: profile(self.data)? }
            }
            "goodbye" => PeerMessage::Goodbye { data: self.data() },
            "discover" => PeerMessage::Discover,
            "ping" => PeerMessage::Ping,
            "cleanup" | "cleanup-all" => PeerMessage::Cleanup,
            // Routing it breaks every network of two (both sides offer at first contact).
            "connection-rejected" => return Err(Code::NotRouted),
            _ => return Err(Code::UnknownType),
        })
    }

    fn signal(&self, kind: SignalKind) -> Result<PeerMessage, Code> {
        let target = self.target_peer_id.as_ref().ok_or(Code::TargetMissing)?;
        let target = target.0.parse().map_err(|_| Code::TargetInvalid)?;
        let id = self.id.as_ref().map(|id| id.0.parse()).transpose();
        let id = id.map_err(|_| Code::MalformedMessage)?;
        if self.data.is_none() {
            return Err(Code::MalformedMessage);
        }
        Ok(PeerMessage::Signal { kind, target, data: self.data(), id })
    }

    fn data(&self) -> RawJson {
        self.data.map(ToOwned::to_owned).unwrap_or_default()
    }
}

/// Fields of an announce's `data` that only a node may write: a peer that could would speak for
/// another, or pose as a node.
const RESERVED: [&str; 3] = ["peerId", "isHub", "nodeId"];

/// A profile as a node tells it: what a peer says of itself, without what only a node may say.
///
/// # Errors
/// [`Code::ProfileTooLarge`]; [`Code::MalformedMessage`] if it is no JSON object.
pub fn profile(data: Option<&RawValue>) -> Result<RawJson, Code> {
    let Some(data) = data else { return Ok(raw_json(&BTreeMap::<&str, ()>::new())) };
    if data.get().len() > limit::PROFILE {
        return Err(Code::ProfileTooLarge);
    }
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(data.get()).map_err(|_| Code::MalformedMessage)?;
    let free = fields.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    Ok(raw_json(&free.collect::<BTreeMap<_, _>>()))
}

/// A JSON string, borrowed from the frame unless it has escapes. (Serde's own `Cow` inside an
/// `Option` always copies.)
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
