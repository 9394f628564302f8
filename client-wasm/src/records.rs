//! Records: what peers publish at the nodes, over the nodes' HTTP API.
//!
//! JSON goes through as JavaScript has it: the browser parses it anyway, and nothing here looks
//! inside.

use js_sys::{Array, JSON, Object, Reflect};
use pigeonhub_client_core::NodeUrl;
use pigeonhub_protocol::Code;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestInit;

use crate::error::HubError;
use crate::{address, http};

/// How long one node may take, in milliseconds.
const PATIENCE: u32 = 5_000;

/// Publishes JSON under a topic, for `ttl` seconds if it says so, at the first node that takes it.
/// Gives that node's receipt.
pub(crate) async fn publish(
    nodes: &[NodeUrl],
    topic: &str,
    json: &str,
    ttl: Option<u32>,
) -> Result<JsValue, HubError> {
    let body = body(topic, json, ttl).map_err(|thrown| HubError::thrown("invalid-request", &thrown))?;
    ask(nodes, "/api/publish", Some(&body)).await
}

/// The records of a topic, an array, as the first node that answers has them.
pub(crate) async fn find(nodes: &[NodeUrl], topic: &str) -> Result<JsValue, HubError> {
    let path = String::from("/api/find/") + &String::from(js_sys::encode_uri_component(topic));
    let answer = ask(nodes, &path, None).await?;
    Ok(field(&answer, "records").unwrap_or_else(|| Array::new().into()))
}

/// The body of `POST /api/publish`.
fn body(topic: &str, json: &str, ttl: Option<u32>) -> Result<String, JsValue> {
    let body = Object::new();
    Reflect::set(&body, &"topic".into(), &topic.into())?;
    Reflect::set(&body, &"data".into(), &JSON::parse(json)?)?;
    // JSON leaves out what is undefined.
    Reflect::set(&body, &"ttl".into(), &ttl.into())?;
    JSON::stringify(&body).map(String::from)
}

/// Asks one node after the other until one answers.
async fn ask(nodes: &[NodeUrl], path: &str, body: Option<&str>) -> Result<JsValue, HubError> {
    let mut failure = HubError::new("no-node", "there is no node to ask");
    for node in nodes {
        match request(&address::of_api(node, path)?, body).await {
            Ok((200..300, answer)) => return Ok(answer),
            Ok((status, answer)) => {
                failure = refusal(status, &answer);
                // The request is wrong, so it would be everywhere.
                if failure.code == Code::InvalidRequest.as_str() {
                    break;
                }
            }
            Err(thrown) => failure = HubError::thrown("no-node", &thrown),
        }
    }
    Err(failure)
}

/// What a node's `{ error }` says.
fn refusal(status: u16, answer: &JsValue) -> HubError {
    let code = match status {
        400 | 413 => Code::InvalidRequest,
        404 => Code::NotFound,
        429 => Code::RateLimited,
        _ => Code::Unavailable,
    };
    let text = field(answer, "error").and_then(|text| text.as_string());
    HubError::new(code.as_str(), text.unwrap_or_else(|| code.text().into()))
}

fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined())
}

/// One request: status and body.
async fn request(url: &str, body: Option<&str>) -> Result<(u16, JsValue), JsValue> {
    let init = body.map_or_else(|| Ok(RequestInit::new()), http::post_json)?;
    let response = http::fetch(url, &init, PATIENCE).await?;
    // A proxy on the way may answer in its own words.
    let answer = JsFuture::from(response.json()?).await.unwrap_or_default();
    Ok((response.status(), answer))
}
