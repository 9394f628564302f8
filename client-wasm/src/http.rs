//! Requests to a node's HTTP API.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortSignal, RequestInit, Response};

/// One request, in so many milliseconds at most.
pub(crate) async fn fetch(url: &str, init: &RequestInit, patience: u32) -> Result<Response, JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    init.set_signal(Some(&AbortSignal::timeout_with_u32(patience)));
    Ok(JsFuture::from(window.fetch_with_str_and_init(url, init)).await?.unchecked_into())
}

/// The same; status and body.
pub(crate) async fn text(url: &str, init: &RequestInit, patience: u32) -> Result<(u16, String), JsValue> {
    let response = fetch(url, init, patience).await?;
    let body = JsFuture::from(response.text()?).await?;
    Ok((response.status(), body.as_string().unwrap_or_default()))
}

/// A `POST` with a body that is JSON.
pub(crate) fn post_json(body: &str) -> Result<RequestInit, JsValue> {
    let headers = Object::new();
    Reflect::set(&headers, &"Content-Type".into(), &"application/json".into())?;
    let init = post(body);
    init.set_headers(&headers);
    Ok(init)
}

/// A `POST` with a body that does not say what it is: nodes know, and browsers need not ask them
/// first whether a page of another origin may send it.
pub(crate) fn post(body: &str) -> RequestInit {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body_opt_str(Some(body));
    init
}

/// Sends it and does not wait: the browser goes on with it when the page is gone.
pub(crate) fn post_at_last(url: &str, body: &str) {
    let Some(window) = web_sys::window() else { return };
    let init = post(body);
    // A property of a fresh object.
    let _ = Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    let answer = JsFuture::from(window.fetch_with_str_and_init(url, &init));
    // If anybody is there to hear how it went, it does not matter.
    spawn_local(async { drop(answer.await) });
}
