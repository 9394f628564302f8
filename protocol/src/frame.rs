//! Texts on their way: raw JSON that is passed on unseen, and finished frames.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// A JSON value as the text it came in, never re-parsed.
pub type RawJson = Box<RawValue>;

/// The raw JSON text of a value. Values that JSON cannot express (maps with keys that are no text)
/// become `null`; the workspace has none.
#[must_use]
pub fn raw_json<T: Serialize + ?Sized>(value: &T) -> RawJson {
    serde_json::value::to_raw_value(value).unwrap_or_default()
}

/// A finished text frame, serialised once and shared by all its recipients.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Frame(Bytes);

impl Frame {
    /// The frame's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Frames are only made of `String`s.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The frame's bytes (UTF-8), taken out.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Serialises a message.
    pub(crate) fn of<T: Serialize>(message: &T) -> Self {
        // Our messages have string keys and finite numbers only, so this cannot fail.
        serde_json::to_string(message).unwrap_or_default().into()
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
