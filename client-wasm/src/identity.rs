//! Who a peer is: a key that is made of dice or that this browser had last time; and its id.

use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise};
use pigeonhub_protocol::{NetworkName, PeerId};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Storage;

use crate::ambient;
use crate::error::HubError;
use crate::feed::Feed;
use crate::keys::Key;
use crate::options::Who;

/// How many tabs of one browser may have a key that is kept.
const PLACES: u32 = 16;

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks.request`; throws where there are none.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, options: &JsValue, callback: &Function) -> Result<Promise, JsValue>;
}

/// A peer id that no other tab of this browser uses while this lives.
pub(crate) struct Identity {
    pub peer: PeerId,
    /// What proves it; none if the app chose an id, or this browser has no keys.
    pub key: Option<Rc<Key>>,
    /// Gives the place back.
    release: Option<Function>,
}

impl Identity {
    /// Who the app wants to be in this network.
    pub(crate) async fn of(who: &Who, network: &NetworkName) -> Result<Self, HubError> {
        match who {
            Who::Fresh => Ok(Self::fresh().await),
            Who::Kept => Ok(Self::kept(network).await),
            Who::Id(peer) => Ok(Self::plain(*peer)),
            Who::Key(text) => Key::read(text).await.map(Self::proven).ok_or_else(HubError::no_identity),
        }
    }

    const fn plain(peer: PeerId) -> Self {
        Self { peer, key: None, release: None }
    }

    fn proven(key: Key) -> Self {
        Self { peer: key.peer(), key: Some(Rc::new(key)), release: None }
    }

    /// Somebody whom nobody has met: with a key, if this browser has keys.
    async fn fresh() -> Self {
        let plain = || Self::plain(PeerId::from_bytes(ambient::dice()));
        Key::fresh().await.map_or_else(plain, Self::proven)
    }

    /// As what was stored, a key or an id, says.
    async fn stored(text: &str) -> Option<Self> {
        match Key::read(text).await {
            Some(key) => Some(Self::proven(key)),
            None => text.parse().ok().map(Self::plain),
        }
    }

    /// What is to be stored.
    fn text(&self) -> &str {
        self.key.as_ref().map_or(self.peer.as_str(), |key| key.text())
    }

    /// Who this browser was in this network last time. Two tabs with one id would push each other off
    /// the nodes, so each takes the first place that is free.
    async fn kept(network: &NetworkName) -> Self {
        let Some(storage) = storage() else { return Self::fresh().await };
        for place in 0..PLACES {
            let key = ["pigeonhub", network.as_str(), &place.to_string()].join(":");
            if let Some(release) = occupy(&key).await {
                let last = match storage.get_item(&key).ok().flatten() {
                    Some(text) => Self::stored(&text).await,
                    None => None,
                };
                let mut identity = match last {
                    Some(identity) => identity,
                    None => Self::fresh().await,
                };
                // A full or forbidden storage: the key holds for this visit.
                let _ = storage.set_item(&key, identity.text());
                identity.release = release;
                return identity;
            }
        }
        Self::fresh().await
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // It resolves a promise, which cannot fail.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Private modes and sandboxes have none, or forbid it.
fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Takes the lock of this name: none if another tab has it, else what gives it back. Where there
/// are no locks (pages that came over plain HTTP), the place counts as free.
async fn occupy(name: &str) -> Option<Option<Function>> {
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let answer = Feed::once();
    let mut taken = answer.subscribe();
    let granted = Closure::once_into_js(move |lock: JsValue| {
        let free = !lock.is_null();
        answer.push(&free);
        if free { JsValue::from(held) } else { JsValue::UNDEFINED }
    });
    let options = js_sys::Object::new();
    // A property of a fresh object.
    let _ = js_sys::Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE);
    let Ok(request) = request_lock(name, &options, granted.unchecked_ref()) else { return Some(None) };
    // The request itself only ends with the lock, unless it is refused.
    match select(taken.next(), JsFuture::from(request)).await {
        Either::Left((free, _)) => free.unwrap_or(false).then_some(release),
        Either::Right(_) => Some(None),
    }
}
