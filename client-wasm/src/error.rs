//! What can go wrong, with a code that programs read.

use core::fmt;

use pigeonhub_client_core::LinkFailure;
use wasm_bindgen::JsValue;

/// Something that an app asked for was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubError {
    /// For programs: a kebab-case word, listed in the package's README.
    pub code: &'static str,
    /// For people.
    pub text: String,
}

impl HubError {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The hub was closed, by the app or because the page went away.
    pub(crate) fn hub_closed() -> Self {
        Self::new("closed", "the hub is closed")
    }

    /// The link is over: one of the two sides closed it.
    pub(crate) fn link_closed() -> Self {
        Self::new("closed", "the link is closed")
    }

    /// This peer has no key, so nobody could check what it says.
    pub(crate) fn no_identity() -> Self {
        Self::new("no-identity", "this peer has no key: its id was given, or the browser has no Ed25519 here")
    }

    /// The text of something that JavaScript threw.
    pub(crate) fn thrown(code: &'static str, thrown: &JsValue) -> Self {
        Self::new(code, thrown_text(thrown))
    }
}

impl From<&LinkFailure> for HubError {
    fn from(failure: &LinkFailure) -> Self {
        let text = match failure {
            LinkFailure::PeerUnavailable => "no node knows this peer",
            LinkFailure::NoAnswer => "the peer did not answer in time",
            LinkFailure::NoPath => "no network path to the peer was found",
            LinkFailure::Negotiation(text) => text,
        };
        Self::new(failure.code(), text)
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for HubError {}

impl From<HubError> for JsValue {
    /// A JavaScript `Error` with a `code`.
    fn from(error: HubError) -> Self {
        let thrown = js_sys::Error::new(&error.text);
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&thrown, &"code".into(), &error.code.into());
        thrown.into()
    }
}

/// `message` of an `Error`, the text itself of a text.
pub(crate) fn thrown_text(thrown: &JsValue) -> String {
    js_sys::Reflect::get(thrown, &"message".into())
        .ok()
        .and_then(|message| message.as_string())
        .or_else(|| thrown.as_string())
        .unwrap_or_default()
}
