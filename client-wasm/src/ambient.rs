//! What a core cannot make itself and JavaScript's global scope offers: time, dice, waiting.

use core::cell::Cell;

use js_sys::{Date, Function, Promise};
use pigeonhub_protocol::{Millis, Moment};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// As functions of the global scope, so that they are found in windows and workers alike.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, millis: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_with_dice(bytes: &mut [u8]);
}

/// The current time.
pub(crate) fn now() -> Millis {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clocks show whole, positive numbers"
    )]
    Millis(Date::now() as u64)
}

/// Random bytes from the browser's own generator.
pub(crate) fn dice<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_with_dice(&mut bytes);
    bytes
}

/// The current time and fresh dice.
pub(crate) fn moment() -> Moment {
    Moment { now: now(), seed: u64::from_le_bytes(dice()) }
}

/// Waits.
pub(crate) async fn sleep(millis: i32) {
    let elapsed = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, millis);
    });
    // A promise that is only ever resolved.
    let _ = JsFuture::from(elapsed).await;
}

/// An alarm clock with one alarm.
pub(crate) struct Alarm {
    ring: Closure<dyn FnMut()>,
    id: Cell<JsValue>,
}

impl Alarm {
    /// Not set yet.
    pub(crate) fn new(ring: impl FnMut() + 'static) -> Self {
        Self { ring: Closure::new(ring), id: Cell::new(JsValue::UNDEFINED) }
    }

    /// Rings at this time instead of an earlier wish.
    pub(crate) fn set(&self, at: Millis) {
        self.cancel();
        // Browsers ring at once if asked for more than an `i32`; too early does no harm.
        let wait = i32::try_from(at.since(now())).unwrap_or(i32::MAX);
        self.id.set(set_timeout(self.ring.as_ref().unchecked_ref(), wait));
    }

    /// Does not ring any more.
    pub(crate) fn cancel(&self) {
        clear_timeout(&self.id.replace(JsValue::UNDEFINED));
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.cancel();
    }
}
