//! The board on the page.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use crate::board::{self, LONGEST, Note};
use crate::clock;
use crate::icon::{Mark, icon};
use crate::state::{State, short};

/// The notes of the network, newest first, and the field for another one.
#[component]
pub fn Board() -> impl IntoView {
    let state = State::of_page();
    let draft = RwSignal::new(String::new());
    let is_empty = Memo::new(move |_| draft.with(|draft| draft.trim().is_empty()));
    let pin_up = move |event: SubmitEvent| {
        event.prevent_default();
        if !is_empty.get_untracked() {
            board::pin_up(state, &draft.get_untracked());
            draft.set(String::new());
        }
    };
    view! {
        <section class="panel board" aria-labelledby="board-title">
            <h2 id="board-title">
                "Board"
                <span class="count">{move || state.board.with(Vec::len)}</span>
            </h2>
            <form class="chat-form" on:submit=pin_up>
                <input type="text" class="field" data-testid="note-input" autocomplete="off" maxlength=LONGEST.to_string()
                    placeholder="A note for everybody here" aria-label="A note for everybody here" bind:value=draft />
                <button type="submit" class="button" data-testid="note-send" prop:disabled=is_empty>"Pin up"</button>
            </form>
            <ul class="notes" data-testid="board" aria-live="polite" aria-relevant="additions">
                <For each=move || state.board.get() key=|note| (note.id.clone(), note.written) let:note>
                    <Card note />
                </For>
            </ul>
            <Show when=move || state.board.with(Vec::is_empty)>
                <p class="empty small">
                    "Notes are kept by the nodes for an hour, whoever leaves and whichever node dies. \
                     Each is signed by who wrote it."
                </p>
            </Show>
        </section>
    }
}

#[component]
fn Card(note: Note) -> impl IntoView {
    let state = State::of_page();
    let mine = note.peer_id.is_some() && note.peer_id == state.me.get_untracked();
    let is_verified = note.peer_id.is_some();
    let writer = note.peer_id.as_deref().map(short);
    let (name, text, time) = (note.name.clone(), note.text.clone(), clock::time_at(note.written));
    let peer_id = note.peer_id.clone();
    let label = format!("Take down: {text}");
    view! {
        <li class="note-card" class:mine=mine data-testid="note" data-mine=mine.to_string()
            data-verified=is_verified.to_string() data-peer-id=peer_id>
            <p>{text}</p>
            <footer class="small">
                <b>{if mine { "You".to_owned() } else { name }}</b>
                <Mark is_verified what="signed by its writer" />
                {writer.map(|writer| view! { <code>{writer}</code> })}
                {(!is_verified).then_some("not signed by its writer")}
                <time>{time}</time>
                {mine.then(|| view! {
                    <button type="button" class="link" data-testid="note-remove" aria-label=label
                        on:click=move |_| board::take_down(state, &note)>
                        {icon("down")}
                        "Take down"
                    </button>
                })}
            </footer>
        </li>
    }
}
