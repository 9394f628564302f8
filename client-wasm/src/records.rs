//! Records: what peers publish at the nodes, over the nodes' HTTP API.

use pigeonhub_client_core::NodeUrl;
use pigeonhub_protocol::{Code, RawJson};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use crate::address;
use crate::error::HubError;

/// How long one node may take, in milliseconds.
const PATIENCE: u32 = 5_000;

/// The body of `POST /api/publish`.
#[derive(Serialize)]
struct Publication<'a> {
    topic: &'a str,
    data: &'a RawJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
}

/// What a node answers instead.
#[derive(Deserialize)]
struct Refused {
    error: String,
    code: Option<Code>,
}

/// The answer to `GET /api/find/{topic}`.
#[derive(Deserialize)]
struct Found {
    records: RawJson,
}

/// Publishes JSON under a topic, for `ttl` seconds if it says so, at the first node that takes it.
/// Gives that node's receipt.
pub(crate) async fn publish(
    nodes: &[NodeUrl],
    topic: &str,
    json: &str,
    ttl: Option<u32>,
) -> Result<String, HubError> {
    let data: RawJson =
        serde_json::from_str(json).map_err(|_| HubError::new("invalid-request", "a record is JSON"))?;
    let body = serde_json::to_string(&Publication { topic, data: &data, ttl });
    let body = body.map_err(|error| HubError::new("invalid-request", error.to_string()))?;
    ask(nodes, "/api/publish", Some(&body)).await
}

/// The records of a topic, a JSON array, as the first node that answers has them.
pub(crate) async fn find(nodes: &[NodeUrl], topic: &str) -> Result<RawJson, HubError> {
    let path = String::from("/api/find/") + &String::from(js_sys::encode_uri_component(topic));
    let answer = ask(nodes, &path, None).await?;
    serde_json::from_str::<Found>(&answer)
        .map(|found| found.records)
        .map_err(|_| HubError::new("unavailable", "the node's answer is not understood"))
}

/// Asks one node after the other until one answers.
async fn ask(nodes: &[NodeUrl], path: &str, body: Option<&str>) -> Result<String, HubError> {
    let mut failure = HubError::new("no-node", "there is no node to ask");
    for node in nodes {
        match request(&address::of_api(node, path)?, body).await {
            Ok((200..300, answer)) => return Ok(answer),
            Ok((status, answer)) => {
                failure = refusal(&answer);
                // The request is wrong, so it would be everywhere.
                if matches!(status, 400 | 413) {
                    break;
                }
            }
            Err(thrown) => failure = HubError::thrown("no-node", &thrown),
        }
    }
    Err(failure)
}

fn refusal(answer: &str) -> HubError {
    match serde_json::from_str::<Refused>(answer) {
        Ok(Refused { error, code }) => HubError::new(code.unwrap_or(Code::Unavailable).as_str(), error),
        Err(_) => HubError::new(Code::Unavailable.as_str(), Code::Unavailable.text()),
    }
}

/// One request: status and body.
async fn request(url: &str, body: Option<&str>) -> Result<(u16, String), JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let init = RequestInit::new();
    if body.is_some() {
        init.set_method("POST");
        init.set_body_opt_str(body);
        let headers = js_sys::Object::new();
        js_sys::Reflect::set(&headers, &"Content-Type".into(), &"application/json".into())?;
        init.set_headers(&headers);
    }
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let response = JsFuture::from(window.fetch_with_str_and_init(url, &init)).await?;
    let response: Response = response.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}
