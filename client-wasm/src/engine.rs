//! The loop around the client: what happens goes in, what it decides is carried out.
//!
//! **Invariant:** nothing that runs here calls the app. Events wait in feeds until the app's own
//! tasks read them, so a callback of an app can never meet a borrow.

use core::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use futures_channel::oneshot;
use pigeonhub_client_core::{
    Action, Client, Command, Event, Input, LinkState, NodeUrl, NodeView, RtcCommand, RtcInput, SessionId,
    SessionInput,
};
use pigeonhub_protocol::PeerId;
use web_sys::RtcConfiguration;

use crate::ambient::{self, Alarm};
use crate::connection::Connection;
use crate::error::thrown_text;
use crate::event::{HubEvent, PeerInfo};
use crate::feed::Feed;
use crate::identity::Identity;
use crate::link::Link;
use crate::listener::Listener;
use crate::options::Checked;
use crate::page;
use crate::socket::Socket;

/// Where news goes.
pub(crate) type Tell = Rc<dyn Fn(Input)>;

/// How many events may wait for a reader.
const UNREAD: usize = 1024;

/// The client with everything that it acts on. It lives until it is closed.
pub(crate) struct Engine {
    peer: PeerId,
    /// Held until the end.
    identity: RefCell<Option<Identity>>,
    rtc: RtcConfiguration,
    client: RefCell<Client>,
    /// What happened while something else was being carried out.
    inputs: RefCell<VecDeque<Input>>,
    running: Cell<bool>,
    closed: Cell<bool>,
    alarm: RefCell<Option<Alarm>>,
    page: RefCell<Vec<Listener>>,
    sockets: RefCell<BTreeMap<SessionId, Socket>>,
    links: RefCell<BTreeMap<PeerId, Link>>,
    /// The newest connection to each peer, with its generation.
    connections: RefCell<BTreeMap<PeerId, (u32, Rc<Connection>)>>,
    events: Feed<HubEvent>,
    ready: RefCell<Option<oneshot::Sender<()>>>,
}

impl Engine {
    /// Starts a client. The receiver learns when the first node is there.
    pub(crate) fn start(options: &Checked, identity: Identity) -> (Rc<Self>, oneshot::Receiver<()>) {
        let (ready, first_node) = oneshot::channel();
        let peer = identity.peer;
        let engine = Rc::new(Self {
            peer,
            identity: RefCell::new(Some(identity)),
            rtc: options.rtc.clone(),
            client: RefCell::new(Client::new(options.client(peer))),
            inputs: RefCell::default(),
            running: Cell::new(false),
            closed: Cell::new(false),
            alarm: RefCell::default(),
            page: RefCell::default(),
            sockets: RefCell::default(),
            links: RefCell::default(),
            connections: RefCell::default(),
            events: Feed::new(UNREAD, UNREAD),
            ready: RefCell::new(Some(ready)),
        });
        let tell = engine.teller();
        engine.page.replace(page::watch(&tell));
        engine.alarm.replace(Some(Alarm::new(move || tell(Input::Tick))));
        engine.tell(Input::Command(Command::Start));
        (engine, first_node)
    }

    /// Something happened. Safe to call from anywhere, at any time.
    pub(crate) fn tell(self: &Rc<Self>, input: Input) {
        if self.closed.get() {
            return;
        }
        self.inputs.borrow_mut().push_back(input);
        if self.running.replace(true) {
            return;
        }
        loop {
            let Some(input) = self.inputs.borrow_mut().pop_front() else { break };
            self.take(input);
        }
        self.running.set(false);
    }

    /// A way to tell this engine. It keeps the engine alive, which `close` ends.
    fn teller(self: &Rc<Self>) -> Tell {
        let engine = self.clone();
        Rc::new(move |input| engine.tell(input))
    }

    fn take(self: &Rc<Self>, input: Input) {
        if let Input::Session(session, SessionInput::Closed { .. }) = &input {
            self.sockets.borrow_mut().remove(session);
        }
        let last = matches!(input, Input::Command(Command::Close));
        let actions = self.client.borrow_mut().handle(input, ambient::moment());
        for action in actions {
            self.carry_out(action);
        }
        if last {
            self.shut();
        }
    }

    fn carry_out(self: &Rc<Self>, action: Action) {
        match action {
            Action::Dial { session, url } => self.dial(session, &url),
            Action::Send { session, frame } => {
                if let Some(socket) = self.sockets.borrow().get(&session) {
                    socket.send(frame.as_str());
                }
            }
            Action::Hangup(session) => drop(self.sockets.borrow_mut().remove(&session)),
            Action::Rtc { peer, generation, command } => self.command(peer, generation, command),
            Action::Emit(event) => self.emit(event),
            Action::WakeAt(time) => {
                if let Some(alarm) = &*self.alarm.borrow() {
                    alarm.set(time);
                }
            }
        }
    }

