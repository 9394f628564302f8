//! Time, as the browser has it.

use js_sys::{Date, Function, Math, Number, Promise};
use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;

/// Waits.
pub async fn sleep(milliseconds: i32) {
    let mut arm = |resolve: Function, _reject: Function| {
        // Without a timer (a page that is going away) there is nothing left to wait for either.
        if window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).is_err() {
            let _ = resolve.call0(&resolve);
        }
    };
    let _ = JsFuture::from(Promise::new(&mut arm)).await;
}

/// The time of day, as people here write it.
pub fn time_of_day() -> String {
    Date::new_0().to_locale_time_string("default").into()
}

/// The time of day that this was, in milliseconds since the epoch.
pub fn time_at(millis: u64) -> String {
    Date::new(&(millis as f64).into()).to_locale_time_string("default").into()
}

/// A text that this page makes once only.
pub fn stamp() -> String {
    let (time, dice) = (Number::from(Date::now()), Number::from((Math::random() * 1e6).floor()));
    [time, dice].map(|part| part.to_string_with_radix(36).map(String::from).unwrap_or_default()).join("-")
}
