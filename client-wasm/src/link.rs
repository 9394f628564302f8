//! A link: messages and media with one peer.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::rc::Rc;

use futures_util::{Stream, StreamExt};
use js_sys::Reflect;
use pigeonhub_client_core::{Command, Input, LinkState};
use pigeonhub_protocol::PeerId;
use wasm_bindgen::JsValue;
use web_sys::{MediaStream, MediaStreamTrack};

use crate::connection::Connection;
use crate::engine::Tell;
use crate::error::HubError;
use crate::event::{LinkEvent, Payload};
use crate::feed::{self, Feed, Subscription};
use crate::outbox::Outbox;

/// How much of incoming messages may wait for a reader, and for the first reader.
const UNREAD: usize = 64 * 1024 * 1024;
const EARLY: usize = 4 * 1024 * 1024;
/// How many tracks or changes of state may wait.
const CHANGES: usize = 256;

/// A link to a peer. Clones are the same link. It stays when nodes go, and is over when one of the
/// two sides closes it or no path is left; dialling the peer again makes a new one.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

struct Inner {
    peer: PeerId,
    serial: u32,
    tell: Tell,
    state: RefCell<LinkState>,
    is_verified: Cell<bool>,
    states: Feed<LinkState>,
    messages: Feed<Payload>,
    tracks: Feed<Track>,
    outbox: Outbox,
    /// What this side sends, on every connection that this link will have.
    local: RefCell<Vec<MediaStream>>,
    /// The present connection, with its generation.
    connection: RefCell<Option<(u32, Rc<Connection>)>>,
}

/// A track that the other side sends.
#[derive(Clone)]
pub(crate) struct Track {
    pub track: MediaStreamTrack,
    pub stream: Option<MediaStream>,
}

impl feed::Event for LinkState {}
impl feed::Event for Track {}

thread_local! {
    static SERIAL: Cell<u32> = const { Cell::new(0) };
}

/// What apps do with a link.
impl Link {
    /// The other peer.
    #[must_use]
    pub fn peer_id(&self) -> String {
        self.0.peer.as_str().into()
    }

    /// Its state now.
    #[must_use]
    pub fn state(&self) -> LinkState {
        self.0.state.borrow().clone()
    }

    /// Whether the other side proved its id, and that this connection ends at it.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.0.is_verified.get()
    }

    /// What happens on it, until it is over. The first subscription also gets messages and tracks
    /// that came before it. A reader that is more than 64 MiB behind loses the oldest messages.
    pub fn events(&self) -> impl Stream<Item = LinkEvent> + use<> {
        Events { messages: self.messages(), tracks: self.tracks(), states: self.states() }
    }

    /// Sends text.
    ///
    /// # Errors
    ///
    /// `closed` or the link's failure if it is over, `message-too-large` above 64 MiB,
    /// `buffer-full` if 128 MiB wait already, `send-failed` if the browser refuses.
    pub async fn send_text(&self, text: &str) -> Result<(), HubError> {
        self.send(Payload::Text(text.into())).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// As [`Link::send_text`].
    pub async fn send_bytes(&self, bytes: &[u8]) -> Result<(), HubError> {
        self.send(Payload::Bytes(bytes.into())).await
    }

    /// Sends the tracks of a stream, from now on.
    ///
    /// # Errors
    ///
    /// `closed` or the link's failure if it is over, `invalid-stream` if JavaScript gave something else.
    pub fn add_stream(&self, stream: &MediaStream) -> Result<(), HubError> {
        if let Some(over) = self.over() {
            return Err(over);
        }
        checked(stream)?;
        self.add_local(stream);
        if let Some(connection) = self.present() {
            connection.add_stream(stream);
        }
        Ok(())
    }

    /// Stops sending the tracks of a stream. The tracks themselves go on.
    pub fn remove_stream(&self, stream: &MediaStream) {
        self.0.local.borrow_mut().retain(|local| local != stream);
        if let Some(connection) = self.present().filter(|_| checked(stream).is_ok()) {
            connection.remove_stream(stream);
        }
    }

    /// The connection's `RTCStatsReport`.
    ///
    /// # Errors
    ///
    /// `closed` if there is no connection now.
    pub async fn stats(&self) -> Result<JsValue, HubError> {
        let connection = self.present().ok_or_else(HubError::link_closed)?;
        connection.stats().await
    }

    /// Ends it.
    pub fn close(&self) {
        // A newer link to the same peer is not this one's to end.
        if self.over().is_none() {
            (self.0.tell)(Input::Command(Command::Hangup(self.0.peer)));
        }
    }
}

/// What the engine and the JavaScript face do with a link.
impl Link {
    pub(crate) fn new(peer: PeerId, tell: Tell) -> Self {
        let serial = SERIAL.replace(SERIAL.get().wrapping_add(1));
        Self(Rc::new(Inner {
            peer,
            serial,
            tell,
            state: RefCell::new(LinkState::Connecting),
            is_verified: Cell::new(false),
            states: Feed::new(CHANGES, 0),
            messages: Feed::new(UNREAD, EARLY),
            tracks: Feed::new(CHANGES, CHANGES),
            outbox: Outbox::default(),
            local: RefCell::default(),
            connection: RefCell::default(),
        }))
    }

    /// A number that no other link of this page has.
    pub(crate) fn serial(&self) -> u32 {
        self.0.serial
    }

    pub(crate) fn peer(&self) -> PeerId {
        self.0.peer
    }

