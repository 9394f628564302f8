//! The loop around the client: what happens goes in, what it decides is carried out.
//!
//! **Invariant:** nothing that runs here calls the app. Events wait in feeds until the app's own
//! tasks read them, so a callback of an app can never meet a borrow.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use pigeonhub_client_core::{
    Action, Client, Command, Event, Input, LinkState, NodeView, PeerView, RtcCommand, RtcInput, SessionInput,
};
use pigeonhub_protocol::PeerId;
use wasm_bindgen_futures::spawn_local;
use web_sys::RtcConfiguration;

use crate::ambient::{self, Alarm};
use crate::connection::Connection;
use crate::error::thrown_text;
use crate::event::Notice;
use crate::feed::Feed;
use crate::identity::Identity;
use crate::keys::Key;
use crate::lines::{Lines, Way};
use crate::link::Link;
use crate::listener::Listener;
use crate::options::Checked;
use crate::{page, proofs};

/// Where news goes.
pub(crate) type Tell = Rc<dyn Fn(Input)>;

/// How many events may wait for a reader.
const UNREAD: usize = 1024;

/// The client with everything that it acts on. It lives until it is closed.
pub(crate) struct Engine {
    peer: PeerId,
    key: Option<Rc<Key>>,
    /// Of what this peer published last.
    seq: Cell<u64>,
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
    lines: Rc<Lines>,
    /// Few: looking through them all is fast enough, and small.
    links: RefCell<Vec<Link>>,
    notices: Feed<Notice>,
    ready: Feed<()>,
}

impl Engine {
    /// Starts a client.
    pub(crate) fn start(options: &Checked, identity: Identity) -> Rc<Self> {
        let (peer, key) = (identity.peer, identity.key.clone());
        let client = Client::new(options.client(&identity));
        let engine = Rc::new(Self {
            peer,
            key,
            seq: Cell::new(0),
            identity: RefCell::new(Some(identity)),
            rtc: options.rtc.clone(),
            client: RefCell::new(client),
            inputs: RefCell::default(),
            running: Cell::new(false),
            closed: Cell::new(false),
            alarm: RefCell::default(),
            page: RefCell::default(),
            lines: Rc::default(),
            links: RefCell::default(),
            notices: Feed::new(UNREAD, UNREAD),
            ready: Feed::once(),
        });
        for (node, transport) in &options.transports {
            engine.lines.fix(node, *transport);
        }
        let tell = engine.teller();
        engine.page.replace(page::watch(&tell));
        engine.alarm.replace(Some(Alarm::new(move || tell(Input::Tick))));
        engine.tell(Input::Command(Command::Start));
        engine
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
        match &input {
            Input::Session(session, SessionInput::Opened(_)) => self.lines.opened(*session),
            Input::Session(session, SessionInput::Closed { .. }) => self.lines.hang_up(*session),
            _ => {}
        }
        let last = matches!(input, Input::Command(Command::Close));
        let actions = self.client.borrow_mut().handle(input, ambient::moment());
        for action in actions {
            self.carry_out(action);
        }
        for link in &*self.links.borrow() {
            link.verify(self.client.borrow().is_link_verified(link.peer()));
        }
        if last {
            self.shut();
        }
    }

    fn carry_out(self: &Rc<Self>, action: Action) {
        match action {
            Action::Dial { session, url, ticket } => {
                self.lines.dial(session, Way { node: url, peer: self.peer, ticket }, self.teller());
            }
            Action::Send { session, frame } => self.lines.send(session, frame),
            Action::Hangup(session) => self.lines.hang_up(session),
            Action::Rtc { peer, generation, command } => self.command(peer, generation, command),
            Action::Sign { number, claim } => {
                let (tell, key) = (self.teller(), self.key());
                spawn_local(async move {
                    tell(Input::Signed { number, signature: proofs::signature(key, claim).await });
                });
            }
            Action::Verify { number, from, claim, proof } => {
                let tell = self.teller();
                spawn_local(async move { tell(proofs::check(number, from, claim, proof).await) });
            }
            Action::Emit(event) => self.emit(event),
            Action::WakeAt(time) => {
                if let Some(alarm) = &*self.alarm.borrow() {
                    alarm.set(time);
                }
            }
        }
    }

