//! What the page tells about itself: back, or going away.

use pigeonhub_client_core::{Command, Input};
use wasm_bindgen::JsCast;
use web_sys::{PageTransitionEvent, VisibilityState};

use crate::engine::Tell;
use crate::listener::Listener;

/// Reports the page's comings and goings until dropped. Outside of pages there are none.
pub(crate) fn watch(tell: &Tell) -> Vec<Listener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let resume = || {
        let tell = tell.clone();
        move |_| tell(Input::Resume)
    };
    let leave = tell.clone();
    let mut listeners = vec![
        Listener::new(&window, "online", resume()),
        Listener::new(&window, "pageshow", resume()),
        Listener::new(&window, "pagehide", move |event| {
            // Persisted, the page may come back as it was; else this is the last chance to say
            // goodbye.
            if !event.unchecked_ref::<PageTransitionEvent>().persisted() {
                leave(Input::Command(Command::Close));
            }
        }),
    ];
    if let Some(document) = window.document() {
        let (resume, page) = (resume(), document.clone());
        listeners.push(Listener::new(&document, "visibilitychange", move |event| {
            if page.visibility_state() == VisibilityState::Visible {
                resume(event);
            }
        }));
    }
    listeners
}
