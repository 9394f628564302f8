//! The live picture of the mesh as SVG, and the same in words.

use leptos::prelude::*;

use crate::control::{self, Order};
use crate::icon::{icon, strokes};
use crate::mesh::Standing;
use crate::mesh_layout::{HEIGHT, WIDTH, is_low};
use crate::narration::all_of;
use crate::people::initial;
use crate::picture::{self, Picture, PlacedNode, PlacedPeer, Wire};
use crate::state::{State, short};

/// The picture with its caption and the list of nodes.
#[component]
pub fn MeshView() -> impl IntoView {
    let state = State::of_page();
    let picture = Memo::new(move |_| picture::draw(state));
    let nodes = move || picture.with(|picture| picture.nodes.clone());
    view! {
        <section class="panel mesh" aria-labelledby="mesh-title">
            <h2 id="mesh-title">"The mesh, now"</h2>
            <svg class="picture" viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" data-testid="mesh"
                aria-label=move || picture.with(in_words)>
                <defs>
                    <linearGradient id="sheen" gradientUnits="userSpaceOnUse" x1="60" y1="40" x2="340" y2="280">
                        <stop offset="0" class="sheen-a" />
                        <stop offset="1" class="sheen-b" />
                    </linearGradient>
                </defs>
                {move || picture.with(lines)}
                <For each=nodes key=|node| node.node.name.clone() let:placed>
                    <NodeMark picture name=placed.node.name />
                </For>
                <For each=move || picture.with(|p| p.peers.clone()) key=|peer| peer.peer_id.clone() let:peer>
                    <PeerMark picture peer />
                </For>
                {move || picture.with(birds)}
            </svg>
            <p class="legend" aria-hidden="true">
                <span class="key key-call">"the call itself"</span>
                <span class="key key-signal">"the way of its signals"</span>
                <span class="key key-mine">"your nodes"</span>
            </p>
            <ul class="nodes">
                <For each=nodes key=|node| node.node.name.clone() let:placed>
                    <NodeRow picture name=placed.node.name />
                </For>
            </ul>
        </section>
    }
}

fn find(picture: Memo<Picture>, name: &str) -> Option<PlacedNode> {
    picture.with(|picture| picture.nodes.iter().find(|placed| placed.node.name == name).cloned())
}

fn lines(picture: &Picture) -> impl IntoView + use<> {
    let line = |wire: &Wire, class: &'static str| {
        let Wire { from, to, alive } = *wire;
        view! { <line class=class class:dead=!alive x1=from.x y1=from.y x2=to.x y2=to.y /> }
    };
    let wires = picture.wires.iter().map(|wire| line(wire, "wire")).collect_view();
    let tethers = picture.peers.iter().flat_map(|peer| {
        let class = if peer.is_me { "tether me" } else { "tether" };
        peer.homes.iter().map(move |home| line(&Wire { from: peer.at, to: *home, alive: true }, class))
    });
    let tethers = tethers.collect_view();
    let calls = picture.calls.iter().map(|call| {
        view! { <path class="call-line" class:dead=!call.alive d=call.d.clone() /> }
    });
    let calls = calls.collect_view();
    let paths = picture.paths.iter().map(|path| {
        view! {
            <path class="signal" class:dead=!path.alive class:still=!path.in_use d=path.d.clone()
                data-testid=format!("path-{}", path.peer_id) data-in-use=path.in_use.to_string() />
        }
    });
    let paths = paths.collect_view();
    view! { <g class="lines">{wires}{tethers}{calls}{paths}</g> }
}

/// Carrier pigeons on the ways of the signals; above everything, they fly.
fn birds(picture: &Picture) -> impl IntoView + use<> {
    let birds = picture.paths.iter().filter(|path| path.alive && path.in_use).map(|path| {
        view! {
            <path class="bird" aria-hidden="true" style=format!("offset-path:path(\"{}\")", path.d)
                d="M-7 0Q-3-1.500-1-5Q1-8 4-8Q2.500-4 2-1.500L8 0L2 1.500Q2.500 4 4 8Q1 8-1 5Q-3 1.500-7 0Z" />
        }
    });
    birds.collect_view()
}

#[component]
fn NodeMark(picture: Memo<Picture>, name: String) -> impl IntoView {
    let of = StoredValue::new(name.clone());
    let placed = Memo::new(move |_| of.with_value(|name| find(picture, name)));
    let get = move || placed.get();
    let at = move || get().map(|placed| format!("translate({:.1} {:.1})", placed.at.x, placed.at.y));
    let standing = move || get().map_or(Standing::Unknown, |placed| placed.node.standing);
    view! {
        <g class="node" data-testid=format!("node-{name}") data-state=move || standing().word()
            class:mine=move || get().is_some_and(|placed| placed.mine)
            data-mine=move || get().is_some_and(|placed| placed.mine).to_string() transform=at>
            <circle class="halo" r="27" />
            <circle class="body" r="20" />
            <path class="sign" transform="translate(-9 -9) scale(0.75)" d=move || strokes(standing().word()) />
            <text class="label" y=move || if get().is_some_and(|placed| is_low(placed.at)) { -33 } else { 41 }>{name.clone()}</text>
            <title>{move || get().map(|placed| row_words(&placed))}</title>
        </g>
    }
}

