//! Who is here, and how to call them.

use leptos::prelude::*;

use crate::call::{self, Phase};
use crate::control;
use crate::icon::{Mark, icon};
use crate::mesh::Standing;
use crate::state::{Person, State, short};

/// The people of the network.
#[component]
pub fn People() -> impl IntoView {
    let state = State::of_page();
    let heading = NodeRef::<leptos::html::H2>::new();
    // The form that had the focus is gone: the keyboard goes on here.
    Effect::new(move || {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
    let people = Memo::new(move |_| state.people.get().into_values().collect::<Vec<_>>());
    view! {
        <section class="panel people" aria-labelledby="people-title">
            <h2 id="people-title" tabindex="-1" node_ref=heading>
                "Who is here"
                <span class="count">{move || people.with(Vec::len)}</span>
            </h2>
            <ul class="cards" data-testid="people">
                <For each=move || people.get() key=|person| person.peer_id.clone() let:person>
                    <Card peer_id=person.peer_id />
                </For>
            </ul>
            <Show when=move || people.with(Vec::is_empty)>
                <Invitation />
            </Show>
        </section>
    }
}

#[component]
fn Card(peer_id: String) -> impl IntoView {
    let state = State::of_page();
    let id = StoredValue::new(peer_id.clone());
    let shown = short(&peer_id);
    let person = Memo::new(move |_| id.with_value(|id| state.people.with(|people| people.get(id).cloned())));
    let of = move |what: fn(&Person) -> String| {
        person.with(|person| person.as_ref().map(what)).unwrap_or_default()
    };
    let name = move || of(|person| person.name.clone());
    let is_verified =
        Signal::derive(move || person.with(|person| person.as_ref().is_some_and(|p| p.is_verified)));
    let calls = move |camera| id.with_value(|id| call::start(state, id, camera));
    let phase = Memo::new(move |_| {
        let call = id.with_value(|id| {
            state
                .calls
                .with(|calls| calls.iter().find(|call| call.who.with(|who| &who.peer_id == id)).copied())
        });
        call.map(|call| (call.phase.get(), call.sends.get()))
    });
    let live = move || {
        phase.with(|p| p.as_ref().is_some_and(|(p, _)| !matches!(p, Phase::Closed | Phase::Failed(_))))
    };
    let with_video = move || live() && phase.with(|p| p.as_ref().is_some_and(|(_, sends)| *sends));
    view! {
        <li class="card" class:live=live data-testid=format!("peer-{peer_id}") data-peer-id=peer_id
            data-node=move || of(|person| person.node.clone())>
            <span class="face" aria-hidden="true">{move || initial(&name())}</span>
            <span class="who">
                <strong>
                    {name}
                    <Mark is_verified what="proved who they are" />
                </strong>
                <span class="small">
                    <code>{shown}</code>" through "<b>{move || of(|person| person.node.clone())}</b>
                </span>
            </span>
            <span class="actions">
                <Show when=move || !with_video()>
                    <button type="button" class="button" data-testid="call-video"
                        aria-label=move || format!("Call {} with video", name()) on:click=move |_| calls(true)>
                        {icon("camera")}
                        {move || if live() { "Add video" } else { "Call with video" }}
                    </button>
                </Show>
                <Show when=move || !live() fallback=|| view! { <span class="badge">"in a call with you"</span> }>
                    <button type="button" class="button quiet" data-testid="call-chat"
                        aria-label=move || format!("Call {} without camera", name()) on:click=move |_| calls(false)>
                        {icon("chat")}
                        "Without camera"
                    </button>
                </Show>
            </span>
        </li>
    }
}

/// Nobody is here: how to change that. Another tab through another node shows most.
#[component]
fn Invitation() -> impl IntoView {
    let state = State::of_page();
    let doors = Memo::new(move |_| {
        let network: String = js_sys::encode_uri_component(&state.network.get()).into();
        let nodes = state.mesh.with(|mesh| mesh.nodes());
        let up = nodes.into_iter().filter(|node| node.standing == Standing::Up);
        let door = |name: &str| format!("/demo/?network={network}{}", control::passed_on(state, name));
        up.map(|node| (node.address.at(&door(&node.name)), node.name)).collect::<Vec<_>>()
    });
    view! {
        <div class="empty">
            <p>"Nobody else is in "<b>{state.network}</b>" yet. Open a second tab, best through another node:"</p>
            <ul class="doors">
                {move || {
                    doors
                        .get()
                        .into_iter()
                        .map(|(url, name)| view! { <li><a href=url target="_blank" rel="noopener">{icon("open")}{name}</a></li> })
                        .collect_view()
                }}
            </ul>
        </div>
    }
}

/// The letter that stands for somebody.
pub fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}
