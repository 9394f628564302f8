//! Sockets between pages and nodes: in order, with delay, until they break. A break may be noticed
//! by both sides at once, or by nobody until somebody asks.

use pigeonhub_client_core::{SessionId, SessionInput, Transport};
use pigeonhub_node_core::Rhythm;
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Close, Code, Frame, NodeMessage, PeerMessage, Ticket};

use crate::world::World;

/// No two wires have the same.
pub type WireId = u64;

/// One socket.
#[derive(Debug)]
pub struct Wire {
    pub page: usize,
    /// The page is loaded anew now and then; this is the one that dialled.
    pub page_life: u64,
    pub hub: usize,
    pub hub_life: u64,
    pub session: SessionId,
    /// Whether anything gets through.
    pub is_up: bool,
    /// Whether the node has said that it closes it, and writes no more.
    pub is_closing: bool,
    /// When the last thing under way arrives: nothing overtakes it.
    page_at: u64,
    hub_at: u64,
    /// When it was dialled.
    pub since: u64,
    /// What arrived before the node had decided whether the page may come in.
    pub early: Vec<Frame>,
    /// The node's pings and patience, once the page is in.
    pub rhythm: Option<Rhythm>,
    /// What the page showed when it dialled.
    pub ticket: Option<Ticket>,
}

/// How a socket breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Both sides notice.
    Loud,
    /// Nobody is told.
    Silent,
}

impl World {
    /// A page dials a node.
    pub fn dial_wire(&mut self, page: usize, session: SessionId, hub: usize, ticket: Option<Ticket>) {
        let (id, page_life) = (self.ledger_wire(), self.pages[page].life);
        self.pages[page].wires.insert(session, id);
        let hub_life = self.hubs[hub].life;
        let (page_at, hub_at) = (self.now, self.now);
        let (early, since, rhythm, is_up) = (Vec::new(), self.now, None, false);
        let wire = Wire {
            page,
            page_life,
            hub,
            hub_life,
            session,
            is_up,
            is_closing: false,
            page_at,
            hub_at,
            since,
            early,
            rhythm,
            ticket,
        };
        self.wires.insert(id, wire);
        let wait = self.delay();
        self.after(wait, move |world| world.answer_dial(id));
    }

