//! A file in the chat: its progress, then where to save it.

use leptos::prelude::*;

use crate::call::Call;
use crate::file_transfer::{self, FileItem, Progress};
use crate::icon::icon;
use crate::words::readable_size;

/// One file.
#[component]
pub fn FileLine(call: Call, item: FileItem, mine: bool) -> impl IntoView {
    let FileItem { header, progress } = item.clone();
    let (name, size) = (header.name.clone(), header.size);
    let stop = StoredValue::new(item);
    let title = name.clone();
    let state = move || match *progress.read() {
        Progress::Moving(_) | Progress::Sent => "moving",
        Progress::Whole(_) => "whole",
        Progress::Stopped(_) => "stopped",
    };
    let body = move || {
        match progress.get() {
        Progress::Moving(bytes) => view! {
            <progress data-testid="file-progress" max=size.max(1) value=bytes aria-label=format!("{name}, on its way") />
            <span class="small">{format!("{} of {}", readable_size(bytes), readable_size(size))}</span>
            <button type="button" class="link" on:click=move |_| stop.with_value(|item| file_transfer::give_up(call, item, mine))>
                "Stop"
            </button>
        }
        .into_any(),
        Progress::Sent => view! {
            <progress data-testid="file-progress" max=1 value=1 aria-label=format!("{name}, all sent") />
            <span class="small">"Sent; waiting for their word that it is whole"</span>
        }
        .into_any(),
        Progress::Whole(None) => view! { <span class="small">{readable_size(size)}" \u{b7} delivered"</span> }.into_any(),
        Progress::Whole(Some(url)) => view! {
            <a class="save" data-testid="file-link" href=url download=name.clone()>
                {format!("Save ({})", readable_size(size))}
            </a>
        }
        .into_any(),
        Progress::Stopped(reason) => view! { <span class="small bad">{format!("Not sent: {reason}.")}</span> }.into_any(),
    }
    };
    view! {
        <div class="file" data-testid="file" data-state=state>
            {icon("file")}
            <span class="file-name">{title}</span>
            {body}
        </div>
    }
}
