//! What the page tells about itself: back, frozen, or going away.

use pigeonhub_client_core::{Command, Input};
use wasm_bindgen::JsCast;
use web_sys::{PageTransitionEvent, VisibilityState};

use crate::engine::Tell;
use crate::listener::Listener;

/// Reports the page's comings and goings until dropped. Outside of pages there are none.
pub(crate) fn watch(tell: &Tell) -> Vec<Listener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let report = |input: fn() -> Input| {
        let tell = tell.clone();
        move |_| tell(input())
    };
    let resume = || report(|| Input::Resume);
    let leave = tell.clone();
    let mut listeners = vec![
        Listener::new(&window, "online", resume()),
        Listener::new(&window, "pageshow", resume()),
        Listener::new(&window, "pagehide", move |event| {
            // Persisted, the page is frozen and may come back as it was; else this is the last chance to
            // say goodbye.
            let is_frozen = event.unchecked_ref::<PageTransitionEvent>().persisted();
            leave(if is_frozen { Input::Freeze } else { Input::Command(Command::Close) });
        }),
    ];
    if let Some(document) = window.document() {
        listeners.push(Listener::new(&document, "freeze", report(|| Input::Freeze)));
        listeners.push(Listener::new(&document, "resume", resume()));
        let (resume, page) = (resume(), document.clone());
        listeners.push(Listener::new(&document, "visibilitychange", move |event| {
            if page.visibility_state() == VisibilityState::Visible {
                resume(event);
            }
        }));
    }
    listeners
}