#[component]
fn PeerMark(picture: Memo<Picture>, peer: PlacedPeer) -> impl IntoView {
    let of = StoredValue::new(peer.peer_id.clone());
    let found = Memo::new(move |_| {
        of.with_value(|id| {
            picture.with(|picture| picture.peers.iter().find(|peer| &peer.peer_id == id).cloned())
        })
    });
    let at = move || found.get().map(|peer| format!("translate({:.1} {:.1})", peer.at.x, peer.at.y));
    let is = move |what: fn(&PlacedPeer) -> bool| found.with(|peer| peer.as_ref().is_some_and(what));
    let label = move || match found.get() {
        Some(peer) if peer.is_me => "you".to_owned(),
        Some(peer) if !peer.name.is_empty() => peer.name.chars().take(12).collect(),
        _ => short(&peer.peer_id),
    };
    let letter = move || found.with(|peer| peer.as_ref().map(|peer| initial(&peer.name)));
    view! {
        <g class="peer" class:me=move || is(|peer| peer.is_me) class:in-call=move || is(|peer| peer.in_call)
            data-testid=format!("dot-{}", of.get_value()) transform=at>
            <circle r=move || if is(|peer| peer.is_me) { 10 } else { 8 } />
            <text class="letter" y="3">{letter}</text>
            <text class="label" y="19">{label}</text>
        </g>
    }
}

#[component]
fn NodeRow(picture: Memo<Picture>, name: String) -> impl IntoView {
    let of = StoredValue::new(name.clone());
    let placed = Memo::new(move |_| of.with_value(|name| find(picture, name)));
    let standing = Memo::new(move |_| placed.get().map_or(Standing::Unknown, |placed| placed.node.standing));
    let mine = move || placed.with(|placed| placed.as_ref().is_some_and(|placed| placed.mine));
    let host =
        move || placed.with(|placed| placed.as_ref().map(|placed| placed.node.address.host().to_owned()));
    let state = move || match standing.get() {
        Standing::Unknown => "not asked yet".to_owned(),
        Standing::Down => "down".to_owned(),
        Standing::Up => match placed.with(|placed| placed.as_ref().map_or(0, |placed| placed.peers)) {
            0 => "up".to_owned(),
            1 => "up, 1 peer".to_owned(),
            n => format!("up, {n} peers"),
        },
    };
    view! {
        <li class="node-row" data-state=move || standing.get().word()>
            <span class="sign">{move || icon(standing.get().word())}</span>
            <b>{name.clone()}</b>
            <span class="small host">{host}</span>
            <Show when=mine><span class="badge">"yours"</span></Show>
            <span class="small state">{state}</span>
            <OrderButton name standing />
        </li>
    }
}

/// Kills the node, or starts it again; there only where that can be done.
#[component]
fn OrderButton(name: String, standing: Memo<Standing>) -> impl IntoView {
    let state = State::of_page();
    let order = move || if standing.get() == Standing::Down { Order::Start } else { Order::Kill };
    let of = StoredValue::new(name);
    let is_offered = move || of.with_value(|name| state.controlled.with(|nodes| nodes.contains(name)));
    view! {
        <Show when=is_offered>
            <button type="button" class="button order" class:end=move || order() == Order::Kill
                data-testid=move || of.with_value(|name| format!("{}-{name}", order().word()))
                on:click=move |_| control::give(state, of.get_value(), order())>
                {move || order().label()}
            </button>
        </Show>
    }
}

fn row_words(placed: &PlacedNode) -> String {
    let region = placed.node.region.as_ref().map(|region| format!(", {region}")).unwrap_or_default();
    let mine = if placed.mine { ", you are on it" } else { "" };
    format!("{}{region}: {}{mine}", placed.node.name, placed.node.standing.word())
}

/// The picture for those who do not see it.
fn in_words(picture: &Picture) -> String {
    let named = |wanted: fn(&PlacedNode) -> bool| {
        all_of(picture.nodes.iter().filter(|placed| wanted(placed)).map(|placed| placed.node.name.as_str()))
    };
    let mut text = format!(
        "Up: {}. Down: {}. You are on {}. {} peers.",
        named(|placed| placed.node.standing == Standing::Up),
        named(|placed| placed.node.standing == Standing::Down),
        named(|placed| placed.mine),
        picture.peers.len() + picture.unseen,
    );
    if !picture.calls.is_empty() {
        text += " Calls go straight from browser to browser.";
    }
    text
}
