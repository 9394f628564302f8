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
use crate::keys::{Key, fresh_seed, seed};
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
    ///
    /// Every path leads through the same few waits: each wait is code of its own.
    pub(crate) async fn of(who: &Who, network: &NetworkName) -> Result<Self, HubError> {
        let place = match who {
            Who::Kept => Place::take(network).await,
            _ => None,
        };
        let (id, text) = match (who, &place) {
            (Who::Id(peer), _) => (Some(*peer), None),
            (Who::Key(text), _) => (None, Some(text.clone())),
            (_, Some(place)) => place.last(),
            _ => (None, None),
        };
        let key = match id {
            Some(_) => None,
            None => Key::of(&text.as_deref().and_then(seed).unwrap_or_else(fresh_seed)).await,
        };
        if key.is_none() && matches!(who, Who::Key(_)) {
            return Err(HubError::no_identity());
        }
        // Where there are no keys, somebody whom nobody has met.
        let peer = key.as_ref().map(Key::peer).or(id);
        let peer = peer.unwrap_or_else(|| PeerId::from_bytes(ambient::dice()));
        if let Some(place) = &place {
            place.keep(key.as_ref().map_or(peer.as_str(), Key::text));
        }
        Ok(Self { peer, key: key.map(Rc::new), release: place.and_then(|place| place.release) })
    }
}

/// A place in this browser's storage that no other tab uses now.
struct Place {
    storage: Storage,
    name: String,
    release: Option<Function>,
}

impl Place {
    /// Two tabs with one id would push each other off the nodes, so each takes the first place that is
    /// free. None if all are taken, or nothing can be stored.
    async fn take(network: &NetworkName) -> Option<Self> {
        let storage = storage()?;
        for place in 0..PLACES {
            let name = ["pigeonhub", network.as_str(), &place.to_string()].join(":");
            if let Some(release) = occupy(&name).await {
                return Some(Self { storage, name, release });
            }
        }
        None
    }

    /// What was kept here last time: an id, or else the text of a key.
    fn last(&self) -> (Option<PeerId>, Option<String>) {
        let text = self.storage.get_item(&self.name).ok().flatten();
        match text.as_deref().map(str::parse) {
            Some(Ok(peer)) => (Some(peer), None),
            _ => (None, text),
        }
    }

    /// Keeps a key or an id for the next time.
    fn keep(&self, text: &str) {
        // A full or forbidden storage: it holds for this visit.
        let _ = self.storage.set_item(&self.name, text);
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
