//! In and out of the network, and everything that the client tells meanwhile.

use futures_util::StreamExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use pigeonhub_wasm::{Hub, HubError, HubEvent, HubOptions, PeerInfo};
use serde_json::json;

use crate::address::NodeAddress;
use crate::narration::Tone;
use crate::state::{Person, Stage, State, short};
use crate::{board, call, mesh, mesh_poll, remember};

/// Joins with what the form says.
pub fn join(state: State) {
    if state.stage.get_untracked() != Stage::Outside {
        return;
    }
    let nodes: Vec<String> = state.choices.with_untracked(|choices| {
        choices.iter().filter(|c| c.ticked.get_untracked()).map(|c| c.address.to_string()).collect()
    });
    if nodes.is_empty() {
        state.trouble.set(Some("Choose at least one node: it introduces you to the others.".to_owned()));
        return;
    }
    let name = state.name.get_untracked().trim().to_owned();
    let network = state.network.get_untracked().trim().to_owned();
    let network = if network.is_empty() { "lobby".to_owned() } else { network };
    remember::name(&name);
    state.network.set(network.clone());
    state.trouble.set(None);
    state.stage.set(Stage::Joining);

    let options = HubOptions {
        network,
        nodes: nodes.into_iter().map(Into::into).collect(),
        profile: json!({ "name": name, "capabilities": ["video", "chat", "files"] }),
        // Who comes back can still take down their notes.
        persist: true,
        sessions: state.wish.with_value(|wish| wish.sessions),
        ..HubOptions::default()
    };
    let this_try = state.tries.try_update_value(|tries| {
        *tries += 1;
        *tries
    });
    spawn_local(async move {
        let connected = Hub::connect(options).await;
        let wanted = state.stage.get_untracked() == Stage::Joining && state.tries.try_get_value() == this_try;
        match connected {
            Ok(hub) if wanted => enter(state, hub).await,
            Ok(hub) => hub.close(),
            Err(error) if wanted => {
                state.stage.set(Stage::Outside);
                state.trouble.set(Some(refusal(&error)));
            }
            Err(_) => {}
        }
    });
}

/// Gives up joining.
pub fn cancel(state: State) {
    if state.stage.get_untracked() == Stage::Joining {
        state.stage.set(Stage::Outside);
    }
}

/// Why joining did not work, and what to do.
fn refusal(error: &HubError) -> String {
    match error.code {
        "no-node" => {
            "None of the chosen nodes answers. Start one (cargo xtask node), or add the address of one \
                      that is up."
                .to_owned()
        }
        "no-webrtc" => "This browser has no WebRTC, or forbids it. Without it there are no calls.".to_owned(),
        _ => format!("Could not join: {}.", error.text),
    }
}

/// Leaves the network; calls end with it.
pub fn leave(state: State) {
    if let Some(hub) = state.hub.get_untracked() {
        hub.close();
    }
    state.media.close();
    state.calls.update(Vec::clear);
    state.people.update(|people| people.clear());
    state.board.update(Vec::clear);
    state.sessions.set(Vec::new());
    state.mesh.update(|mesh| mesh.hold([]));
    state.forget_narration();
    state.hub.set(None);
    state.me.set(None);
    state.stage.set(Stage::Outside);
    state.say(Tone::Plain, "You left.");
}

async fn enter(state: State, hub: Hub) {
    let mut events = Box::pin(hub.events());
    let network = state.network.get_untracked();
    state.me.set(Some(hub.peer_id()));
    state.say(Tone::Good, format!("You are in the network {network}."));
    state.sessions.set(hub.nodes());
    state.narrate_sessions();
    state.hub.set(Some(hub.clone()));
    catch_up(state);
    board::follow(state, &hub);
    state.stage.set(Stage::Inside);
    mesh_poll::look_again(state);
    while let Some(event) = events.next().await {
        // A hub that was left may have a last word; it no longer concerns this page.
        if state.me.get_untracked() != Some(hub.peer_id()) {
            break;
        }
        hear(state, &hub, event);
    }
}

/// Where everybody is now: those who only moved to another node are not told of as events.
pub fn catch_up(state: State) {
    for peer in state.hub.get_untracked().iter().flat_map(Hub::peers) {
        meet(state, &peer);
    }
}

fn hear(state: State, hub: &Hub, event: HubEvent) {
    match event {
        HubEvent::Peer(peer) => meet(state, &peer),
        HubEvent::PeerGone(peer_id) => part(state, &peer_id),
        HubEvent::Node(_) => {
            state.sessions.set(hub.nodes());
            state.narrate_sessions();
            mesh_poll::look_again(state);
        }
        HubEvent::Link(link) => call::arrive(state, link),
        HubEvent::Path { peer, via } => {
            if let Some(call) = call::with(state, &peer) {
                call.signal_took(via.as_deref().and_then(NodeAddress::parse));
            }
        }
        HubEvent::Refused { code, text } => state.say(Tone::Bad, format!("A node said no: {text} ({code}).")),
    }
}

fn meet(state: State, peer: &PeerInfo) {
    let name = mesh::name_in(&peer.profile).unwrap_or_else(|| format!("Guest {}", short(&peer.peer_id)));
    let (peer_id, node, is_verified) = (peer.peer_id.clone(), peer.node_id.clone(), peer.is_verified);
    let person = Person { peer_id, name, node, is_verified };
    let before = state.people.with_untracked(|people| people.get(&peer.peer_id).cloned());
    match &before {
        None => state.say(Tone::Plain, format!("{} is here, through {}.", person.name, person.node)),
        Some(old) if old.node != person.node => {
            state.say(Tone::Plain, format!("{} is on {} now.", person.name, person.node));
        }
        Some(_) => {}
    }
    if before.as_ref() == Some(&person) {
        return;
    }
    if let Some(call) = call::with(state, &peer.peer_id) {
        call.who.set(person.clone());
    }
    state.people.update(|people| {
        people.insert(person.peer_id.clone(), person);
    });
}

fn part(state: State, peer_id: &str) {
    let Some(person) = state.people.try_update(|people| people.remove(peer_id)).flatten() else { return };
    let in_call = call::with(state, peer_id).is_some_and(|call| call.is_live());
    let text = if in_call {
        format!("No node sees {} any more. The call goes on.", person.name)
    } else {
        format!("{} left.", person.name)
    };
    state.say(Tone::Plain, text);
}
