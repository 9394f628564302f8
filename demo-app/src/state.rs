//! What the page knows, in signals that every part of it shares.

use std::collections::BTreeMap;

use leptos::prelude::*;
use pigeonhub_wasm::{Hub, NodeState, NodeView};

use crate::address::{NodeAddress, Wish};
use crate::board::Note;
use crate::call::Call;
use crate::clock;
use crate::control::Control;
use crate::media::Media;
use crate::mesh::Mesh;
use crate::narration::{Host, Line, Narrator, Tone};

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the form.
    Outside,
    /// The form is sent, no node answered yet.
    Joining,
    /// In the network.
    Inside,
}

/// Somebody in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their peer id.
    pub peer_id: String,
    /// What they call themselves.
    pub name: String,
    /// The node that they are at.
    pub node: String,
    /// They proved that they are who they say: the id is theirs.
    pub is_verified: bool,
}

/// A node that may be used.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Which.
    pub address: NodeAddress,
    /// Whether to use it.
    pub ticked: RwSignal<bool>,
}

/// A line of the log with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts up.
    pub number: usize,
    /// When.
    pub time: String,
    /// What.
    pub line: Line,
}

/// All of it. Copies share the same signals.
#[derive(Clone, Copy)]
pub struct State {
    /// What the page's address asked for.
    pub wish: StoredValue<Wish>,
    /// Where the reader is.
    pub stage: RwSignal<Stage>,
    /// The name in the form, and in the network.
    pub name: RwSignal<String>,
    /// The network, likewise.
    pub network: RwSignal<String>,
    /// The nodes that may be used, best first.
    pub choices: RwSignal<Vec<Choice>>,
    /// Counts the tries to join: only the newest one may succeed.
    pub tries: StoredValue<u32>,
    /// Something is wrong that the reader must know.
    pub trouble: RwSignal<Option<String>>,
    /// The client, while in the network.
    pub hub: RwSignal<Option<Hub>, LocalStorage>,
    /// The own peer id, while in the network.
    pub me: RwSignal<Option<String>>,
    /// The others, by peer id.
    pub people: RwSignal<BTreeMap<String, Person>>,
    /// The notes on the network's board, newest first.
    pub board: RwSignal<Vec<Note>>,
    /// How the client stands with each node that it may use.
    pub sessions: RwSignal<Vec<NodeView>>,
    /// What the nodes tell of the mesh.
    pub mesh: RwSignal<Mesh>,
    /// Calls, oldest first; finished ones too until they are put away.
    pub calls: RwSignal<Vec<Call>>,
    /// Own camera and microphone.
    pub media: Media,
    /// The log, newest last.
    pub log: RwSignal<Vec<Entry>>,
    /// What can kill nodes, if this page may.
    pub control: StoredValue<Option<Control>>,
    /// The names of the nodes that it can kill.
    pub controlled: RwSignal<Vec<String>>,
    narrator: StoredValue<Narrator>,
    owner: StoredValue<Option<Owner>>,
}

/// Lines of the log that are kept.
const LOG_LINES: usize = 60;

impl State {
    /// Nothing known yet but what was wished for.
    pub fn new(wish: Wish) -> Self {
        Self {
            stage: RwSignal::new(Stage::Outside),
            name: RwSignal::new(wish.name.clone().unwrap_or_default()),
            network: RwSignal::new(wish.network.clone()),
            wish: StoredValue::new(wish),
            choices: RwSignal::new(Vec::new()),
            tries: StoredValue::new(0),
            trouble: RwSignal::new(None),
            hub: RwSignal::new_local(None),
            me: RwSignal::new(None),
            people: RwSignal::new(BTreeMap::new()),
            board: RwSignal::new(Vec::new()),
            sessions: RwSignal::new(Vec::new()),
            mesh: RwSignal::new(Mesh::default()),
            calls: RwSignal::new(Vec::new()),
            media: Media::new(),
            log: RwSignal::new(Vec::new()),
            control: StoredValue::new(None),
            controlled: RwSignal::new(Vec::new()),
            narrator: StoredValue::new(Narrator::default()),
            owner: StoredValue::new(Owner::current()),
        }
    }

    /// The state, in a component.
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Makes signals that live as long as the page, whoever asks for them.
    pub fn make<T>(&self, make: impl FnOnce() -> T) -> T {
        match self.owner.get_value() {
            Some(owner) => owner.with(make),
            None => make(),
        }
    }

    /// Writes a line into the log.
    pub fn say(&self, tone: Tone, text: impl Into<String>) {
        let line = Line::new(tone, text);
        self.log.update(|log| {
            let number = log.last().map_or(0, |entry| entry.number + 1);
            log.push(Entry { number, time: clock::time_of_day(), line });
            let surplus = log.len().saturating_sub(LOG_LINES);
            log.drain(..surplus);
        });
    }

    /// A node as it is called: by its id where that is known.
    pub fn node_name(&self, view: &NodeView) -> String {
        if let Some(id) = &view.node {
            return id.as_str().to_owned();
        }
        match NodeAddress::parse(&view.url.0) {
            Some(address) => self.mesh.with_untracked(|mesh| mesh.name_of(&address)),
            None => view.url.0.clone(),
        }
    }

    /// The nodes that this page has a session with.
    pub fn hosts(&self) -> Vec<Host> {
        let open = self.sessions.get().into_iter().filter(|view| view.state == NodeState::Open);
        open.filter_map(|view| {
            Some(Host { address: NodeAddress::parse(&view.url.0)?, name: self.node_name(&view) })
        })
        .collect()
    }

    /// Tells what the last change of the sessions means.
    pub fn narrate_sessions(&self) {
        let hosts = untrack(|| self.hosts());
        self.mesh.update(|mesh| mesh.hold(hosts.iter().map(|host| host.address.clone())));
        let calls = self.calls.with_untracked(|calls| calls.iter().filter(|call| call.is_live()).count());
        self.narrator.update_value(|narrator| {
            if let Some(line) = narrator.sessions(hosts, calls) {
                self.say(line.tone, line.text);
            }
        });
    }

    /// Tells what the last look at the nodes brought.
    pub fn narrate_mesh(&self) {
        let nodes = self.mesh.with_untracked(Mesh::nodes);
        self.narrator.update_value(|narrator| {
            for line in nodes.iter().filter_map(|node| narrator.looked_at(node)) {
                self.say(line.tone, line.text);
            }
        });
    }

    /// Forgets what was said of sessions: the reader leaves on purpose.
    pub fn forget_narration(&self) {
        self.narrator.set_value(Narrator::default());
    }
}

/// An id as people can read it.
pub fn short(peer_id: &str) -> String {
    peer_id.chars().take(8).collect()
}
