//! A node's host, as the native one does it: sockets and seats, mail to be written, time that passes.
//! It holds no rule; those are `pigeonhub-node-core`'s.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use pigeonhub_node_core::ticket::{self, TicketKey};
use pigeonhub_node_core::{
    Admission, Beat, Caller, Change, Decision, Event, Facts, Knock, Membership, Memory, Needs, Node, Outlet,
    Rhythm, SessionId, Settings, Store, exchange,
};
use pigeonhub_protocol::mesh::{Departure, NodeDescriptor};
use pigeonhub_protocol::{
    Close, Frame, Millis, Moment, NetworkName, NodeId, NodeMessage, PeerId, PeerMessage, Refusal, Signal,
};

use crate::desk::Desk;
use crate::link::Link;
use crate::wire::{WireId, signal_id};
use crate::world::World;

/// Messages that are written at a time.
const HANDFUL: usize = 64;
/// How often it is looked what is over; how often whom to dial.
const SWEEP: u64 = 250;
const KEEP: u64 = 100;
/// How long an old socket has to answer when a new one of the same peer comes.
const PROBE: u64 = 1_000;

/// A node and its host.
pub struct Hub {
    pub node: Node,
    pub is_up: bool,
    /// It was told to end.
    pub is_draining: bool,
    /// It forgets everything between two lives.
    pub life: u64,
    pub shelf: Shelf,
    pub mesh: Membership,
    pub links: BTreeMap<NodeId, Link>,
    pub last_link: u64,
    seats: BTreeMap<PeerId, WireId>,
    pub callers: BTreeMap<WireId, Caller>,
    last_session: u64,
    pub desk: Desk,
    /// How far its clock is off.
    pub clock: i64,
    tickets: TicketKey,
    rung: Arc<Mutex<BTreeSet<WireId>>>,
}

/// Facts, and the nodes that can be reached.
#[derive(Default)]
pub struct Shelf {
    pub memory: RefCell<Memory>,
    pub nodes: RefCell<Vec<NodeId>>,
}

impl Store for Shelf {
    type Error = Infallible;

    async fn load(&self, needs: &Needs) -> Result<Facts, Infallible> {
        let nodes = self.nodes.borrow().iter().filter(|_| needs.nodes).cloned().collect();
        Ok(Facts { nodes, ..self.memory.borrow_mut().load(needs) })
    }

    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Infallible> {
        self.memory.borrow_mut().commit(network, changes);
        Ok(())
    }
}

struct Bell(WireId, Arc<Mutex<BTreeSet<WireId>>>);

impl Outlet for Bell {
    fn ring(&self) {
        self.1.lock().unwrap().insert(self.0);
    }

    fn overflow(&self) {
        panic!("a mailbox overflows");
    }
}

impl Hub {
    pub fn new(name: &str, settings: Settings, bootstrap: Vec<String>, life: u64) -> Self {
        let id: NodeId = name.parse().unwrap();
        let own = NodeDescriptor {
            node_id: id.clone(),
            t: "ws".into(),
            u: format!("ws://{name}"),
            public_key: format!("key of {name}"),
            region: None,
            priority: None,
            version: String::new(),
            timestamp: Millis(0),
            more: Default::default(),
        };
        Self {
            node: Node { id, settings },
            is_up: false,
            is_draining: false,
            life,
            shelf: Shelf::default(),
            mesh: Membership::new(own, life, bootstrap),
            links: BTreeMap::new(),
            last_link: 0,
            seats: BTreeMap::new(),
            callers: BTreeMap::new(),
            last_session: 0,
            desk: Desk::default(),
            clock: 0,
            tickets: TicketKey::from_secret(&[7; 32]),
            rung: Arc::default(),
        }
    }

    /// Whether the sender of a signal is known at no node.
    pub fn is_stranger(&self, signal: &Signal) -> bool {
        let needs = Needs::about(signal.network.clone(), &[signal.from]);
        self.shelf.memory.borrow_mut().load(&needs).targets[0].homes.is_empty()
    }

    /// Whether nothing is on its way to other nodes.
    pub fn is_idle(&self) -> bool {
        self.links.values().all(Link::is_idle)
    }

    /// The sockets that it thinks are open.
    pub fn sockets(&self) -> impl Iterator<Item = WireId> {
        self.callers.keys().copied()
    }
}

/// The result of a future that never waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a store in memory never waits"),
    }
}

/// Starting, and time that passes.
impl World {
    pub fn start_hub(&mut self, hub: usize) {
        self.hubs[hub].is_up = true;
        let life = self.hubs[hub].life;
        self.sweep(hub, life);
        self.keep_mesh(hub, life);
    }

    pub fn is_alive(&self, hub: usize, life: u64) -> bool {
        self.hubs[hub].is_up && self.hubs[hub].life == life
    }

