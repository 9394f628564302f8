//! Time, as the browser has it.

use js_sys::{Date, Function, Promise};
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
