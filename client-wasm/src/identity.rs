//! Where a peer's id comes from: dice, or the one that this browser had last time.

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise};
use pigeonhub_protocol::{NetworkName, PeerId};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Storage;

use crate::ambient;
use crate::feed::Feed;

/// How many tabs of one browser may have an id that is kept.
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
    /// Gives the place back.
    release: Option<Function>,
}

impl Identity {
    /// An id that the app chose.
    pub(crate) const fn chosen(peer: PeerId) -> Self {
        Self { peer, release: None }
    }

    /// An id that nobody has had.
    pub(crate) fn fresh() -> Self {
        Self::chosen(PeerId::from_bytes(ambient::dice()))
    }

    /// The id that this browser had in this network last time. Two tabs with one id would push
    /// each other off the nodes, so each takes the first place that is free.
    pub(crate) async fn kept(network: &NetworkName) -> Self {
        let Some(storage) = storage() else { return Self::fresh() };
        for place in 0..PLACES {
            let key = ["pigeonhub", network.as_str(), &place.to_string()].join(":");
            if let Some(release) = occupy(&key).await {
                let last = storage.get_item(&key).ok().flatten().and_then(|text| text.parse().ok());
                let peer = last.unwrap_or_else(|| Self::fresh().peer);
                // A full or forbidden storage: the id holds for this visit.
                let _ = storage.set_item(&key, peer.as_str());
                return Self { peer, release };
            }
        }
        Self::fresh()
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
