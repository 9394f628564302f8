//! A call: a link to somebody, what is seen and said on it, and how it begins and ends.

use futures_util::StreamExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use pigeonhub_wasm::{HubError, Link, LinkEvent, LinkState, Payload};
use web_sys::{MediaStream, MediaStreamTrack};

use crate::address::NodeAddress;
use crate::chat::{self, Line};
use crate::file_transfer::{self, Inbox};
use crate::narration::Tone;
use crate::state::{Person, State, short};
use crate::words::Word;

/// How a call stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On the way.
    Connecting,
    /// Both can speak.
    Connected,
    /// The connection is being repaired.
    Interrupted,
    /// Over, as wanted.
    Closed,
    /// Over, and why.
    Failed(String),
}

impl Phase {
    /// The word for `data-state`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
            Self::Failed(_) => "failed",
        }
    }
}

/// The way that the signals of a call took from node to node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Our node.
    pub ours: NodeAddress,
    /// The name of theirs.
    pub theirs: String,
    /// Newer signals go through the call itself; nodes are no longer needed.
    pub is_past: bool,
}

/// One call. Copies are the same call.
#[derive(Clone, Copy)]
pub struct Call {
    /// The other side, as last seen.
    pub who: RwSignal<Person>,
    /// How it stands.
    pub phase: RwSignal<Phase>,
    /// The way of its signals, once one went by a node.
    pub way: RwSignal<Option<Way>>,
    /// What is said.
    pub chat: RwSignal<Vec<Line>>,
    /// What the other side sends, once it sends something.
    pub remote: RwSignal<Option<MediaStream>, LocalStorage>,
    /// The other side's microphone and camera are on.
    pub theirs: RwSignal<(bool, bool)>,
    /// Own camera and microphone are sent.
    pub sends: RwSignal<bool>,
    /// The link, once it is there.
    pub link: RwSignal<Option<Link>, LocalStorage>,
    /// Files that arrive.
    pub inbox: StoredValue<Inbox, LocalStorage>,
}

impl Call {
    fn new(state: State, who: Person) -> Self {
        state.make(|| Self {
            who: RwSignal::new(who),
            phase: RwSignal::new(Phase::Connecting),
            way: RwSignal::new(None),
            chat: RwSignal::new(Vec::new()),
            remote: RwSignal::new_local(None),
            theirs: RwSignal::new((true, true)),
            sends: RwSignal::new(false),
            link: RwSignal::new_local(None),
            inbox: StoredValue::new_local(Inbox::default()),
        })
    }

    /// The other side's id.
    pub fn peer_id(&self) -> String {
        self.who.with_untracked(|who| who.peer_id.clone())
    }

    /// The other side's name.
    pub fn name(&self) -> String {
        self.who.with_untracked(|who| who.name.clone())
    }

    /// It is not over.
    pub fn is_live(&self) -> bool {
        self.phase.with_untracked(|phase| !matches!(phase, Phase::Closed | Phase::Failed(_)))
    }

    /// A signal went by this node of ours, or through the call itself.
    pub fn signal_took(&self, node: Option<NodeAddress>) {
        let before = self.way.get_untracked();
        let way = match node {
            Some(ours) => {
                Some(Way { ours, theirs: self.who.with_untracked(|who| who.node.clone()), is_past: false })
            }
            None => before.clone().map(|way| Way { is_past: true, ..way }),
        };
        // Signals come in bunches; most of them bring nothing new.
        if way != before {
            self.way.set(way);
        }
    }

    /// Says something to the other page. A call that is over swallows it: there is nobody to tell.
    pub fn tell(&self, word: &Word) {
        if let Some(link) = self.link.get_untracked() {
            let text = word.to_text();
            spawn_local(async move {
                let _ = link.send_text(&text).await;
            });
        }
    }
}

/// The call with somebody, if there is one.
pub fn with(state: State, peer_id: &str) -> Option<Call> {
    state.calls.with_untracked(|calls| {
        calls.iter().find(|call| call.who.with_untracked(|who| who.peer_id == peer_id)).copied()
    })
}

