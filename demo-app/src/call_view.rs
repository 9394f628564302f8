//! A call on the page: pictures, buttons, chat.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, MediaStream};

use crate::call::{self, Call, Phase};
use crate::chat::Chat;
use crate::icon::{Mark, icon};
use crate::people::initial;
use crate::state::State;

/// All calls, side by side.
#[component]
pub fn Calls() -> impl IntoView {
    let state = State::of_page();
    view! {
        <div class="calls">
            <For each=move || state.calls.get() key=|call| call.who let:call>
                <CallPanel call />
            </For>
        </div>
    }
}

#[component]
fn CallPanel(call: Call) -> impl IntoView {
    let state = State::of_page();
    let name = Memo::new(move |_| call.who.with(|who| who.name.clone()));
    let is_verified = Signal::derive(move || call.who.with(|who| who.is_verified));
    let status = move || match call.phase.get() {
        Phase::Connecting => "Connecting\u{2026}".to_owned(),
        Phase::Connected => "Connected".to_owned(),
        Phase::Interrupted => "Interrupted: repairing the connection\u{2026}".to_owned(),
        Phase::Closed => "The call is over".to_owned(),
        Phase::Failed(why) => why,
    };
    let over = move || matches!(*call.phase.read(), Phase::Closed | Phase::Failed(_));
    let can_answer = move || call.remote.with(Option::is_some) && !call.sends.get() && !over();
    // Neither side is seen: the words get the room.
    let plain = move || !call.sends.get() && call.remote.with(Option::is_none);
    let peer_id = call.peer_id();
    view! {
        <section class="panel call" class:plain=plain data-testid=format!("call-{peer_id}") aria-label=move || format!("Call with {}", name.get())>
            <header class="call-head">
                <h2>
                    {name}
                    <Mark is_verified=is_verified what="proved who they are" />
                </h2>
                <p class="link-state" data-testid="link-state" data-state=move || call.phase.read().word() role="status">
                    {status}
                </p>
            </header>
            <div class="call-body">
                <div class="stage">
                    <Remote call />
                    <Show when=move || call.sends.get() && state.media.has_camera()>
                        <Local />
                    </Show>
                    <Show when=can_answer>
                        <button type="button" class="button bright answer" data-testid="answer-video"
                            on:click=move |_| spawn_local(call::share_camera(state, call))>
                            {icon("camera")}
                            "Answer with camera"
                        </button>
                    </Show>
                </div>
                <Chat call />
            </div>
            <Controls call />
        </section>
    }
}

#[component]
fn Controls(call: Call) -> impl IntoView {
    let state = State::of_page();
    let media = state.media;
    let over = move || matches!(*call.phase.read(), Phase::Closed | Phase::Failed(_));
    let connected = move || matches!(*call.phase.read(), Phase::Connected | Phase::Interrupted);
    let mic_on = move || call.sends.get() && media.mic.get();
    let camera_on = move || call.sends.get() && media.camera.get() && media.has_camera();
    let toggle_mic = move |_| {
        media.set_mic(!media.mic.get_untracked());
        call::tell_media(state);
    };
    let toggle_camera = move |_| {
        if !call.sends.get_untracked() {
            spawn_local(call::share_camera(state, call));
        } else if untrack(|| media.has_camera()) {
            media.set_camera(!media.camera.get_untracked());
            call::tell_media(state);
        } else {
            // Only the voice is sent: perhaps the camera is there by now.
            call::share_again(state);
        }
    };
    let again = move |camera| {
        let peer_id = call.peer_id();
        call::start(state, &peer_id, camera);
    };
    let live = move || {
        view! {
            <button type="button" class="button quiet" data-testid="mute" aria-pressed=move || (!mic_on()).to_string()
                prop:disabled=move || !call.sends.get() on:click=toggle_mic>
                {move || icon(if mic_on() { "mic" } else { "mic-off" })}
                {move || if mic_on() { "Mute" } else { "Unmute" }}
            </button>
            <button type="button" class="button quiet" data-testid="camera" aria-pressed=move || camera_on().to_string()
                prop:disabled=move || !connected() on:click=toggle_camera>
                {move || icon(if camera_on() { "camera" } else { "camera-off" })}
                {move || if camera_on() { "Camera off" } else { "Camera on" }}
            </button>
            <button type="button" class="button end" data-testid="hangup" on:click=move |_| call::hang_up(state, call)>
                {icon("hang-up")}
                "Hang up"
            </button>
        }
    };
    let ended = move || {
        view! {
            <button type="button" class="button" data-testid="call-again" on:click=move |_| again(false)>
                {icon("chat")}
                "Call again"
            </button>
            <button type="button" class="button quiet" data-testid="put-away" on:click=move |_| call::hang_up(state, call)>
                {icon("down")}
                "Put away"
            </button>
        }
    };
    view! {
        <div class="controls" role="group" aria-label="Call controls">
            <Show when=over fallback=live>
                {ended()}
            </Show>
        </div>
    }
}

