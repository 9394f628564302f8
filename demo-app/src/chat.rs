//! Chat: what was said in a call, and the field to say more.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use crate::call::{Call, Phase};
use crate::clock;
use crate::file_transfer::{self, FileItem};
use crate::file_view::FileLine;
use crate::icon::icon;
use crate::state::State;
use crate::words::Word;

/// One entry of a chat.
#[derive(Clone)]
pub struct Line {
    /// Counts up within the chat.
    pub number: usize,
    /// Said by this side.
    pub mine: bool,
    /// When.
    pub time: String,
    /// What.
    pub what: What,
}

/// What an entry holds.
#[derive(Clone)]
pub enum What {
    /// Words.
    Text(String),
    /// A file, on its way or there.
    File(FileItem),
}

/// Adds an entry.
pub fn add(call: Call, mine: bool, what: What) {
    call.chat.update(|chat| {
        let number = chat.last().map_or(0, |line| line.number + 1);
        chat.push(Line { number, mine, time: clock::time_of_day(), what });
    });
}

/// The other side said something.
pub fn heard(call: Call, text: String) {
    add(call, false, What::Text(text));
}

fn say(call: Call, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        call.tell(&Word::Chat { text: text.to_owned() });
        add(call, true, What::Text(text.to_owned()));
    }
}

/// The chat of a call.
#[component]
pub fn Chat(call: Call) -> impl IntoView {
    let state = State::of_page();
    let draft = RwSignal::new(String::new());
    let open = move || matches!(*call.phase.read(), Phase::Connected | Phase::Interrupted);
    let end = NodeRef::<leptos::html::Ol>::new();
    // The newest line is the one to see.
    Effect::new(move || {
        call.chat.track();
        call.phase.track();
        if let Some(list) = end.get() {
            request_animation_frame(move || list.set_scroll_top(list.scroll_height()));
        }
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if open() {
            say(call, &draft.get_untracked());
            draft.set(String::new());
        }
    };
    let name = move || call.who.with(|who| who.name.clone());
    view! {
        <div class="chat">
            <ol class="chat-log" node_ref=end role="log" aria-live="polite" data-testid="chat-log"
                tabindex="0" aria-label=move || format!("Chat with {}", name())>
                <For each=move || call.chat.get() key=|line| line.number let:line>
                    <ChatLine call line />
                </For>
            </ol>
            <form class="chat-form" on:submit=send>
                <label class="button quiet" class:off=move || !open() title="Send a file">
                    {icon("file")}
                    <span class="unseen">"Send a file"</span>
                    <input class="unseen" type="file" data-testid="file-input" prop:disabled=move || !open()
                        on:change=move |event| file_transfer::send_chosen(state, call, &event_target(&event)) />
                </label>
                <input type="text" class="field" data-testid="chat-input" autocomplete="off" enterkeyhint="send"
                    placeholder=move || if open() { "Say something" } else { "Not connected" }
                    aria-label=move || format!("Message to {}", name())
                    bind:value=draft prop:disabled=move || !open() />
                <button type="submit" class="button quiet" data-testid="chat-send" prop:disabled=move || !open()
                    title="Send">
                    {icon("send")}
                    <span class="unseen">"Send"</span>
                </button>
            </form>
        </div>
    }
}

#[component]
fn ChatLine(call: Call, line: Line) -> impl IntoView {
    let who = if line.mine { "You".to_owned() } else { call.name() };
    let what = match line.what {
        What::Text(text) => view! { <p>{text}</p> }.into_any(),
        What::File(item) => view! { <FileLine call item mine=line.mine /> }.into_any(),
    };
    view! {
        <li class="line" class:mine=line.mine data-mine=line.mine.to_string() title=line.time>
            <span class="unseen">{who}": "</span>
            {what}
        </li>
    }
}