/// Calls somebody, with or without camera. In a call that goes on already, adds the camera.
pub fn start(state: State, peer_id: &str, camera: bool) {
    if let Some(call) = with(state, peer_id).filter(Call::is_live) {
        if camera && !call.sends.get_untracked() {
            spawn_local(share_camera(state, call));
        }
        return;
    }
    let call = open(state, peer_id);
    let peer_id = peer_id.to_owned();
    spawn_local(async move {
        let media = if camera { state.media.open().await } else { None };
        let Some(hub) = state.hub.get_untracked().filter(|_| call.is_live()) else {
            return rest_media(state);
        };
        call.sends.set(media.is_some());
        match hub.dial(&peer_id, media).await {
            Ok(link) => follow(state, call, link).await,
            Err(error) => end(state, call, ending(&error, &call.name())),
        }
    });
}

/// Somebody calls: answered at once, without the own camera until the reader wants it.
pub fn arrive(state: State, link: Link) {
    let peer_id = link.peer_id();
    let busy = with(state, &peer_id).filter(Call::is_live);
    // Both called at the same moment: the own call has this very link.
    if busy.is_some_and(|call| call.link.with_untracked(Option::is_none)) {
        return;
    }
    let call = open(state, &peer_id);
    state.say(Tone::Good, format!("{} calls you.", call.name()));
    spawn_local(follow(state, call, link));
}

/// Sends the own camera and microphone, too.
pub async fn share_camera(state: State, call: Call) {
    let Some(stream) = state.media.open().await else { return };
    let Some(link) = call.link.get_untracked().filter(|_| call.is_live()) else { return rest_media(state) };
    match link.add_stream(&stream) {
        Ok(()) => {
            call.sends.set(true);
            tell_media(state);
        }
        Err(error) => state.trouble.set(Some(format!("Your camera could not be sent: {}.", error.text))),
    }
}

/// Opens camera and microphone anew for every call that has them: a camera that was missing may be there
/// now. Who is muted stays so.
pub fn share_again(state: State) {
    let calls: Vec<_> =
        state.calls.get_untracked().into_iter().filter(|call| call.sends.get_untracked()).collect();
    spawn_local(async move {
        if let Some(old) = state.media.stream.get_untracked() {
            for link in calls.iter().filter_map(|call| call.link.get_untracked()) {
                link.remove_stream(&old);
            }
        }
        let mic = state.media.mic.get_untracked();
        state.media.close();
        state.media.set_mic(mic);
        for call in calls {
            call.sends.set(false);
            share_camera(state, call).await;
        }
    });
}

/// Ends a call and puts it away.
pub fn hang_up(state: State, call: Call) {
    let link = call.link.get_untracked();
    // A call that still waits for its link has it at the hub.
    let link = link.or_else(|| state.hub.get_untracked()?.link(&call.peer_id()));
    if let Some(link) = link.filter(|_| call.is_live()) {
        link.close();
        state.say(Tone::Plain, format!("You hung up on {}.", call.name()));
    }
    call.phase.set(Phase::Closed);
    state.calls.update(|calls| calls.retain(|other| other.who != call.who));
    rest_media(state);
}

/// Tells everybody who sees us whether they can hear and see us.
pub fn tell_media(state: State) {
    let media = state.media;
    let word = Word::Media { mic: media.mic.get_untracked(), camera: media.camera.get_untracked() };
    for call in state.calls.get_untracked().iter().filter(|call| call.sends.get_untracked()) {
        call.tell(&word);
    }
}

/// A fresh call in place of a finished one with the same person; what was said stays.
fn open(state: State, peer_id: &str) -> Call {
    let who = state.people.with_untracked(|people| people.get(peer_id).cloned());
    let old = with(state, peer_id);
    let who = who.or_else(|| old.map(|old| old.who.get_untracked())).unwrap_or_else(|| Person {
        peer_id: peer_id.to_owned(),
        name: format!("Guest {}", short(peer_id)),
        node: String::new(),
        is_verified: false,
    });
    let call = Call::new(state, who);
    if let Some(old) = old {
        call.chat.set(old.chat.get_untracked());
    }
    state.calls.update(|calls| {
        calls.retain(|other| Some(other.who) != old.map(|old| old.who));
        calls.push(call);
    });
    call
}