/// What the other side sends, or a sign of who it is.
#[component]
fn Remote(call: Call) -> impl IntoView {
    let video = NodeRef::<html::Video>::new();
    let silent = RwSignal::new(false);
    let sees = move || {
        call.remote.with(|stream| stream.as_ref().is_some_and(|s| s.get_video_tracks().length() > 0))
            && call.theirs.get().1
    };
    Effect::new(move || {
        let Some(element) = video.get() else { return };
        call.remote.with(|stream| show(&element, stream.as_ref(), silent));
    });
    let unmute = move |_| {
        if let Some(element) = video.get_untracked() {
            element.set_muted(false);
            silent.set(false);
        }
    };
    let note = move || {
        let name = call.who.with(|who| who.name.clone());
        match (call.phase.get(), call.remote.with(Option::is_some), call.theirs.get()) {
            (Phase::Connected | Phase::Interrupted, true, (false, false)) => {
                format!("{name}'s camera and microphone are off")
            }
            (Phase::Connected | Phase::Interrupted, true, (_, false)) => format!("{name}'s camera is off"),
            (Phase::Connected | Phase::Interrupted, true, (false, true)) => format!("{name} is muted"),
            (Phase::Connected | Phase::Interrupted, false, _) => "No video from them".to_owned(),
            _ => String::new(),
        }
    };
    view! {
        <video class="remote" class:hidden=move || !sees() node_ref=video autoplay playsinline data-testid="remote-video"
            aria-label=move || call.who.with(|who| format!("Video of {}", who.name)) />
        <Show when=move || !sees()>
            <span class="face large" aria-hidden="true">{move || call.who.with(|who| initial(&who.name))}</span>
        </Show>
        <p class="note" class:over-video=sees>{note}</p>
        <Show when=move || silent.get()>
            <button type="button" class="button bright sound" data-testid="sound-on" on:click=unmute>
                {icon("sound")}
                "Turn sound on"
            </button>
        </Show>
    }
}

/// The own picture, as in a mirror.
#[component]
fn Local() -> impl IntoView {
    let state = State::of_page();
    let video = NodeRef::<html::Video>::new();
    Effect::new(move || {
        let Some(element) = video.get() else { return };
        element.set_muted(true);
        element.set_src_object(state.media.stream.get().as_ref());
    });
    view! {
        <video class="local" class:dark=move || !state.media.camera.get() node_ref=video autoplay playsinline muted
            data-testid="local-video" aria-label="Your own video" />
    }
}

/// Plays a stream. A page that nobody touched yet may not make sound: then silently, and `silent` says so.
fn show(element: &HtmlVideoElement, stream: Option<&MediaStream>, silent: RwSignal<bool>) {
    if element.src_object().as_ref() == stream {
        return;
    }
    element.set_src_object(stream);
    if stream.is_none() {
        return;
    }
    let element = element.clone();
    spawn_local(async move {
        let Ok(playing) = element.play() else { return };
        if let Err(thrown) = JsFuture::from(playing).await {
            let name = js_sys::Reflect::get(&thrown, &"name".into()).ok().and_then(|name| name.as_string());
            if name.as_deref() == Some("NotAllowedError") {
                element.set_muted(true);
                silent.set(true);
                let _ = element.play();
            }
        }
    });
}
