//! The board of a network: notes that everybody there sees, signed by who wrote them.

use std::pin::pin;

use futures_util::StreamExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use pigeonhub_wasm::{Hub, HubError, PublishOptions, PublishedRecord, RecordEvent};
use serde_json::{Value, json};

use crate::clock;
use crate::mesh;
use crate::state::{State, short};

/// Characters of a note.
pub const LONGEST: usize = 280;
/// How long a note stays, in seconds.
const STAYS: u32 = 60 * 60;

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Of all versions of it.
    pub id: String,
    /// Tells it apart from other notes of the same person.
    pub salt: String,
    /// What it says.
    pub text: String,
    /// What its writer calls themselves.
    pub name: String,
    /// Who wrote it, if that is proven.
    pub peer_id: Option<String>,
    /// When: milliseconds since the epoch.
    pub written: u64,
}

impl Note {
    /// A note as it was published; none if it is something else.
    fn read(found: PublishedRecord) -> Option<Self> {
        let data = found.data();
        let text: String = data.get("text")?.as_str()?.trim().chars().take(LONGEST).collect();
        let unnamed = || found.peer_id.as_deref().map_or_else(|| "Somebody".to_owned(), short);
        let name = mesh::name_in(&data).unwrap_or_else(unnamed);
        let PublishedRecord { id, record, peer_id } = found;
        let note = Self { id, salt: record.salt, text, name, peer_id, written: record.timestamp.0 };
        Some(note).filter(|note| !note.text.is_empty())
    }
}

/// Shows what is on the board and every change of it, as long as the page is in this network.
pub fn follow(state: State, hub: &Hub) {
    let (hub, topic) = (hub.clone(), topic(state));
    spawn_local(async move {
        let mut events = pin!(hub.watch(&topic));
        while let Some(event) = events.next().await {
            // A network that was left may have a last word.
            if state.me.get_untracked() != Some(hub.peer_id()) {
                break;
            }
            state.board.update(|board| match event {
                RecordEvent::Record(found) => {
                    let (id, note) = (found.id.clone(), Note::read(found));
                    board.retain(|other| other.id != id);
                    board.extend(note);
                    board.sort_by_key(|note| std::cmp::Reverse(note.written));
                }
                RecordEvent::Gone(found) => board.retain(|note| note.id != found.id),
            });
        }
    });
}

/// Puts a note up.
pub fn pin_up(state: State, text: &str) {
    let Some(hub) = state.hub.get_untracked() else { return };
    let note = json!({ "text": text.trim(), "name": state.name.get_untracked().trim() });
    // Without a key the node signs, and says itself which note is which.
    let salt = hub.public_key().map(|_| clock::stamp()).unwrap_or_default();
    spawn_local(async move {
        let options = PublishOptions { ttl: Some(STAYS), salt, copies: None };
        tell(state, hub.publish(&topic(state), &note, options).await.map(|_: Value| ()));
    });
}

/// Takes an own note down.
pub fn take_down(state: State, note: &Note) {
    let (Some(hub), salt) = (state.hub.get_untracked(), note.salt.clone()) else { return };
    spawn_local(async move { tell(state, hub.unpublish(&topic(state), &salt).await) });
}

fn tell(state: State, outcome: Result<(), HubError>) {
    if let Err(error) = outcome {
        state.trouble.set(Some(format!("The board did not change: {}.", error.text)));
    }
}

fn topic(state: State) -> String {
    format!("demo-board:{}", state.network.get_untracked())
}
