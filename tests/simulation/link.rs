//! The way from one node to another: a queue, one request at a time, and errands that go into it.

use std::collections::VecDeque;

use pigeonhub_node_core::{Errand, Event, MeshChange, News};
use pigeonhub_protocol::mesh::{Interest, PeerAnnouncement, PeerWithdrawal, Return, Routed};
use pigeonhub_protocol::{Code, NodeId};

use crate::hub::Hub;
use crate::journey::{Journey, Next};
use crate::post::Fault;
use crate::world::World;

/// Parcels in one request.
const BATCH: usize = 128;
/// Errands that follow from errands at once; then there is a pause.
const ROUNDS: usize = 4;
const PAUSE: u64 = 250;

/// From a node's coming up to its going down.
#[derive(Default)]
pub struct Link {
    pub id: u64,
    pub waiting: VecDeque<Parcel>,
    is_busy: bool,
}

impl Link {
    pub fn is_idle(&self) -> bool {
        !self.is_busy && self.waiting.is_empty()
    }
}

/// Something for another node.
#[derive(Clone)]
pub enum Parcel {
    Interest(Interest),
    Announce(PeerAnnouncement),
    Withdraw(PeerWithdrawal),
    Signal(Journey),
    Return(Return),
}

impl From<News> for Parcel {
    fn from(news: News) -> Self {
        match news {
            News::Interest(interest) => Self::Interest(interest),
            News::Announce(announcement) => Self::Announce(announcement),
            News::Withdraw(withdrawal) => Self::Withdraw(withdrawal),
        }
    }
}

impl Parcel {
    /// Which route it goes to.
    const fn route(&self) -> u8 {
        match self {
            Self::Interest(_) => 0,
            Self::Announce(_) => 1,
            Self::Withdraw(_) => 2,
            Self::Signal(_) | Self::Return(_) => 3,
        }
    }

    const fn is_news(&self) -> bool {
        self.route() < 3
    }
}

/// Errands.
impl World {
    pub fn carry_out(&mut self, hub: usize, mut errands: Vec<Errand>) {
        for _ in 0..ROUNDS {
            if errands.is_empty() {
                return;
            }
            errands = errands.into_iter().flat_map(|errand| self.take_on(hub, errand)).collect();
        }
        let life = self.hubs[hub].life;
        self.at_hub(hub, life, PAUSE, move |world| world.carry_out(hub, errands));
    }

    /// Takes an errand on; what follows from it at once.
    fn take_on(&mut self, hub: usize, errand: Errand) -> Vec<Errand> {
        let nodes: Vec<NodeId> = self.hubs[hub].links.keys().cloned().collect();
        match errand {
            Errand::Announce { presence, tell, refresh } => {
                let Hub { node, shelf, .. } = &self.hubs[hub];
                let abroad = shelf.memory.borrow().abroad(&presence.network);
                for (node, news) in node.news(&presence, &tell, refresh, &abroad, nodes.into_iter()) {
                    self.push(hub, &node, news.into());
                }
            }
            Errand::Interest { network, to, answer } => {
                let Hub { node, shelf, .. } = &self.hubs[hub];
                let interest = node.interest(network.clone(), answer);
                if shelf.memory.borrow().is_inhabited(&network) {
                    for node in nodes.iter().filter(|node| to.as_ref().is_none_or(|to| to == *node)) {
                        self.push(hub, node, Parcel::Interest(interest.clone()));
                    }
                }
            }
            Errand::Introduce { to, network } => {
                let Hub { node, shelf, .. } = &self.hubs[hub];
                let here = shelf.memory.borrow().here_in(&network);
                let news: Vec<_> = here.iter().flat_map(|presence| node.introduction(presence)).collect();
                news.into_iter().for_each(|news| drop(self.push(hub, &to, news.into())));
            }
            Errand::Withdraw { peer, network, departure, data } => {
                let (peer_id, node_id, network_name) = (peer, self.hubs[hub].node.id.clone(), network);
                let withdrawal = PeerWithdrawal { peer_id, node_id, network_name, departure, data };
                nodes
                    .iter()
                    .for_each(|node| drop(self.push(hub, node, Parcel::Withdraw(withdrawal.clone()))));
            }
            Errand::Route(route) => {
                let next = Journey::begin(route);
                return next.into_iter().flat_map(|next| self.go(hub, next)).collect();
            }
            Errand::Return { nodes, back } => {
                let mut back = Some(Parcel::Return(back));
                for node in nodes {
                    back = back.and_then(|back| self.push(hub, &node, back));
                }
                if let Some(Parcel::Return(lost)) = back {
                    lost.refusal.id.iter().for_each(|id| self.ledger.lost(id.as_str()));
                }
            }
        }
        Vec::new()
    }

