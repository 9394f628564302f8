//! The whole page.

use leptos::ev;
use leptos::prelude::*;

use crate::board_view::Board;
use crate::call_view::Calls;
use crate::control;
use crate::event_log::EventLog;
use crate::icon::icon;
use crate::join::{self, Join};
use crate::mesh_view::MeshView;
use crate::people::People;
use crate::remember;
use crate::session;
use crate::state::{Stage, State, short};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let state = State::new(remember::wish());
    provide_context(state);
    join::prepare(state);
    control::prepare(state);
    let inside = move || state.stage.get() == Stage::Inside;
    let arrangement = move || match (inside(), state.calls.with(Vec::is_empty)) {
        (false, _) => "outside",
        (true, true) => "inside",
        (true, false) => "calling",
    };
    let escape = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" {
            session::cancel(state);
            state.trouble.set(None);
            state.media.trouble.set(None);
        }
    });
    on_cleanup(move || escape.remove());
    view! {
        <Head />
        <Trouble text=state.trouble testid="trouble" />
        <Trouble text=state.media.trouble testid="media-trouble" />
        <main data-stage=arrangement>
            <Show when=inside fallback=|| view! { <Join /> }>
                <People />
                <Calls />
                <Board />
            </Show>
            <MeshView />
            <EventLog />
        </main>
    }
}

#[component]
fn Head() -> impl IntoView {
    let state = State::of_page();
    view! {
        <header class="head">
            <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
                <circle cx="16" cy="16" r="15" />
                <path d="M9.500 23 15 9M15.500 23 21 9" />
            </svg>
            <span class="brand">"PigeonHub"</span>
            {move || state.me.get().map(|me| {
                let shown = short(&me);
                view! {
                    <p class="me">
                        <b>{state.name.get()}</b>
                        <code data-testid="me-id" data-peer-id=me.clone() title=me>{shown}</code>
                        <span class="small">"in "<b>{state.network.get()}</b></span>
                    </p>
                    <button type="button" class="button quiet" data-testid="leave" on:click=move |_| session::leave(state)>
                        "Leave"
                    </button>
                }
            })}
        </header>
    }
}

#[component]
fn Trouble(text: RwSignal<Option<String>>, testid: &'static str) -> impl IntoView {
    view! {
        <div class="troubles" role="alert">
            {move || text.get().map(|words| view! {
                <div class="trouble" data-testid=testid>
                    <p>{words}</p>
                    <button type="button" class="button quiet" aria-label="Dismiss" on:click=move |_| text.set(None)>
                        {icon("down")}
                    </button>
                </div>
            })}
        </div>
    }
}
