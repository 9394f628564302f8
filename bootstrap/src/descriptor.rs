//! What says where a node is.

use alloc::string::String;
use core::fmt;

use pigeonhub_protocol::Millis;
use pigeonhub_protocol::canonical;
use pigeonhub_protocol::http_signature::decode_key;
use pigeonhub_protocol::mesh::{http_url, is_node_url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Region, Trust, is_local, signature};

/// The JSON of a descriptor has at most so many bytes.
const MOST: usize = 4096;
/// A text for people in it.
const MOST_TEXT: usize = 500;
/// The highest number that JavaScript can count up to one by one.
const MOST_NUMBER: u64 = (1 << 53) - 1;

/// Where a node is, and what is said of it. Made by [`Self::read`] or [`Self::at`], so it is valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The scheme of `u`: `ws`, `wss`, `http` or `https`.
    pub t: String,
    /// The URL: host and perhaps port.
    pub u: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Lower is asked first; 0 is the lowest, none comes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintainer: Option<String>,
    /// The node's Ed25519 key, 32 bytes in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Of everything else, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// When it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Millis>,
    /// For how many seconds after that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// `uptime`, and what newer versions say; covered by the signature.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Why something is no descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// No JSON, or not of the right form.
    Form,
    /// Too long.
    Size,
    /// The scheme is none of the four, or not that of the URL.
    Scheme,
    /// Not of the form `wss://host:port`.
    Url,
    /// `ws` and `http` are for local addresses.
    Insecure,
    /// A local address in what came from elsewhere.
    Local,
    /// An unknown region.
    Region,
    /// The key is none, or a signature lacks key or time.
    Key,
}

impl Invalid {
    const fn text(self) -> &'static str {
        match self {
            Self::Form => "it is no JSON object with texts `t` and `u`, or a field is not of its type",
            Self::Size => "it is too long",
            Self::Scheme => "`t` must be ws, wss, http or https, and the scheme of `u`",
            Self::Url => "`u` must be of the form wss://host or wss://host:port",
            Self::Insecure => "ws and http are for local addresses; elsewhere it must be wss or https",
            Self::Local => "it names a local address and comes from elsewhere",
            Self::Region => {
                "`region` must be us-east, us-west, eu-west, asia-pacific, global, local or custom"
            }
            Self::Key => "`publicKey` must be 32 bytes in base64, and a signature needs it and a `timestamp`",
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Invalid {}

impl Descriptor {
    /// The descriptor of a URL of which nothing else is known.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn at(url: &str) -> Result<Self, Invalid> {
        let u = String::from(url.trim().trim_end_matches('/'));
        let t = u.split_once("://").ok_or(Invalid::Url)?.0.into();
        let descriptor = Self {
            t,
            u,
            region: None,
            priority: None,
            description: None,
            maintainer: None,
            public_key: None,
            signature: None,
            timestamp: None,
            expires: None,
            more: Map::new(),
        };
        descriptor.validate()?;
        Ok(descriptor)
    }

    /// Reads JSON. Whether its signature holds is another question: [`Self::verify`].
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn read(value: &Value) -> Result<Self, Invalid> {
        // A field that is null would be lost, and be missed by the signature.
        let fields = value.as_object().filter(|fields| fields.values().all(|value| !value.is_null()));
        let fields = fields.ok_or(Invalid::Form)?;
        if canonical(value).len() > MOST {
            return Err(Invalid::Size);
        }
        let region = fields.get("region").map(|region| region.as_str().and_then(Region::named));
        if region == Some(None) {
            return Err(Invalid::Region);
        }
        let descriptor = Self::deserialize(value).map_err(|_| Invalid::Form)?;
        descriptor.validate()?;
        Ok(descriptor)
    }

    fn validate(&self) -> Result<(), Invalid> {
        if !["ws", "wss", "http", "https"].contains(&self.t.as_str())
            || self.u.split_once("://").is_none_or(|(scheme, _)| scheme != self.t)
        {
            return Err(Invalid::Scheme);
        }
        if !is_node_url(&http_url(&self.u)) {
            return Err(Invalid::Url);
        }
        let uptime = self.more.get("uptime");
        if uptime.is_some_and(|uptime| !uptime.is_number() && !uptime.is_string()) {
            return Err(Invalid::Form);
        }
        let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > MOST_TEXT);
        let large = |number: Option<u64>| number.is_some_and(|number| number > MOST_NUMBER);
        if long(&self.description)
            || long(&self.maintainer)
            || large(self.timestamp.map(|timestamp| timestamp.0))
            || large(self.expires)
        {
            return Err(Invalid::Size);
        }
        let bad_key = self.public_key.as_ref().is_some_and(|key| decode_key(key).is_none());
        let unbacked = self.signature.is_some() && (self.public_key.is_none() || self.timestamp.is_none());
        if bad_key || unbacked {
            return Err(Invalid::Key);
        }
        Ok(())
    }

    /// Checks what somebody elsewhere says: plain schemes and local addresses make sense only if who
    /// says it `is_local` as well.
    pub(crate) fn said_elsewhere(self, from_local: bool) -> Result<Self, Invalid> {
        match is_local(&self.u) {
            true if !from_local => Err(Invalid::Local),
            false if self.t == "ws" || self.t == "http" => Err(Invalid::Insecure),
            _ => Ok(self),
        }
    }

    /// What is known of it by its signature: [`Trust::Community`] if it is signed,
    /// [`Trust::Project`] if by one of the pinned keys, else [`Trust::Discovered`].
    ///
    /// # Errors
    /// Forged, expired, or of the future.
    pub fn verify(&self, pins: &[String], now: Millis) -> Result<Trust, crate::Refusal> {
        let (Some(key), Some(signature), Some(timestamp)) =
            (&self.public_key, &self.signature, self.timestamp)
        else {
            return Ok(Trust::Discovered);
        };
        signature::verify(&self.json(), key, signature)?;
        signature::in_time(timestamp, self.expires, now)?;
        Ok(if pins.contains(key) { Trust::Project } else { Trust::Community })
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What it is known by: the URL for requests.
    #[must_use]
    pub fn address(&self) -> String {
        http_url(&self.u).to_ascii_lowercase()
    }
}