    fn sweep(&mut self, hub: usize, life: u64) {
        if !self.is_alive(hub, life) {
            return;
        }
        let now = self.hub_now(hub);
        let due = self.hubs[hub].shelf.memory.borrow().due(now);
        due.into_iter().for_each(|network| drop(self.happen(hub, Event::Passed(network))));
        self.at_hub(hub, life, SWEEP, move |world| world.sweep(hub, life));
    }

    fn keep_mesh(&mut self, hub: usize, life: u64) {
        if !self.is_alive(hub, life) {
            return;
        }
        let now = self.hub_now(hub);
        let due = self.hubs[hub].mesh.due(now);
        due.into_iter().for_each(|url| self.meet(hub, url));
        self.at_hub(hub, life, KEEP, move |world| world.keep_mesh(hub, life));
    }

    /// Something happened: decided, committed, carried out.
    pub fn happen(&mut self, hub: usize, event: Event) -> Decision {
        let at = self.hub_at(hub);
        self.happen_at(hub, event, at)
    }

    /// The same, at the time that it is for the node.
    pub fn happen_at(&mut self, hub: usize, event: Event, at: Moment) -> Decision {
        let Hub { node, shelf, .. } = &self.hubs[hub];
        let Ok(mut decision) = at_once(exchange(node, shelf, event, at));
        self.carry_out(hub, std::mem::take(&mut decision.errands));
        let rung = std::mem::take(&mut *self.hubs[hub].rung.lock().unwrap());
        let life = self.hubs[hub].life;
        for wire in rung {
            self.at_hub(hub, life, 1, move |world| world.write_mail(hub, life, wire));
        }
        decision
    }
}

/// Sockets.
impl World {
    /// A page's socket is open: is its place free?
    pub fn seat(&mut self, id: WireId) {
        let (hub, peer) = (self.wires[&id].hub, self.pages[self.wires[&id].page].peer);
        if self.hubs[hub].is_draining {
            return self.close_wire(id, Close::RESTART);
        }
        let Hub { node, seats, callers, tickets, life, .. } = &self.hubs[hub];
        let session_of = |peer: &PeerId| seats.get(peer).map(|wire| callers[wire].session);
        let knock = Knock { peer: Some(peer), wants_ticket: true, ticket: self.wires[&id].ticket.clone() };
        match node.admit(&knock, session_of, seats.len(), tickets) {
            Admission::Welcome(_) => self.welcome(id),
            Admission::Refuse(close) => self.close_wire(id, close),
            Admission::TakeOver(_) => {
                let old = seats[&peer];
                self.close_wire(old, Close::TAKEN_OVER);
                self.end_session(old, Departure::Lost);
                self.welcome(id);
            }
            Admission::Probe(_) => {
                let (old, life) = (seats[&peer], *life);
                let wait = if self.wires[&old].is_up { 2 * self.delay() } else { PROBE };
                self.at_hub(hub, life, wait, move |world| world.probed(id, old));
            }
        }
    }

    fn probed(&mut self, id: WireId, old: WireId) {
        let (hub, peer) = (self.wires[&id].hub, self.pages[self.wires[&id].page].peer);
        if !self.wires[&id].is_up {
            return;
        }
        if self.hubs[hub].is_draining {
            return self.close_wire(id, Close::RESTART);
        }
        if self.hubs[hub].seats.get(&peer) == Some(&old) && !self.wires[&old].is_up {
            self.end_session(old, Departure::Lost);
        }
        if self.hubs[hub].seats.contains_key(&peer) {
            self.close_wire(id, Close::ALREADY_CONNECTED);
        } else {
            self.welcome(id);
        }
    }

    fn welcome(&mut self, id: WireId) {
        let (wire, life) = (&self.wires[&id], self.wires[&id].hub_life);
        let (index, peer) = (wire.hub, self.pages[wire.page].peer);
        let hub = &mut self.hubs[index];
        let lease = hub.node.settings.lease;
        hub.last_session += 1;
        hub.seats.insert(peer, id);
        let session = SessionId(hub.last_session);
        hub.callers.insert(id, Caller { peer, session, network: None });
        let ticket = Some(ticket::of_socket(&peer, session, &hub.tickets));
        let greeting = NodeMessage::Connected { peer, node: hub.node.id.clone(), ticket };
        self.send_to_page(id, greeting.frame(self.hub_now(index)));
        let rhythm = Rhythm::new(lease, self.moment());
        let wire = self.wires.get_mut(&id).unwrap();
        wire.rhythm = Some(rhythm);
        std::mem::take(&mut wire.early).into_iter().for_each(|frame| self.hub_hears(id, frame));
        self.rest(index, life, id);
    }

    /// What a clock shows that is never set.
    const fn moment(&mut self) -> Moment {
        Moment { now: Millis(self.now), seed: self.fate.roll() }
    }

