//! What happened, in plain words.

use leptos::prelude::*;

use crate::narration::Tone;
use crate::state::State;

/// The log, newest first for the eye; it is read out as it comes.
#[component]
pub fn EventLog() -> impl IntoView {
    let state = State::of_page();
    let entries = move || state.log.get().into_iter().rev();
    let sign = |tone| match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Bad => "bad",
    };
    view! {
        <section class="panel events" aria-labelledby="log-title">
            <h2 id="log-title">"What happened"</h2>
            <ol class="log" data-testid="log" role="log" aria-live="polite" aria-relevant="additions">
                <For each=entries key=|entry| entry.number let:entry>
                    <li class=sign(entry.line.tone)>
                        <time>{entry.time}</time>
                        <span>{entry.line.text}</span>
                    </li>
                </For>
            </ol>
        </section>
    }
}
