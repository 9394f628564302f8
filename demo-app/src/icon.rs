//! Line icons, drawn here so that the page needs no font for them.

use leptos::prelude::*;

/// An icon by name; decoration only, whatever it stands for is said in words beside it.
pub fn icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=strokes(name) />
        </svg>
    }
}

/// The mark of what is proven, with words for those who do not see it. Nothing if it is not proven.
#[component]
pub fn Mark(
    /// Whether it is.
    #[prop(into)]
    is_verified: Signal<bool>,
    /// What the mark means, in words.
    what: &'static str,
) -> impl IntoView {
    view! {
        <Show when=move || is_verified.get()>
            <span class="mark" data-testid="verified" title=what>
                {icon("verified")}
                <span class="unseen">" ("{what}")"</span>
            </span>
        </Show>
    }
}

/// The strokes of an icon on a grid of 24 by 24.
pub fn strokes(name: &str) -> &'static str {
    match name {
        "mic" => "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5 11a7 7 0 0 0 14 0M12 18v3",
        "mic-off" => {
            "M9 5.5A3 3 0 0 1 15 6v5M15 14a3 3 0 0 1-6-3V9M5 11a7 7 0 0 0 11.5 5.4M19 11v1M12 18v3M4 4l16 16"
        }
        "camera" => {
            "M4 7h10a1.5 1.5 0 0 1 1.5 1.5v7A1.5 1.5 0 0 1 14 17H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7ZM15.5 11l6-3v8l-6-3"
        }
        "camera-off" => {
            "M9 7h5a1.5 1.5 0 0 1 1.5 1.5V11l6-3v8l-4-2M14 17H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7M4 4l16 16"
        }
        "hang-up" => {
            "M3 14.5c0-1.5.5-2.5 1.7-3.2a14.5 14.5 0 0 1 14.6 0c1.2.7 1.7 1.7 1.7 3.2v1c0 .6-.5 1-1.1.9l-3.6-.7a1 1 0 0 1-.8-1v-2.2a12 12 0 0 0-7 0v2.2a1 1 0 0 1-.8 1l-3.6.7c-.6.1-1.1-.3-1.1-.9Z"
        }
        "chat" => "M4 5h16v11H9.5L5 20v-4H4Z",
        "file" => "M6 3h8l4 4v14H6ZM14 3v4h4",
        "send" => "M4 12 20 4l-5 16-3.5-6.5ZM11.5 13.5 20 4",
        "up" => "M5 12.5 10 17.5 19 7.5",
        "down" => "M6 6l12 12M18 6 6 18",
        "unknown" => "M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 2.2M12 17.5v.5",
        "sound" => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
        "verified" => {
            "M12 3 19 5.5V11c0 4.500-2.900 7.900-7 9.500C7.900 18.900 5 15.500 5 11V5.500ZM8.500 11.500 11 14 15.500 9"
        }
        "open" => "M13 5h6v6M19 5l-9 9M17 14v5H5V7h5",
        _ => "",
    }
}