    fn command(self: &Rc<Self>, peer: PeerId, generation: u32, command: RtcCommand) {
        if let RtcCommand::Create { open_channel } = command {
            return self.create(peer, generation, open_channel);
        }
        let Some(link) = self.link(&peer) else { return };
        let Some(connection) = link.connection(generation) else { return };
        match command {
            RtcCommand::SendInBand(text) => connection.send_in_band(&text),
            RtcCommand::Close => link.attach(None),
            command => connection.enqueue(&command),
        }
    }

    fn create(self: &Rc<Self>, peer: PeerId, generation: u32, open_channel: bool) {
        let tell = self.teller();
        let report = move |input| tell(Input::Rtc { peer, generation, input });
        let link = self.link_with(peer);
        match Connection::create(&self.rtc, link.clone(), open_channel, report) {
            Ok(connection) => link.attach(Some((generation, connection))),
            Err(thrown) => {
                let input = RtcInput::Refused(thrown_text(&thrown));
                self.tell(Input::Rtc { peer, generation, input });
            }
        }
    }

    /// Passes on what concerns the app.
    fn emit(self: &Rc<Self>, event: Event) {
        let told = match event {
            Event::Ready => return self.ready.push(&()),
            Event::Link { peer, state } => return self.change_link(peer, state),
            Event::Peer(peer) => Notice::Peer(peer),
            Event::PeerGone(peer) => Notice::PeerGone(peer),
            Event::Node(node) => Notice::Node(node),
            Event::Incoming(peer) => Notice::Link(self.link_with(peer)),
            Event::Path { peer, via } => Notice::Path { peer, via },
            Event::Refused(refusal) => Notice::Refused(refusal),
        };
        self.notices.push(&told);
    }

    fn change_link(&self, peer: PeerId, state: LinkState) {
        let Some(link) = self.link(&peer) else { return };
        if matches!(state, LinkState::Closed | LinkState::Failed(_)) {
            self.links.borrow_mut().retain(|other| other.peer() != peer);
        }
        link.enter(state);
    }

    /// After the client's last word: everything goes.
    fn shut(&self) {
        self.closed.set(true);
        self.inputs.take();
        self.alarm.take();
        self.page.take();
        self.ready.end();
        self.lines.clear();
        for link in self.links.take() {
            link.attach(None);
            link.enter(LinkState::Closed);
        }
        self.notices.end();
        self.identity.take();
    }
}

/// What the hub asks.
impl Engine {
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    pub(crate) fn key(&self) -> Option<Rc<Key>> {
        self.key.clone()
    }

    pub(crate) fn next_seq(&self, now: u64) -> u64 {
        self.seq.set(now.max(self.seq.get() + 1));
        self.seq.get()
    }

    pub(crate) const fn notices(&self) -> &Feed<Notice> {
        &self.notices
    }

    /// One event: the first node is there.
    pub(crate) const fn ready(&self) -> &Feed<()> {
        &self.ready
    }

    pub(crate) fn peers(&self) -> Vec<PeerView> {
        self.client.borrow().peers().collect()
    }

    /// Best first.
    pub(crate) fn nodes(&self) -> Vec<NodeView> {
        self.client.borrow().nodes().collect()
    }

    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(crate) const fn is_closed(&self) -> &Cell<bool> {
        &self.closed
    }

    pub(crate) fn link(&self, peer: &PeerId) -> Option<Link> {
        self.links.borrow().iter().find(|link| link.peer() == *peer).cloned()
    }

    /// The link to a peer; a new one if there is none.
    pub(crate) fn link_with(self: &Rc<Self>, peer: PeerId) -> Link {
        if let Some(link) = self.link(&peer) {
            return link;
        }
        let link = Link::new(peer, self.teller());
        self.links.borrow_mut().push(link.clone());
        link
    }
}
