//! The signal directory: where an app's signaling endpoints are. Records under topics that are made of the
//! app's name and a region, so that whoever knows the app finds them at any node.
//!
//! For apps in Rust. Those in JavaScript get the same from `pkg/directory.js`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Hub, HubError, PublishOptions, PublishedRecord, keys};

const KIND: &str = "signal";
/// Seconds that an endpoint is found if nobody says how long.
const TTL: u32 = 600;
/// URLs of one endpoint at most.
const MOST_URLS: usize = 8;
/// Comes after all that have a priority.
const NO_PRIORITY: u64 = 99;

/// A place where an app's peers are introduced to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalEndpoint {
    /// Where: URLs of `ws`, `wss`, `http` or `https`.
    pub urls: Vec<SignalUrl>,
    /// What it can do, in the app's own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<String>,
    /// Whom it is near to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The lower the better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u64>,
    /// The id of the peer that published it, proven by its signature.
    #[serde(skip)]
    pub peer_id: String,
}

/// One way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalUrl {
    /// `ws` or `http`.
    pub t: String,
    /// The URL.
    pub u: String,
}

impl SignalUrl {
    fn is_usable(&self) -> bool {
        let schemes = match self.t.as_str() {
            "ws" => ["ws://", "wss://"],
            "http" => ["http://", "https://"],
            _ => return false,
        };
        schemes.iter().any(|scheme| self.u.starts_with(scheme))
    }
}

impl<Url: Into<String>> From<Url> for SignalUrl {
    fn from(url: Url) -> Self {
        let u = url.into();
        Self { t: if u.starts_with("ws") { "ws".into() } else { "http".into() }, u }
    }
}

/// The directory, asked at a hub's nodes.
#[derive(Clone)]
pub struct SignalDirectory(Hub);

impl SignalDirectory {
    /// The directory at the nodes of a hub.
    #[must_use]
    pub const fn new(hub: Hub) -> Self {
        Self(hub)
    }

    /// Says where an endpoint of an app is, for `ttl` seconds (600 by default).
    ///
    /// # Errors
    ///
    /// `invalid-url`, `no-identity` if the hub has no key, and what [`Hub::publish`] has.
    pub async fn publish(
        &self,
        app: &str,
        endpoint: &SignalEndpoint,
        ttl: Option<u32>,
    ) -> Result<(), HubError> {
        let urls = &endpoint.urls;
        if !(1..=MOST_URLS).contains(&urls.len()) || !urls.iter().all(SignalUrl::is_usable) {
            return Err(HubError::new(
                "invalid-url",
                "an endpoint has one to eight URLs of ws, wss, http or https",
            ));
        }
        let mut data = json!(endpoint);
        data["kind"] = KIND.into();
        // Found without its region as well.
        for topic in topics(app, endpoint.region.as_deref()).await? {
            let options = PublishOptions { ttl: ttl.or(Some(TTL)), salt: KIND.into(), copies: None };
            self.0.publish(&topic, &data, options).await?;
        }
        Ok(())
    }

    /// Takes it back.
    ///
    /// # Errors
    ///
    /// As [`Self::publish`].
    pub async fn unpublish(&self, app: &str, region: Option<&str>) -> Result<(), HubError> {
        for topic in topics(app, region).await? {
            self.0.unpublish(&topic, KIND).await?;
        }
        Ok(())
    }

    /// The endpoints of an app, best first: those of the region, then by priority, then the freshest.
    ///
    /// # Errors
    ///
    /// As [`Hub::find`].
    pub async fn find(&self, app: &str, region: Option<&str>) -> Result<Vec<SignalEndpoint>, HubError> {
        let mut newest: BTreeMap<String, (u64, SignalEndpoint)> = BTreeMap::new();
        for topic in topics(app, region).await? {
            for (seq, endpoint) in self.0.find(&topic).await?.iter().filter_map(endpoint_of) {
                if newest.get(&endpoint.peer_id).is_none_or(|(known, _)| *known <= seq) {
                    newest.insert(endpoint.peer_id.clone(), (seq, endpoint));
                }
            }
        }
        let mut found: Vec<_> = newest.into_values().collect();
        found.sort_by_key(|(seq, endpoint)| {
            let is_far = region.is_some() && endpoint.region.as_deref() != region;
            (is_far, endpoint.priority.unwrap_or(NO_PRIORITY), Reverse(*seq))
        });
        Ok(found.into_iter().map(|(_, endpoint)| endpoint).collect())
    }
}

/// What a record says of an endpoint, if it is one and its publisher is proven.
fn endpoint_of(found: &PublishedRecord) -> Option<(u64, SignalEndpoint)> {
    let peer_id = found.peer_id.clone()?;
    let data = found.data();
    let mut endpoint: SignalEndpoint = serde_json::from_value(data.clone()).ok()?;
    endpoint.urls.truncate(MOST_URLS);
    endpoint.urls.retain(SignalUrl::is_usable);
    let is_one = data["kind"] == KIND && !endpoint.urls.is_empty();
    is_one.then_some((found.record.seq, SignalEndpoint { peer_id, ..endpoint }))
}

/// Everywhere, and in the region.
async fn topics(app: &str, region: Option<&str>) -> Result<Vec<String>, HubError> {
    let everywhere = ["signal:", app].concat();
    let regional = region.map(|region| [&everywhere, ":region:", region].concat());
    let mut topics = Vec::new();
    for name in [Some(everywhere), regional].into_iter().flatten() {
        // Where browsers have no SHA-1 they cannot check signatures either.
        topics.push(keys::sha1(name.as_bytes()).await.ok_or_else(HubError::no_identity)?);
    }
    Ok(topics)
}
