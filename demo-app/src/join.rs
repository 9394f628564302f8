//! The door: name, network, nodes.

use leptos::prelude::*;
use leptos::task::{spawn_local, tick};
use web_sys::SubmitEvent;

use crate::address::NodeAddress;
use crate::icon::icon;
use crate::mesh::Standing;
use crate::state::{Choice, Stage, State};
use crate::{mesh_poll, remember, session};

/// Takes the first nodes in, and later every node that these tell of.
///
/// A page whose address names nodes uses those and only shows the others; else all are used.
pub fn prepare(state: State) {
    let wished = state.wish.with_value(|wish| wish.nodes.clone());
    let all = wished.is_empty();
    for address in wished.iter().cloned().chain(remember::own_origin().filter(|_| all)) {
        offer(state, address, true);
    }
    Effect::new(move || {
        for node in state.mesh.with(|mesh| mesh.nodes()) {
            if node.standing == Standing::Up {
                offer(state, node.address, all);
            }
        }
    });
    mesh_poll::start(state);
    if state.wish.with_value(|wish| wish.join) {
        spawn_local(async move {
            // The nodes that the first ones tell of are to be used, too.
            if all {
                mesh_poll::round(state).await;
                tick().await;
            }
            session::join(state);
        });
    }
}

/// Puts a node on the list, once. Inside the network the client may use it from now on.
fn offer(state: State, address: NodeAddress, ticked: bool) {
    let name = |address: &NodeAddress| state.mesh.with_untracked(|mesh| mesh.name_of(address));
    let known = state.choices.with_untracked(|choices| {
        choices.iter().any(|choice| choice.address == address || name(&choice.address) == name(&address))
    });
    if known {
        return;
    }
    state.mesh.update(|mesh| mesh.add(address.clone()));
    if let (true, Some(hub)) = (ticked, state.hub.get_untracked()) {
        // A node that the client will not take is still in the picture.
        let _ = hub.add_node(address.as_str());
    }
    let ticked = state.make(|| RwSignal::new(ticked));
    state.choices.update(|choices| choices.push(Choice { address, ticked }));
}

/// The form.
#[component]
pub fn Join() -> impl IntoView {
    let state = State::of_page();
    let joining = move || state.stage.get() == Stage::Joining;
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        session::join(state);
    };
    view! {
        <section class="panel door" aria-labelledby="join-title">
            <h1 id="join-title">"Calls that outlive their servers"</h1>
            <p class="lead">
                "Nodes introduce browsers to each other; then the browsers talk directly. \
                 Join, call another tab through another node, stop a node, and keep talking."
            </p>
            <form on:submit=submit>
                <label class="label-row">
                    "Your name"
                    <input class="field" type="text" data-testid="join-name" autocomplete="nickname" maxlength="40"
                        placeholder="How others see you" bind:value=state.name prop:disabled=joining />
                </label>
                <label class="label-row">
                    "Network"
                    <input class="field" type="text" data-testid="join-network" autocomplete="off" maxlength="64"
                        placeholder="lobby" bind:value=state.network prop:disabled=joining />
                    <span class="small">"A room: you meet those who write the same."</span>
                </label>
                <Nodes />
                <div class="submit">
                    <button type="submit" class="button bright" data-testid="join" prop:disabled=joining>
                        {move || if joining() { "Joining\u{2026}" } else { "Join" }}
                    </button>
                    <Show when=joining>
                        <button type="button" class="button quiet" data-testid="join-cancel" on:click=move |_| session::cancel(state)>
                            "Cancel"
                        </button>
                        <span class="small" role="status">"Waiting for the first node to answer."</span>
                    </Show>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Nodes() -> impl IntoView {
    let state = State::of_page();
    let more = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let add = move || match NodeAddress::parse(&more.get_untracked()) {
        Some(address) => {
            offer(state, address, true);
            more.set(String::new());
            wrong.set(false);
            mesh_poll::look_again(state);
        }
        None => wrong.set(true),
    };
    // Enter in this field adds a node; it does not join yet.
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            add();
        }
    };
    view! {
        <fieldset class="choices" data-testid="join-nodes">
            <legend>"Nodes"</legend>
            <For each=move || state.choices.get() key=|choice| choice.address.clone() let:choice>
                <NodeChoice choice />
            </For>
            <div class="add">
                <input class="field" type="text" inputmode="url" data-testid="join-add-node" autocomplete="off"
                    placeholder="another.node.example" aria-label="Address of another node"
                    aria-invalid=move || wrong.get().to_string() bind:value=more on:keydown=on_key />
                <button type="button" class="button quiet" data-testid="join-add" on:click=move |_| add()>"Add"</button>
            </div>
            <Show when=move || wrong.get()>
                <p class="small bad" role="alert">"That is no address. It looks like https://node.example or localhost:3001."</p>
            </Show>
        </fieldset>
    }
}

#[component]
fn NodeChoice(choice: Choice) -> impl IntoView {
    let state = State::of_page();
    let Choice { address, ticked } = choice;
    let (of, host) = (StoredValue::new(address.clone()), address.host().to_owned());
    let standing =
        Memo::new(move |_| of.with_value(|address| state.mesh.with(|mesh| mesh.standing(address))));
    let name = Memo::new(move |_| of.with_value(|address| state.mesh.with(|mesh| mesh.name_of(address))));
    view! {
        <label class="choice" data-testid="join-node" data-node-url=address.to_string() data-state=move || standing.get().word()>
            <input type="checkbox" bind:checked=ticked />
            <span class="sign">{move || icon(standing.get().word())}</span>
            <b>{name}</b>
            <span class="small host">{host}</span>
            <span class="small state">{move || match standing.get() {
                Standing::Unknown => "asking\u{2026}",
                Standing::Up => "up",
                Standing::Down => "down",
            }}</span>
        </label>
    }
}
