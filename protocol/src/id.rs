//! Who and where: peers, nodes, networks, messages. Each is checked once, where it comes in.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limit;

/// A text that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidId {
    /// A peer id is exactly 40 hexadecimal digits.
    Peer,
    /// A node id is 1 to 64 characters of `A-Z a-z 0-9 - _ . :`.
    Node,
    /// A network name is at most 128 bytes and free of control characters.
    Network,
    /// A message id is 1 to 64 printable ASCII characters.
    Message,
    /// A ticket is 1 to 128 characters that need no escaping in a URL.
    Ticket,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "a peer id is exactly 40 hexadecimal digits",
            Self::Node => "a node id is 1 to 64 characters of A-Z a-z 0-9 - _ . :",
            Self::Network => "a network name is at most 128 bytes without control characters",
            Self::Message => "a message id is 1 to 64 printable ASCII characters",
            Self::Ticket => "a ticket is 1 to 128 characters of A-Z a-z 0-9 - _ .",
        })
    }
}

impl core::error::Error for InvalidId {}

/// Serde for an id that is written as text: checked on the way in.
macro_rules! as_text {
    ($id:ty) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($id), "({})"), self.as_str())
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// A peer's id: 40 hexadecimal digits. **Case is significant**: existing clients compare ids as
/// plain text, so `A…` and `a…` are two peers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 40]);

impl PeerId {
    /// The id of 20 bytes, in lower-case digits.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only hexadecimal digits ever get in.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 20 bytes that the digits spell; both cases spell the same.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 20] {
        let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { (b | 0x20) - b'a' + 10 };
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(self.0.chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        bytes
    }

    /// The XOR distance to `other`, most significant byte first.
    #[must_use]
    pub fn distance(&self, other: &Self) -> [u8; 20] {
        let (mut ours, theirs) = (self.to_bytes(), other.to_bytes());
        ours.iter_mut().zip(theirs).for_each(|(a, b)| *a ^= b);
        ours
    }
}

impl FromStr for PeerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match <[u8; 40]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(Self(digits)),
            _ => Err(InvalidId::Peer),
        }
    }
}

as_text!(PeerId);

/// A node's id, chosen by its operator or made from its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if (1..=limit::NODE_ID).contains(&text.len()) && text.bytes().all(ok) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::Node)
        }
    }
}

as_text!(NodeId);

/// The network (an app's room) that a peer is in. Compared exactly; empty means `global`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(Arc<str>);

impl NetworkName {
    /// The network of everyone who names none.
    pub const GLOBAL: &'static str = "global";

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for NetworkName {
    fn default() -> Self {
        Self(Self::GLOBAL.into())
    }
}

impl FromStr for NetworkName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() {
            Ok(Self::default())
        } else if text.len() > limit::NETWORK_NAME || text.chars().any(char::is_control) {
            Err(InvalidId::Network)
        } else {
            Ok(Self(text.into()))
        }
    }
}

as_text!(NetworkName);

/// The id that a sender gave its message, so that its receiver can drop a repeat.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(Box<str>);

impl MessageId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if (1..=limit::MESSAGE_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(String::from(text).into_boxed_str()))
        } else {
            Err(InvalidId::Message)
        }
    }
}

as_text!(MessageId);

/// What a node gives a peer on a socket, for the peer's next socket: that it comes from the same
/// peer. Sealed by the node; it says nothing to anybody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(Box<str>);

impl Ticket {
    /// The ticket as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Ticket {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if (1..=limit::TICKET).contains(&text.len()) && text.bytes().all(ok) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::Ticket)
        }
    }
}

as_text!(Ticket);

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn peer_ids_keep_their_case() {
        let text = "ABCDEFabcdef0123456789ABCDEFabcdef012345";
        let id: PeerId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_ne!(id, text.to_lowercase().parse().unwrap());
        assert_eq!(id.to_bytes(), text.to_lowercase().parse::<PeerId>().unwrap().to_bytes());
        assert_eq!(PeerId::from_bytes(id.to_bytes()).as_str(), text.to_lowercase());
    }

    #[test]
    fn what_is_not_40_hex_digits_is_no_peer_id() {
        for text in ["", "abc", &"g".repeat(40), &"a".repeat(41), &"ä".repeat(20)] {
            assert_eq!(text.parse::<PeerId>(), Err(InvalidId::Peer), "{text}");
        }
    }

    #[test]
    fn an_empty_network_is_global_and_names_are_exact() {
        assert_eq!("".parse::<NetworkName>().unwrap().as_str(), "global");
        assert_ne!("Room".parse::<NetworkName>(), "room".parse::<NetworkName>());
        assert_ne!(" room".parse::<NetworkName>(), "room".parse::<NetworkName>());
        assert_eq!("a\nb".parse::<NetworkName>(), Err(InvalidId::Network));
        assert_eq!("x".repeat(129).parse::<NetworkName>(), Err(InvalidId::Network));
    }
}