    fn dial(self: &Rc<Self>, session: SessionId, url: &NodeUrl) {
        match Socket::dial(session, url, &self.peer, &self.teller()) {
            Ok(socket) => drop(self.sockets.borrow_mut().insert(session, socket)),
            Err(error) => {
                let closed = SessionInput::Closed { code: 1006, reason: error.text };
                self.tell(Input::Session(session, closed));
            }
        }
    }

    fn command(self: &Rc<Self>, peer: PeerId, generation: u32, command: RtcCommand) {
        if let RtcCommand::Create { open_channel } = command {
            return self.create(peer, generation, open_channel);
        }
        let connection = match self.connections.borrow().get(&peer) {
            Some((newest, connection)) if *newest == generation => connection.clone(),
            _ => return,
        };
        match command {
            RtcCommand::SendInBand(text) => connection.send_in_band(&text),
            RtcCommand::Close => {
                self.connections.borrow_mut().remove(&peer);
                connection.close();
                connection.link().attach(None);
            }
            command => connection.enqueue(command),
        }
    }

    fn create(self: &Rc<Self>, peer: PeerId, generation: u32, open_channel: bool) {
        let tell = self.teller();
        let report = move |input| tell(Input::Rtc { peer, generation, input });
        let link = self.link_with(peer);
        match Connection::create(&self.rtc, link.clone(), open_channel, report) {
            Ok(connection) => {
                link.attach(Some(connection.clone()));
                let older = self.connections.borrow_mut().insert(peer, (generation, connection));
                if let Some((_, older)) = older {
                    older.close();
                }
            }
            Err(thrown) => {
                let input = RtcInput::Refused(thrown_text(&thrown));
                self.tell(Input::Rtc { peer, generation, input });
            }
        }
    }

    /// Passes on what concerns the app.
    fn emit(self: &Rc<Self>, event: Event) {
        let told = match event {
            Event::Ready => {
                if let Some(ready) = self.ready.take() {
                    // Nobody waits any more: the app gave up.
                    let _ = ready.send(());
                }
                return;
            }
            Event::Link { peer, state } => return self.change_link(peer, state),
            Event::Peer(peer) => HubEvent::Peer((&peer).into()),
            Event::PeerGone(peer) => HubEvent::PeerGone(peer.as_str().into()),
            Event::Node(node) => HubEvent::Node(node),
            Event::Incoming(peer) => HubEvent::Link(self.link_with(peer)),
            Event::Path { peer, via } => {
                HubEvent::Path { peer: peer.as_str().into(), via: via.map(|url| url.0) }
            }
            Event::Refused(refusal) => {
                HubEvent::Refused { code: refusal.code.as_str().into(), text: refusal.text }
            }
        };
        self.events.push(&told);
    }

    fn change_link(&self, peer: PeerId, state: LinkState) {
        let over = matches!(state, LinkState::Closed | LinkState::Failed(_));
        let link = if over { self.links.borrow_mut().remove(&peer) } else { self.link(&peer) };
        if let Some(link) = link {
            link.enter(state);
        }
    }

    /// After the client's last word: everything goes.
    fn shut(&self) {
        self.closed.set(true);
        self.inputs.take();
        self.alarm.take();
        self.page.take();
        self.ready.take();
        self.sockets.take();
        for (_, connection) in self.connections.take().into_values() {
            connection.close();
            connection.link().attach(None);
        }
        for link in self.links.take().into_values() {
            link.enter(LinkState::Closed);
        }
        self.events.end();
        self.identity.take();
    }
}

/// What the hub asks.
impl Engine {
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    pub(crate) const fn events(&self) -> &Feed<HubEvent> {
        &self.events
    }

    pub(crate) fn peers(&self) -> Vec<PeerInfo> {
        self.client.borrow().peers().map(|peer| (&peer).into()).collect()
    }

    /// Best first.
    pub(crate) fn nodes(&self) -> Vec<NodeView> {
        self.client.borrow().nodes().collect()
    }

    pub(crate) const fn is_closed(&self) -> &Cell<bool> {
        &self.closed
    }

    pub(crate) fn link(&self, peer: &PeerId) -> Option<Link> {
        self.links.borrow().get(peer).cloned()
    }

    /// The link to a peer; a new one if there is none.
    pub(crate) fn link_with(self: &Rc<Self>, peer: PeerId) -> Link {
        if let Some(link) = self.link(&peer) {
            return link;
        }
        let link = Link::new(peer, self.teller());
        self.links.borrow_mut().insert(peer, link.clone());
        link
    }
}
