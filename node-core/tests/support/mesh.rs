//! A few nodes as one thing: events go in, errands are run at once and in order, mail comes out. The
//! only trouble is that nodes are cut off from each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pigeonhub_node_core::{
    Caller, Decision, Errand, Event, News, Node, Outcome, Outlet, Route, SessionId, Settings, exchange,
    exchange_now,
};
use pigeonhub_protocol::mesh::{Departure, PeerWithdrawal};
use pigeonhub_protocol::{
    Code, Frame, MessageId, Millis, Moment, NetworkName, NodeId, NodeMessage, PeerId, PeerMessage, Refusal,
};

use super::shelf::{Shelf, at_once};
use super::words::node;

/// Between two looks at what is over.
const TICK: u64 = 250;

/// The nodes, numbered, and who is connected to which.
pub struct Mesh {
    pub hosts: Vec<Host>,
    /// Pairs that cannot reach each other, the smaller number first.
    cut: BTreeSet<(usize, usize)>,
    pub callers: BTreeMap<(usize, PeerId), Caller>,
    pub now: Millis,
    sessions: u64,
    errands: VecDeque<(usize, Errand)>,
    /// What peers heard, in order: node, peer, the network that it was in, the message.
    pub heard: Vec<(usize, PeerId, Option<NetworkName>, NodeMessage)>,
    /// Signals that came back while neither the sender's node nor the one that brought them could be
    /// reached.
    pub lost_returns: BTreeSet<MessageId>,
}

/// Every session has a socket, and reads when the test says so.
struct Socket;

impl Outlet for Socket {
    fn ring(&self) {}

    fn overflow(&self) {
        panic!("nobody is told that much");
    }
}

pub struct Host {
    pub node: Node,
    pub shelf: Shelf,
}

impl Mesh {
    pub fn new(nodes: usize, settings: Settings) -> Self {
        let host = |number| Host {
            node: Node { id: node(&format!("n{number}")), settings },
            shelf: Shelf::default(),
        };
        let mut mesh = Self {
            hosts: (0..nodes).map(host).collect(),
            cut: BTreeSet::new(),
            callers: BTreeMap::new(),
            now: Millis(1_000_000),
            sessions: 0,
            errands: VecDeque::new(),
            heard: Vec::new(),
            lost_returns: BTreeSet::new(),
        };
        mesh.look_around();
        mesh
    }

    /// A peer says something at a node; it connects first if need be.
    pub fn say(&mut self, at: usize, peer: PeerId, message: PeerMessage) {
        self.sessions += 1;
        let new = Caller { peer, session: SessionId(self.sessions), network: None };
        let caller = self.callers.entry((at, peer)).or_insert(new).clone();
        self.peer_event(at, peer, Event::Said(caller, message));
    }

    /// A socket ends.
    pub fn end(&mut self, at: usize, peer: PeerId, departure: Departure) {
        if let Some(caller) = self.callers.remove(&(at, peer)) {
            self.peer_event(at, peer, Event::Gone(caller, departure));
        }
    }

    /// A peer reads all its mail.
    pub fn read(&mut self, at: usize, peer: PeerId) {
        let Some(Caller { session, network: Some(network), .. }) = self.callers.get(&(at, peer)).cloned()
        else {
            return;
        };
        let mail = self.hosts[at].shelf.memory.borrow_mut().take(&network, peer, session, usize::MAX);
        let now = self.now;
        self.hear(at, peer, mail.into_iter().map(|mail| mail.into_frame(now)));
    }

    /// The refusals that a peer has not read; its session is about to end, so it never will.
    pub fn unread_refusals(&self, at: usize, peer: PeerId) -> Vec<Refusal> {
        let Some(Caller { session, network: Some(network), .. }) = self.callers.get(&(at, peer)).cloned()
        else {
            return Vec::new();
        };
        let mut memory = self.hosts[at].shelf.memory.borrow_mut();
        let mail = memory.take(&network, peer, session, usize::MAX);
        memory.put_back(&network, peer, mail.clone());
        let messages = mail.into_iter().map(|mail| NodeMessage::parse(mail.into_frame(self.now).as_str()));
        let refusal = |message| match message {
            Ok(NodeMessage::Error(refusal)) => Some(refusal),
            _ => None,
        };
        messages.filter_map(refusal).collect()
    }

