//! Asking the nodes' HTTP API: one node after the other until one answers.

use js_sys::Reflect;
use pigeonhub_client_core::NodeUrl;
use pigeonhub_protocol::Code;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestInit;

use crate::error::HubError;
use crate::{address, http};

/// How long one node may take, in milliseconds.
const PATIENCE: u32 = 5_000;

/// Asks until a node says yes, or says what every node would.
pub(crate) async fn ask(nodes: &[NodeUrl], path: &str, body: Option<&str>) -> Result<JsValue, HubError> {
    let mut failure = HubError::new("no-node", "there is no node to ask");
    for node in nodes {
        match request(&address::of_api(node, path)?, body).await {
            Ok((200..300, answer)) => return Ok(answer),
            Ok((status, answer)) => {
                let code = refusal(status, &answer);
                let text = field(&answer, "error").and_then(|text| text.as_string());
                failure = HubError::new(code.as_str(), text.unwrap_or_else(|| code.text().into()));
                // What is wrong here is wrong everywhere; what was kept is not to be kept twice.
                if code == Code::NotReplicated || (status < 500 && code != Code::RateLimited) {
                    break;
                }
            }
            Err(thrown) => failure = HubError::thrown("no-node", &thrown),
        }
    }
    Err(failure)
}

/// The code that a node gave, or that fits what stands before it.
fn refusal(status: u16, answer: &JsValue) -> Code {
    let said = field(answer, "code").and_then(|code| code.as_string()?.parse().ok());
    said.unwrap_or(match status {
        413 => Code::MessageTooLarge,
        429 => Code::RateLimited,
        404 => Code::NotFound,
        400..500 => Code::InvalidRequest,
        _ => Code::Unavailable,
    })
}

/// A field that is there.
pub(crate) fn field(object: &JsValue, name: &str) -> Option<JsValue> {
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