    /// Goes on with a signal until it waits in a queue, or is over; what follows from that.
    fn go(&mut self, hub: usize, mut next: Next) -> Vec<Errand> {
        loop {
            match next {
                Next::Nothing => return Vec::new(),
                Next::Over(route, outcome) => {
                    drop(self.happen(hub, Event::Settled(route, outcome)));
                    return Vec::new();
                }
                Next::To(node, journey) => {
                    let Some(Parcel::Signal(journey)) = self.push(hub, &node, Parcel::Signal(journey)) else {
                        return Vec::new();
                    };
                    next = journey.answered(&node, None);
                }
            }
        }
    }

    /// Adds to the queue; gives the parcel back if there is no way to the node.
    fn push(&mut self, hub: usize, node: &NodeId, parcel: Parcel) -> Option<Parcel> {
        let Some(link) = self.hubs[hub].links.get_mut(node) else { return Some(parcel) };
        link.waiting.push_back(parcel);
        self.work(hub, node.clone());
        None
    }
}

/// The worker.
impl World {
    fn work(&mut self, hub: usize, node: NodeId) {
        let Some(link) = self.hubs[hub].links.get_mut(&node) else { return };
        let Some(first) = link.waiting.front().filter(|_| !link.is_busy) else { return };
        let route = first.route();
        let count = link.waiting.iter().take(BATCH).take_while(|parcel| parcel.route() == route).count();
        let batch: Vec<Parcel> = link.waiting.drain(..count).collect();
        link.is_busy = true;
        let id = link.id;
        self.bring(hub, node, id, batch, true);
    }

    fn bring(&mut self, hub: usize, node: NodeId, link: u64, batch: Vec<Parcel>, is_first: bool) {
        let (own, parcels, to) = (self.hubs[hub].node.id.clone(), batch.clone(), self.hub_of(&node));
        let serve = move |world: &mut Self| world.take_batch(to, &own, &parcels);
        self.request_around(hub, to, serve, move |world, answer| {
            // News are brought twice: saying them again changes nothing.
            if matches!(answer, Err(Fault::Silence)) && is_first && batch[0].is_news() {
                return world.bring(hub, node, link, batch, false);
            }
            world.brought(hub, &node, link, batch, answer);
        });
    }

    fn brought(
        &mut self,
        hub: usize,
        node: &NodeId,
        id: u64,
        batch: Vec<Parcel>,
        answer: Result<Vec<Routed>, Fault>,
    ) {
        if let Err(fault) = &answer {
            let (at, is_current) =
                (self.hub_at(hub), self.hubs[hub].links.get(node).is_some_and(|link| link.id == id));
            let mesh = &mut self.hubs[hub].mesh;
            if *fault == Fault::Stranger || batch[0].is_news() {
                if is_current {
                    let changes = mesh.lost(node, at);
                    self.mesh_changed(hub, changes);
                }
            } else {
                mesh.silent(node, at.now);
            }
        }
        let mut answers = answer.unwrap_or_default().into_iter();
        let mut errands = Vec::new();
        for parcel in batch {
            let answer =
                answers.next().map(
                    |Routed { routed, code, .. }| {
                        if routed { Ok(()) } else { Err(code.unwrap_or(Code::PeerUnavailable)) }
                    },
                );
            match parcel {
                Parcel::Signal(journey) => errands.extend(self.go(hub, journey.answered(node, answer))),
                Parcel::Return(back) if answer.is_none() => {
                    back.refusal.id.iter().for_each(|id| self.ledger.lost(id.as_str()));
                }
                _ => {}
            }
        }
        self.carry_out(hub, errands);
        if let Some(link) = self.hubs[hub].links.get_mut(node).filter(|link| link.id == id) {
            link.is_busy = false;
            self.work(hub, node.clone());
        }
    }

