//! Nodes that can be killed from the page. Only `cargo xtask demo` offers that: the fragment of the
//! address that it prints says where its control is, on this very machine. No node knows of it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

use crate::mesh_poll;
use crate::narration::Tone;
use crate::state::State;

/// Where the control is: `http://127.0.0.1:port/secret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control(String);

/// What it can do to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGKILL: it ends in the middle of whatever it does.
    Kill,
    /// Start it again, at the same address.
    Start,
}

impl Order {
    /// Its name in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Start => "start",
        }
    }

    /// What the button says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Kill => "Kill this node",
            Self::Start => "Start it again",
        }
    }

    fn told(self, node: &str) -> String {
        match self {
            Self::Kill => format!("You killed {node}: SIGKILL, no goodbye."),
            Self::Start => format!("You started {node} again; it remembers nothing."),
        }
    }
}

impl Control {
    /// Reads the fragment of the page's address: `#control=http://127.0.0.1:port/secret`. Another
    /// machine's control is none.
    pub fn read(fragment: &str) -> Option<Self> {
        let url = fragment.trim_start_matches('#').strip_prefix("control=")?;
        let (port, secret) = url.strip_prefix("http://127.0.0.1:")?.split_once('/')?;
        let is_sound = port.parse::<u16>().is_ok()
            && !secret.is_empty()
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_sound.then(|| Self(url.to_owned()))
    }

    fn nodes(&self) -> String {
        format!("{}/nodes", self.0)
    }

    fn order(&self, node: &str, order: Order) -> String {
        let node: String = js_sys::encode_uri_component(node).into();
        format!("{}/nodes/{node}/{}", self.0, order.word())
    }
}

/// What the address of another page ends with, so that it may do the same: if one of the demo's own
/// nodes serves it.
pub fn passed_on(state: State, node: &str) -> String {
    let is_own = state.controlled.with(|nodes| nodes.iter().any(|own| own == node));
    match state.control.get_value().filter(|_| is_own) {
        Some(Control(url)) => format!("#control={url}"),
        None => String::new(),
    }
}

/// Asks the control, if there is one, which nodes it has.
pub fn prepare(state: State) {
    let fragment = window().location().hash().unwrap_or_default();
    let Some(control) = Control::read(&fragment) else { return };
    state.control.set_value(Some(control.clone()));
    spawn_local(async move {
        // Without an answer there are no buttons: the demo was stopped.
        if let Ok(nodes) = mesh_poll::get(control.nodes()).await {
            state.controlled.set(nodes);
        }
    });
}

/// Does this to a node, and tells how it went.
pub fn give(state: State, node: String, order: Order) {
    let Some(control) = state.control.get_value() else { return };
    spawn_local(async move {
        if post(&control.order(&node, order)).await {
            state.say(Tone::Plain, order.told(&node));
        } else {
            state.say(Tone::Bad, format!("The demo did not {} {node}.", order.word()));
        }
        mesh_poll::look_again(state);
    });
}

async fn post(url: &str) -> bool {
    let request = RequestInit::new();
    request.set_method("POST");
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &request)).await;
    answer.is_ok_and(|answer| answer.dyn_into().is_ok_and(|answer: Response| answer.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_control_of_this_machine_is_one() {
        let read = |fragment: &str| Control::read(fragment).map(|control| control.0);
        assert_eq!(read("#control=http://127.0.0.1:40/a1").as_deref(), Some("http://127.0.0.1:40/a1"));
        for fragment in [
            "",
            "#",
            "#control=",
            "#control=http://127.0.0.1:40/",
            "#control=http://127.0.0.1:99999/a1",
            "#control=http://127.0.0.1:40@evil.example/a1",
            "#control=http://evil.example:40/a1",
            "#control=https://127.0.0.1:40/a1",
            "#control=http://127.0.0.1:40/a1/../x",
        ] {
            assert_eq!(read(fragment), None, "{fragment}");
        }
    }
}