async fn follow(state: State, call: Call, link: Link) {
    let mut events = Box::pin(link.events());
    call.link.set(Some(link.clone()));
    enter(state, call, &link.state());
    while let Some(event) = events.next().await {
        match event {
            LinkEvent::State(next) => enter(state, call, &next),
            LinkEvent::Track { track, stream } => see(call, &track, stream),
            LinkEvent::Message(Payload::Text(text)) => hear(state, call, Word::read(&text)),
            LinkEvent::Message(Payload::Bytes(bytes)) => file_transfer::take_piece(call, &bytes),
        }
    }
    enter(state, call, &link.state());
}

fn enter(state: State, call: Call, next: &LinkState) {
    let phase = match next {
        LinkState::Connecting => Phase::Connecting,
        LinkState::Connected => Phase::Connected,
        LinkState::Interrupted => Phase::Interrupted,
        LinkState::Closed => Phase::Closed,
        LinkState::Failed(failure) => Phase::Failed(why(failure.code(), &call.name(), failure.code())),
    };
    let before = call.phase.get_untracked();
    if before == phase || !call.is_live() {
        return;
    }
    let name = call.name();
    match (&before, &phase) {
        (Phase::Interrupted, Phase::Connected) => {
            state.say(Tone::Good, format!("{name} is back in the call."))
        }
        (_, Phase::Connected) => {
            state.say(
                Tone::Good,
                format!("The call with {name} is connected, straight from browser to browser."),
            );
        }
        (_, Phase::Interrupted) => {
            state.say(Tone::Bad, format!("The connection to {name} is interrupted; repairing it."))
        }
        (_, Phase::Connecting) => {}
        (_, Phase::Closed | Phase::Failed(_)) => return end(state, call, phase),
    }
    call.phase.set(phase);
    if call.sends.get_untracked() {
        tell_media(state);
    }
}

/// The other side hung up, or it did not work. The call stays on the page with what was said.
fn end(state: State, call: Call, phase: Phase) {
    if !call.is_live() {
        return;
    }
    match &phase {
        Phase::Failed(why) => state.say(Tone::Bad, why.clone()),
        _ => state.say(Tone::Plain, format!("{} hung up.", call.name())),
    }
    call.phase.set(phase);
    call.remote.set(None);
    call.sends.set(false);
    file_transfer::abandon(call, "the call ended");
    rest_media(state);
}

fn see(call: Call, track: &MediaStreamTrack, stream: Option<MediaStream>) {
    let stream = stream.or_else(|| call.remote.get_untracked()).or_else(|| MediaStream::new().ok());
    if let Some(stream) = stream {
        // Tracks of a grouped stream are in it already; adding them again changes nothing.
        stream.add_track(track);
        call.remote.set(Some(stream));
    }
}

fn hear(state: State, call: Call, word: Word) {
    match word {
        Word::Chat { text } => chat::heard(call, text),
        Word::Media { mic, camera } => call.theirs.set((mic, camera)),
        Word::File(header) => {
            state.say(Tone::Plain, format!("{} sends you {}.", call.name(), header.name));
            file_transfer::expect(state, call, header);
        }
        Word::FileWhole { id, size } => file_transfer::delivered(call, id, size),
        Word::FileStopped { id, by_sender, reason } => file_transfer::stopped(call, id, by_sender, &reason),
    }
}

/// Lets go of camera and microphone when no call needs them.
fn rest_media(state: State) {
    let needed = state.calls.with_untracked(|calls| calls.iter().any(|call| call.sends.get_untracked()));
    if !needed {
        state.media.close();
    }
}

fn ending(error: &HubError, name: &str) -> Phase {
    if error.code == "closed" { Phase::Closed } else { Phase::Failed(why(error.code, name, &error.text)) }
}

/// What is wrong, and what to do.
fn why(code: &str, name: &str, text: &str) -> String {
    match code {
        "peer-unavailable" => format!("No node knows {name} any more. They have to open the page again."),
        "no-answer" => {
            format!("{name} did not answer. Their page may be closed or asleep; try again in a moment.")
        }
        "no-path" => format!(
            "No network path to {name} was found: a firewall stands between you. Another network, a phone's perhaps, may help."
        ),
        "negotiation-failed" => {
            format!("The two browsers could not agree ({text}). Reload both pages and try again.")
        }
        _ => format!("The call to {name} failed: {text}."),
    }
}