    /// Another node brings a batch.
    fn take_batch(&mut self, hub: usize, from: &NodeId, batch: &[Parcel]) -> Result<Vec<Routed>, Fault> {
        let now = self.hub_now(hub);
        let mesh = &mut self.hubs[hub].mesh;
        if mesh.find(from).is_none() {
            return Err(Fault::Stranger);
        }
        mesh.spoke(from, now);
        let answers = batch.iter().map(|parcel| match parcel.clone() {
            Parcel::Interest(interest) => {
                drop(self.happen(hub, Event::Interested(from.clone(), interest)));
                None
            }
            Parcel::Announce(announcement) => {
                drop(self.happen(hub, Event::Announced(from.clone(), announcement)));
                None
            }
            Parcel::Withdraw(withdrawal) => {
                drop(self.happen(hub, Event::Withdrawn(from.clone(), withdrawal)));
                None
            }
            Parcel::Signal(_) if self.hubs[hub].is_draining => Some(self.hubs[hub].node.declined()),
            Parcel::Signal(journey) => {
                let signal = journey.route.signal.clone();
                let is_blind = self.hubs[hub].is_stranger(&signal);
                if let Some(id) = &signal.id {
                    self.ledger.passed(id.as_str(), hub);
                    if is_blind {
                        self.ledger.taken_blindly(id.as_str());
                    }
                }
                self.happen(hub, Event::Routed(from.clone(), signal)).routed
            }
            Parcel::Return(back) => {
                drop(self.happen(hub, Event::Returned(from.clone(), back)));
                let (node_id, connection_count) = (self.hubs[hub].node.id.clone(), 0);
                Some(Routed { routed: true, target_found: true, code: None, node_id, connection_count })
            }
        });
        Ok(answers.flatten().collect())
    }
}

/// What follows from changes of the mesh.
impl World {
    pub fn mesh_changed(&mut self, hub: usize, changes: Vec<MeshChange>) {
        for change in changes {
            match change {
                MeshChange::Up(node) => self.open_link(hub, node),
                MeshChange::Down(node) | MeshChange::Restarted(node) => self.close_link(hub, &node),
            }
        }
        let Hub { links, shelf, .. } = &self.hubs[hub];
        *shelf.nodes.borrow_mut() = links.keys().cloned().collect();
    }

    /// The node is told in which networks there are peers here, before anything else.
    fn open_link(&mut self, index: usize, node: NodeId) {
        let hub = &mut self.hubs[index];
        hub.last_link += 1;
        let inhabited = hub.shelf.memory.borrow().inhabited().into_iter();
        let waiting = inhabited.map(|network| Parcel::Interest(hub.node.interest(network, true)));
        let link = Link { id: hub.last_link, waiting: waiting.collect(), is_busy: false };
        if let Some(old) = hub.links.insert(node.clone(), link) {
            self.give_back(index, &node, old);
        }
        self.work(index, node);
    }

    fn close_link(&mut self, index: usize, node: &NodeId) {
        let now = self.hub_now(index);
        let hub = &mut self.hubs[index];
        hub.shelf.memory.borrow_mut().node_lost(node, hub.node.absence(now));
        if let Some(link) = hub.links.remove(node) {
            self.give_back(index, node, link);
        }
    }

    /// Signals that waited go other ways, or back.
    fn give_back(&mut self, hub: usize, node: &NodeId, link: Link) {
        for parcel in link.waiting {
            match parcel {
                Parcel::Signal(journey) => {
                    let errands = self.go(hub, journey.answered(node, None));
                    self.carry_out(hub, errands);
                }
                Parcel::Return(back) => back.refusal.id.iter().for_each(|id| self.ledger.lost(id.as_str())),
                Parcel::Interest(_) | Parcel::Announce(_) | Parcel::Withdraw(_) => {}
            }
        }
    }
}