    pub fn read_all(&mut self) {
        let callers: Vec<_> = self.callers.keys().copied().collect();
        callers.into_iter().for_each(|(at, peer)| self.read(at, peer));
    }

    /// Time passes; whoever is connected answers pings.
    pub fn pass(&mut self, millis: u64) {
        for _ in 0..millis.div_ceil(TICK) {
            self.now = self.now.plus(TICK);
            for ((at, peer), caller) in self.callers.clone() {
                self.peer_event(at, peer, Event::StillHere(caller));
            }
            for at in 0..self.hosts.len() {
                let due = self.hosts[at].shelf.memory.borrow().due(self.now);
                due.into_iter().for_each(|network| drop(self.happen(at, Event::Passed(network))));
            }
            self.run_errands();
        }
    }

    /// Two nodes cannot reach each other any more, and both notice.
    pub fn cut(&mut self, one: usize, two: usize) {
        if one != two && self.cut.insert((one.min(two), one.max(two))) {
            let absence = self.hosts[one].node.absence(self.now);
            for (at, other) in [(one, two), (two, one)] {
                let other = self.hosts[other].node.id.clone();
                self.hosts[at].shelf.memory.borrow_mut().node_lost(&other, absence);
            }
            self.look_around();
        }
    }

    /// They can again, and say in which networks they have peers.
    pub fn heal(&mut self, one: usize, two: usize) {
        if self.cut.remove(&(one.min(two), one.max(two))) {
            self.look_around();
            for (at, other) in [(one, two), (two, one)] {
                let inhabited = self.hosts[at].shelf.memory.borrow().inhabited();
                for network in inhabited {
                    let node = &self.hosts[at].node;
                    let (own, interest) = (node.id.clone(), node.interest(network, true));
                    self.happen(other, Event::Interested(own, interest));
                }
            }
            self.run_errands();
        }
    }

    pub fn heal_all(&mut self) {
        self.cut.clone().into_iter().for_each(|(one, two)| self.heal(one, two));
    }

    fn look_around(&mut self) {
        for (at, host) in self.hosts.iter().enumerate() {
            let reachable = self.reachable(at).into_iter().map(|other| self.hosts[other].node.id.clone());
            *host.shelf.nodes.borrow_mut() = reachable.collect();
        }
    }

    pub fn is_cut(&self, one: usize, two: usize) -> bool {
        self.cut.contains(&(one.min(two), one.max(two)))
    }

    fn reachable(&self, at: usize) -> Vec<usize> {
        (0..self.hosts.len()).filter(|other| *other != at && !self.is_cut(at, *other)).collect()
    }

    fn peer_event(&mut self, at: usize, peer: PeerId, event: Event) {
        let decision = self.happen(at, event);
        if let Some(caller) = self.callers.get_mut(&(at, peer)) {
            if decision.left {
                caller.network = None;
            }
            if let Some(network) = decision.joined {
                let mut memory = self.hosts[at].shelf.memory.borrow_mut();
                memory.attach(&network, peer, caller.session, Arc::new(Socket));
                caller.network = Some(network);
            }
        }
        self.hear(at, peer, decision.replies.into_iter());
        self.run_errands();
    }

    fn hear(&mut self, at: usize, peer: PeerId, frames: impl Iterator<Item = Frame>) {
        let network = self.callers.get(&(at, peer)).and_then(|caller| caller.network.clone());
        let messages = frames.map(|frame| NodeMessage::parse(frame.as_str()).unwrap());
        self.heard.extend(messages.map(|message| (at, peer, network.clone(), message)));
    }

    fn happen(&mut self, at: usize, event: Event) -> Decision {
        let moment = Moment { now: self.now, seed: self.now.0 ^ self.sessions };
        let host = &self.hosts[at];
        // Both ways to take a step keep all promises, in turns.
        let mut decision = if moment.seed.is_multiple_of(2) {
            exchange_now(&host.node, &host.shelf, event, moment)
        } else {
            at_once(exchange(&host.node, &host.shelf, event, moment)).unwrap()
        };
        self.errands.extend(decision.errands.drain(..).map(|errand| (at, errand)));
        decision
    }