    /// A page said something.
    pub fn hub_hears(&mut self, id: WireId, frame: Frame) {
        let (hub, now) = (self.wires[&id].hub, self.now);
        let wire = self.wires.get_mut(&id).unwrap();
        if wire.rhythm.is_none() {
            return wire.early.push(frame);
        }
        self.sign_of_life(id);
        let Some(caller) = self.hubs[hub].callers.get(&id).cloned() else { return };
        match PeerMessage::parse(frame.as_str()) {
            Ok(message) => {
                if let Some(signal) = signal_id(&message) {
                    self.ledger.taken(signal, id, hub, now);
                }
                self.session_event(id, Event::Said(caller, message));
            }
            Err(error) => {
                let refusal = Refusal::new(error.code, error.original_type);
                self.send_to_page(id, NodeMessage::Error(refusal).frame(self.hub_now(hub)));
            }
        }
    }

    /// Something came from a page, be it a pong.
    fn sign_of_life(&mut self, id: WireId) {
        let (wire, now) = (self.wires.get_mut(&id).unwrap(), Millis(self.now));
        let Some(caller) = self.hubs[wire.hub].callers.get(&id) else { return };
        let Some(rhythm) = &mut wire.rhythm else { return };
        rhythm.heard(now);
        if caller.network.is_some() && rhythm.renews(now) {
            let still_here = Event::StillHere(caller.clone());
            self.session_event(id, still_here);
        }
    }

    fn session_event(&mut self, id: WireId, event: Event) {
        let hub = self.wires[&id].hub;
        let decision = self.happen(hub, event);
        let Hub { callers, shelf, rung, .. } = &mut self.hubs[hub];
        if let Some(caller) = callers.get_mut(&id) {
            if decision.left {
                caller.network = None;
                self.ledger.sender_left(id);
            }
            if let Some(network) = decision.joined {
                let bell = Bell(id, Arc::clone(rung));
                shelf.memory.borrow_mut().attach(&network, caller.peer, caller.session, Arc::new(bell));
                caller.network = Some(network);
            }
        }
        decision.replies.into_iter().for_each(|frame| self.send_to_page(id, frame));
        let life = self.hubs[hub].life;
        self.at_hub(hub, life, 0, move |world| world.write_mail(hub, life, id));
    }

    /// Writes what is in the mailbox of a session.
    pub fn write_mail(&mut self, hub: usize, life: u64, id: WireId) {
        let caller = self.hubs[hub].callers.get(&id).filter(|_| !self.wires[&id].is_closing);
        let Some(Caller { peer, session, network: Some(network) }) = caller.cloned() else { return };
        let mail = self.hubs[hub].shelf.memory.borrow_mut().take(&network, peer, session, HANDFUL);
        if mail.is_empty() {
            return;
        }
        // A socket that broke is noticed in writing, or the bytes are gone.
        if !self.wires[&id].is_up && self.fate.percent(50) {
            self.hubs[hub].shelf.memory.borrow_mut().put_back(&network, peer, mail);
            return self.end_session(id, Departure::Lost);
        }
        for mail in mail {
            let frame = mail.into_frame(self.hub_now(hub));
            self.send_to_page(id, frame);
        }
        self.at_hub(hub, life, 1, move |world| world.write_mail(hub, life, id));
    }

    /// Some time will pass.
    fn rest(&mut self, hub: usize, life: u64, id: WireId) {
        if let Some(rhythm) = self.wires[&id].rhythm {
            let wait = rhythm.pause(Millis(self.now));
            self.at_hub(hub, life, wait, move |world| world.beat(hub, life, id));
        }
    }

    /// Some time passed.
    fn beat(&mut self, hub: usize, life: u64, id: WireId) {
        let Some(caller) = self.hubs[hub].callers.get(&id).cloned() else { return };
        let (at, wire) = (self.moment(), self.wires.get_mut(&id).unwrap());
        match wire.rhythm.as_mut().map_or(Beat::Rest, |rhythm| rhythm.beat(at)) {
            // Browsers answer, whatever their pages do.
            Beat::Ping if wire.is_up => self.sign_of_life(id),
            Beat::Silence => {
                self.close_wire(id, Close::SILENT);
                return self.end_session(id, Departure::Lost);
            }
            Beat::Discover if caller.network.is_some() => {
                self.session_event(id, Event::Said(caller, PeerMessage::Discover));
            }
            Beat::Rest | Beat::Ping | Beat::Discover => {}
        }
        self.rest(hub, life, id);
    }

    /// The node's end of a socket is over.
    pub fn end_session(&mut self, id: WireId, departure: Departure) {
        let wire = self.wires.get_mut(&id).unwrap();
        wire.is_up = false;
        let (index, life) = (wire.hub, wire.hub_life);
        if !self.is_alive(index, life) {
            return;
        }
        let hub = &mut self.hubs[index];
        let Some(caller) = hub.callers.remove(&id) else { return };
        if hub.seats.get(&caller.peer) == Some(&id) {
            hub.seats.remove(&caller.peer);
        }
        self.ledger.sender_left(id);
        self.happen(index, Event::Gone(caller, departure));
    }
}