    pub(crate) fn verify(&self, is_verified: bool) {
        self.0.is_verified.set(is_verified);
    }

    pub(crate) fn messages(&self) -> Subscription<Payload> {
        self.0.messages.subscribe()
    }

    pub(crate) fn tracks(&self) -> Subscription<Track> {
        self.0.tracks.subscribe()
    }

    /// Changes from now on. Whoever comes too late for any is told the last one.
    pub(crate) fn states(&self) -> Subscription<LinkState> {
        if self.over().is_none() {
            return self.0.states.subscribe();
        }
        let last = Feed::new(1, 1);
        last.push(&self.state());
        last.end();
        last.subscribe()
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(crate) fn local(&self) -> Vec<MediaStream> {
        self.0.local.borrow().clone()
    }

    /// A stream for the connections to come.
    pub(crate) fn add_local(&self, stream: &MediaStream) {
        let local = &mut *self.0.local.borrow_mut();
        if !local.contains(stream) {
            // Not `stream.clone()`, which is JavaScript's and makes copies of the tracks.
            local.push(Clone::clone(stream));
        }
    }

    /// Has a new connection, or none. The old one closes.
    pub(crate) fn attach(&self, connection: Option<(u32, Rc<Connection>)>) {
        if let Some((_, older)) = self.0.connection.replace(connection) {
            older.close();
        }
    }

    /// The present connection.
    fn present(&self) -> Option<Rc<Connection>> {
        self.0.connection.borrow().as_ref().map(|(_, connection)| connection.clone())
    }

    /// The present connection, if it is of this generation.
    pub(crate) fn connection(&self, generation: u32) -> Option<Rc<Connection>> {
        let present = self.0.connection.borrow();
        present
            .as_ref()
            .filter(|(present, _)| *present == generation)
            .map(|(_, connection)| connection.clone())
    }

    /// A message came.
    pub(crate) fn receive(&self, payload: &Payload) {
        self.0.messages.push(payload);
    }

    /// A track came.
    pub(crate) fn receive_track(&self, track: &Track) {
        self.0.tracks.push(track);
    }

    /// Its state changed.
    pub(crate) fn enter(&self, state: LinkState) {
        if *self.0.state.borrow() == state {
            return;
        }
        self.0.states.push(&state);
        self.0.state.replace(state);
        if let Some(over) = self.over() {
            self.0.outbox.end(&over);
            self.0.states.end();
            self.0.messages.end();
            self.0.tracks.end();
        }
    }

    /// Waits until it is connected.
    pub(crate) async fn connected(&self) -> Result<(), HubError> {
        let mut changes = self.states();
        loop {
            if self.state() == LinkState::Connected {
                return Ok(());
            }
            if let Some(over) = self.over() {
                return Err(over);
            }
            changes.next().await;
        }
    }

    /// Puts a message in the outbox, now; the answer comes when the channel has taken all of it.
    pub(crate) fn send(&self, payload: Payload) -> impl Future<Output = Result<(), HubError>> + use<> {
        let answer = self.over().map_or_else(|| Ok(self.0.outbox.put(payload)), Err);
        // The outbox answers every message; were it gone, so would be the link.
        async { answer?.next().await.unwrap_or_else(|| Err(HubError::link_closed())) }
    }

    /// Why it is over, if it is.
    fn over(&self) -> Option<HubError> {
        match &*self.0.state.borrow() {
            LinkState::Closed => Some(HubError::link_closed()),
            LinkState::Failed(failure) => Some(failure.into()),
            LinkState::Connecting | LinkState::Connected | LinkState::Interrupted => None,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0.peer).finish()
    }
}

/// Whether it is one: types are not checked on the way from JavaScript. What is none throws when it is
/// asked for its tracks, and an exception leaves the engine where it is, in the middle of its work.
pub(crate) fn checked(stream: &MediaStream) -> Result<(), HubError> {
    // The constructor knows streams of any window, and takes lists of tracks as well.
    let is_taken = MediaStream::new_with_stream(stream).is_ok();
    let has_tracks = || Reflect::get(stream, &"getTracks".into()).is_ok_and(|tracks| tracks.is_function());
    if is_taken && has_tracks() {
        return Ok(());
    }
    Err(HubError::new("invalid-stream", "what was given is no MediaStream"))
}

/// The three feeds as one. Messages first: those that came before the end are read before it.
struct Events {
    messages: Subscription<Payload>,
    tracks: Subscription<Track>,
    states: Subscription<LinkState>,
}

impl Stream for Events {
    type Item = LinkEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<LinkEvent>> {
        let mut ended = 0;
        match self.messages.poll_next_unpin(context) {
            Poll::Ready(Some(payload)) => return Poll::Ready(Some(LinkEvent::Message(payload))),
            Poll::Ready(None) => ended += 1,
            Poll::Pending => {}
        }
        match self.tracks.poll_next_unpin(context) {
            Poll::Ready(Some(Track { track, stream })) => {
                return Poll::Ready(Some(LinkEvent::Track { track, stream }));
            }
            Poll::Ready(None) => ended += 1,
            Poll::Pending => {}
        }
        match self.states.poll_next_unpin(context) {
            Poll::Ready(Some(state)) => return Poll::Ready(Some(LinkEvent::State(state))),
            Poll::Ready(None) => ended += 1,
            Poll::Pending => {}
        }
        if ended == 3 { Poll::Ready(None) } else { Poll::Pending }
    }
}