    fn run_errands(&mut self) {
        for _ in 0..10_000 {
            let Some((at, errand)) = self.errands.pop_front() else { return };
            self.run(at, errand);
        }
        panic!("errands lead to errands without end");
    }

    fn run(&mut self, at: usize, errand: Errand) {
        let own = self.hosts[at].node.id.clone();
        match errand {
            Errand::Announce { presence, tell, refresh } => {
                let abroad = self.hosts[at].shelf.memory.borrow().abroad(&presence.network);
                let up = self.reachable(at).into_iter().map(|other| self.hosts[other].node.id.clone());
                for (node, news) in self.hosts[at].node.news(&presence, &tell, refresh, &abroad, up) {
                    self.hear_news(&own, &node, news);
                }
            }
            Errand::Interest { network, to, answer } => {
                let Host { node, shelf } = &self.hosts[at];
                let interest = node.interest(network.clone(), answer);
                if shelf.memory.borrow().is_inhabited(&network) {
                    for other in self.reachable(at) {
                        if to.as_ref().is_none_or(|to| *to == self.hosts[other].node.id) {
                            self.happen(other, Event::Interested(own.clone(), interest.clone()));
                        }
                    }
                }
            }
            Errand::Introduce { to, network } => {
                let (other, here) =
                    (self.place_of(&to), self.hosts[at].shelf.memory.borrow().here_in(&network));
                for presence in here.iter().filter(|_| !self.is_cut(at, other)).collect::<Vec<_>>() {
                    for news in self.hosts[at].node.introduction(presence) {
                        self.hear_news(&own, &to, news);
                    }
                }
            }
            Errand::Withdraw { peer, network, departure, data } => {
                let (peer_id, node_id, network_name) = (peer, own.clone(), network);
                let withdrawal = PeerWithdrawal { peer_id, node_id, network_name, departure, data };
                for other in self.reachable(at) {
                    self.happen(other, Event::Withdrawn(own.clone(), withdrawal.clone()));
                }
            }
            Errand::Route(route) => {
                let outcome = self.bring(at, &route);
                self.happen(at, Event::Settled(route, outcome));
            }
            Errand::Return { nodes, back } => {
                let reachable = self.reachable(at).into_iter();
                let reached =
                    |node: &NodeId| reachable.clone().find(|other| self.hosts[*other].node.id == *node);
                match nodes.iter().find_map(reached) {
                    Some(other) => drop(self.happen(other, Event::Returned(own, back))),
                    None => self.lost_returns.extend(back.refusal.id),
                }
            }
        }
    }

    fn hear_news(&mut self, from: &NodeId, to: &NodeId, news: News) {
        let event = match news {
            News::Interest(interest) => Event::Interested(from.clone(), interest),
            News::Announce(announcement) => Event::Announced(from.clone(), announcement),
            News::Withdraw(withdrawal) => Event::Withdrawn(from.clone(), withdrawal),
        };
        self.happen(self.place_of(to), event);
    }

    fn bring(&mut self, at: usize, route: &Route) -> Outcome {
        let own = self.hosts[at].node.id.clone();
        let (mut taken, mut refused, mut silent) = (None, None, false);
        for node in &route.nodes {
            let Some(other) =
                self.reachable(at).into_iter().find(|other| self.hosts[*other].node.id == *node)
            else {
                silent = true;
                continue;
            };
            let answer = self.happen(other, Event::Routed(own.clone(), route.signal.clone())).routed.unwrap();
            if answer.routed {
                taken.get_or_insert(node.clone());
                if !route.ask_all {
                    break;
                }
            }
            refused = refused.or(answer.code);
        }
        match (taken, refused) {
            (Some(node), _) => Outcome::Routed(node),
            (None, Some(code)) if !silent => Outcome::Refused(code),
            (None, None) if !silent => Outcome::Refused(Code::PeerUnavailable),
            _ => Outcome::Unreachable,
        }
    }

    fn place_of(&self, node: &NodeId) -> usize {
        self.hosts.iter().position(|host| host.node.id == *node).unwrap()
    }
}