    fn ledger_wire(&self) -> WireId {
        self.wires.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    fn answer_dial(&mut self, id: WireId) {
        let &Wire { hub, page, page_life, session, .. } = &self.wires[&id];
        if !self.is_page_wire(id) {
            return;
        }
        if !self.hubs[hub].is_up || self.blocks.contains(&(page, hub)) {
            // A machine that is off does not even refuse.
            let wait = if self.fate.percent(50) { 5 } else { 60_000 };
            return self.after(wait, move |world| world.page_loses(id, 1006));
        }
        let hub_life = self.hubs[hub].life;
        let wire = self.wires.get_mut(&id).unwrap();
        (wire.is_up, wire.hub_life) = (true, hub_life);
        self.at_hub(hub, hub_life, 0, move |world| {
            let wait = world.delay();
            world.after(wait, move |world| {
                if world.is_page_wire(id) {
                    world.tell_session(page, page_life, session, SessionInput::Opened(Transport::WebSocket));
                }
            });
            world.seat(id);
        });
    }

    /// Whether the page still has this socket.
    pub fn is_page_wire(&self, id: WireId) -> bool {
        let wire = &self.wires[&id];
        let page = &self.pages[wire.page];
        page.life == wire.page_life && page.wires.get(&wire.session) == Some(&id)
    }

    pub fn tell_session(&mut self, page: usize, life: u64, session: SessionId, input: SessionInput) {
        self.tell(page, life, pigeonhub_client_core::Input::Session(session, input));
    }

    /// A page sends a frame.
    pub fn send_to_hub(&mut self, id: WireId, frame: Frame) {
        let at = self.now + self.delay();
        let wire = self.wires.get_mut(&id).unwrap();
        wire.hub_at = wire.hub_at.max(at);
        let wait = wire.hub_at - self.now;
        let (hub, life) = (wire.hub, wire.hub_life);
        self.after(wait, move |world| {
            if world.wires[&id].is_up {
                world.at_hub(hub, life, 0, move |world| world.hub_hears(id, frame));
            }
        });
    }

    /// A node sends a frame.
    pub fn send_to_page(&mut self, id: WireId, frame: Frame) {
        let at = self.now + self.delay();
        let wire = self.wires.get_mut(&id).unwrap();
        // It arrives after the news that the socket is open.
        wire.page_at = wire.page_at.max(at).max(self.now + self.weather.delay);
        let (wait, page, life, session) = (wire.page_at - self.now, wire.page, wire.page_life, wire.session);
        self.after(wait, move |world| {
            let arrives = world.wires[&id].is_up && world.is_page_wire(id);
            world.note_arrival(id, page, frame.as_str(), arrives);
            if arrives {
                let text = frame.as_str().into();
                world.tell_session(page, life, session, SessionInput::Frame(text));
            }
        });
    }

    /// Whatever a page hears is of its own network and for it, and signals are kept book of.
    fn note_arrival(&mut self, wire: WireId, page: usize, text: &str, arrives: bool) {
        let (message, since) = (NodeMessage::parse(text).unwrap(), self.wires[&wire].since);
        let (own, network) = (self.pages[page].peer, &self.pages[page].network);
        let id = match &message {
            NodeMessage::Signal(signal) => {
                assert!(signal.target == own && signal.from != own, "{message:?} for {own}");
                assert_eq!(signal.network, *network);
                let since = self.fair_since.map(|fair| fair.max(since));
                let in_order = match (&signal.id, since) {
                    (Some(id), Some(since)) if arrives => self.ledger.arrives(id.as_str(), wire, since),
                    _ => true,
                };
                assert!(in_order, "{} {:?} of {} is overtaken", signal.kind, signal.id, signal.from);
                signal.id.clone()
            }
            NodeMessage::Error(refusal) => {
                assert_ne!(refusal.code, Code::Forbidden, "{own} speaks for nobody else: {refusal:?}");
                self.refusals.push(refusal.clone());
                refusal.id.clone()
            }
            NodeMessage::Discovered { peer, network: of, .. }
            | NodeMessage::Departed { peer, network: of } => {
                assert!(*peer != own && of == network, "{message:?} for {own} in {network}");
                None
            }
            NodeMessage::Goodbye { from, network: of, .. } => {
                assert!(*from != own && of == network, "{message:?} for {own} in {network}");
                None
            }
            NodeMessage::Connected { peer, .. } | NodeMessage::Pong { peer } => {
                assert_eq!(*peer, own);
                None
            }
        };
        match id {
            Some(id) if arrives => self.ledger.ended(id.as_str()),
            Some(id) => self.ledger.lost(id.as_str()),
            None => {}
        }
    }

    /// Something in the middle breaks.
    pub fn break_wire(&mut self, id: WireId, how: Break) {
        let wire = self.wires.get_mut(&id).unwrap();
        if !std::mem::replace(&mut wire.is_up, false) || how == Break::Silent {
            return;
        }
        let (to_page, to_hub) = (self.fate.between(1, 500), self.fate.between(1, 500));
        self.after(to_page, move |world| world.page_loses(id, 1006));
        let (hub, life) = (self.wires[&id].hub, self.wires[&id].hub_life);
        self.at_hub(hub, life, to_hub, move |world| world.end_session(id, Departure::Lost));
    }

    /// The page's end of it is closed.
    pub fn page_loses(&mut self, id: WireId, code: u16) {
        self.page_is_closed(id, code, String::new());
    }

    fn page_is_closed(&mut self, id: WireId, code: u16, reason: String) {
        let &Wire { page, page_life, session, .. } = &self.wires[&id];
        if self.is_page_wire(id) {
            self.pages[page].wires.remove(&session);
            self.ledger.sender_left(id);
            self.tell_session(page, page_life, session, SessionInput::Closed { code, reason });
        }
    }

    /// The page closes it; what it sent before arrives before.
    pub fn hang_up(&mut self, page: usize, session: SessionId) {
        let Some(id) = self.pages[page].wires.remove(&session) else { return };
        self.ledger.sender_left(id);
        let at = self.now + self.delay();
        let wait = self.wires[&id].hub_at.max(at) - self.now;
        let (hub, life) = (self.wires[&id].hub, self.wires[&id].hub_life);
        self.after(wait, move |world| {
            if world.wires[&id].is_up {
                world.at_hub(hub, life, 0, move |world| world.end_session(id, Departure::Closed));
            }
        });
    }

    /// The node closes it.
    pub fn close_wire(&mut self, id: WireId, close: Close) {
        let (wait, reason) = self.way_of_close(id, close);
        self.after(wait, move |world| {
            if std::mem::replace(&mut world.wires.get_mut(&id).unwrap().is_up, false) {
                world.page_is_closed(id, close.code as u16, reason);
            }
        });
    }

    /// The node says that it closes it, and listens until the page has heard that.
    pub fn close_half(&mut self, id: WireId, close: Close) {
        let (wait, reason) = self.way_of_close(id, close);
        self.wires.get_mut(&id).unwrap().is_closing = true;
        self.after(wait, move |world| {
            if world.wires[&id].is_up {
                world.page_is_closed(id, close.code as u16, reason);
            }
        });
    }

    /// How long it takes until a close frame of the node has been heard, and what it says.
    fn way_of_close(&mut self, id: WireId, close: Close) -> (u64, String) {
        let at = self.now + self.delay();
        let reason = if close == Close::RESTART { self.hint(self.wires[&id].hub) } else { String::new() };
        (self.wires[&id].page_at.max(at) - self.now, reason)
    }

    /// How long it takes until the node has heard all that the page says before it hears a close frame
    /// that is sent now.
    pub fn last_words_heard(&self, id: WireId) -> u64 {
        let wire = &self.wires[&id];
        let page_at = wire.page_at.max(self.now + self.weather.delay) + self.weather.delay;
        wire.hub_at.max(page_at) + 1 - self.now
    }
}

/// The id of a signal that a page sends.
pub fn signal_id(message: &PeerMessage) -> Option<&str> {
    match message {
        PeerMessage::Signal { id, .. } => id.as_ref().map(|id| id.as_str()),
        _ => None,
    }
}
