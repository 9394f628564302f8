//! Asks every node, again and again, what it sees.

use futures_util::future::{join, join_all};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use crate::address::NodeAddress;
use crate::mesh::Answers;
use crate::state::State;
use crate::{clock, session};

/// Between two rounds.
const PAUSE: i32 = 2_000;
/// A node that takes longer counts as silent.
const PATIENCE: u32 = 1_500;

/// Starts asking; never stops.
pub fn start(state: State) {
    spawn_local(async move {
        loop {
            round(state).await;
            session::catch_up(state);
            clock::sleep(PAUSE).await;
        }
    });
}

/// Asks once, now: something happened that the nodes know more about.
pub fn look_again(state: State) {
    spawn_local(round(state));
}

/// Asks all nodes at once, then those that they told of. What they say is shown as it comes.
pub async fn round(state: State) {
    let mut asked = Vec::new();
    loop {
        let mut addresses = state.mesh.with_untracked(|mesh| mesh.addresses());
        addresses.retain(|address| !asked.contains(address));
        if addresses.is_empty() {
            return;
        }
        asked.extend(addresses.iter().cloned());
        let network = state.network.get_untracked();
        join_all(addresses.into_iter().map(|address| visit(state, address, network.clone()))).await;
    }
}

async fn visit(state: State, address: NodeAddress, network: String) {
    let outcome = ask(&address, &network).await;
    let before = state.mesh.get_untracked();
    let mut mesh = before.clone();
    match outcome {
        Ok(answers) => mesh.answered(&address, answers),
        Err(failure) => mesh.silent(&address, failure == Failure::Refused),
    }
    // Most rounds bring nothing new; then nothing is drawn again.
    if mesh != before {
        state.mesh.set(mesh);
        state.narrate_mesh();
    }
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody is there, or nobody who speaks our language.
    Refused,
    /// No answer within the time.
    TimedOut,
}

/// `/health` must answer; without the rest the picture is poorer, not wrong.
async fn ask(address: &NodeAddress, network: &str) -> Result<Answers, Failure> {
    let network: String = js_sys::encode_uri_component(network).into();
    let health = get(address.at("/health")).await?;
    let rest = join(get(address.at("/signaling")), get(address.at(&format!("/peers?network={network}"))));
    let (signaling, peers) = rest.await;
    Ok(Answers { health, signaling: signaling.unwrap_or_default(), peers: peers.unwrap_or_default() })
}

/// A JSON answer.
pub async fn get<T: DeserializeOwned>(url: String) -> Result<T, Failure> {
    let request = RequestInit::new();
    request.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let refused = |_| Failure::Refused;
    let response = JsFuture::from(window().fetch_with_str_and_init(&url, &request))
        .await
        .map_err(|thrown| failure(&thrown))?;
    let response: Response = response.dyn_into().map_err(refused)?;
    let text = JsFuture::from(response.text().map_err(refused)?).await.map_err(|thrown| failure(&thrown))?;
    if !response.ok() {
        return Err(Failure::Refused);
    }
    serde_json::from_str(&text.as_string().unwrap_or_default()).map_err(|_| Failure::Refused)
}

fn failure(thrown: &wasm_bindgen::JsValue) -> Failure {
    let name = js_sys::Reflect::get(thrown, &"name".into()).ok().and_then(|name| name.as_string());
    if name.as_deref() == Some("TimeoutError") { Failure::TimedOut } else { Failure::Refused }
}
