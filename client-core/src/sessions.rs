//! Which nodes to be on: the best first, a few at once, and another one when one is lost.

use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{http_url, is_node_url};
use pigeonhub_protocol::{Close, CloseCode, Code, Frame, Millis, NodeId, Refusal, Ticket};

use crate::backoff;
use crate::node::{self, Node};
use crate::session::{Need, Session};
use crate::turn::Turn;
use crate::{Action, Event, NodeState, NodeUrl, NodeView, SessionId, Transport};

/// The head start that a node gets before the next best is dialled, milliseconds.
const HEAD_START: u64 = 150;
/// Nodes to choose from.
const NODES: usize = 256;
/// Nodes that are taken from one hint.
const HINTS: usize = 4;
/// The nodes and the sessions with some of them.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    /// Best first.
    nodes: Vec<Node>,
    /// How many sessions to keep.
    wanted: usize,
    is_running: bool,
    is_ready: bool,
    last_dial: Millis,
}

impl Sessions {
    pub(crate) fn new(nodes: Vec<NodeUrl>, wanted: usize) -> Self {
        let mut sessions = Self {
            nodes: Vec::new(),
            wanted: wanted.max(1),
            is_running: false,
            is_ready: false,
            last_dial: Millis(0),
        };
        nodes.into_iter().for_each(|url| sessions.add(url));
        sessions
    }

    pub(crate) const fn start(&mut self) {
        self.is_running = true;
    }

    pub(crate) fn add(&mut self, url: NodeUrl) {
        if self.nodes.len() < NODES && self.nodes.iter().all(|node| node.url != url) {
            self.nodes.push(Node::new(url));
        }
    }

    /// Gives the session that ends with it.
    pub(crate) fn remove(&mut self, url: &NodeUrl, turn: &mut Turn<'_>) -> Option<SessionId> {
        let index = self.nodes.iter().position(|node| node.url == *url)?;
        let mut node = self.nodes.remove(index);
        node.enter(NodeState::Idle, turn);
        let id = node.session?.id;
        turn.act(Action::Hangup(id));
        Some(id)
    }

    /// The sessions, open or being opened, best first.
    fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.nodes.iter().filter_map(|node| node.session.as_ref())
    }

    fn sessions_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.nodes.iter_mut().filter_map(|node| node.session.as_mut())
    }

    fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions().find(|session| session.id == id)
    }

    /// The open sessions, best first.
    pub(crate) fn open(&self) -> impl Iterator<Item = SessionId> {
        self.sessions().filter(|session| session.is_open()).map(|session| session.id)
    }

    pub(crate) fn is_open(&self, id: SessionId) -> bool {
        self.open().any(|open| open == id)
    }

    /// Whether this session's node is silent.
    pub(crate) fn is_in_doubt(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(Session::is_in_doubt)
    }

    pub(crate) fn is_socket(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(Session::is_socket)
    }

    pub(crate) fn is_dialing(&self) -> bool {
        self.nodes.iter().any(|node| node.session.is_some() && !node.is_open())
    }

    pub(crate) fn url(&self, id: SessionId) -> Option<&NodeUrl> {
        self.nodes.iter().find(|node| node.has(id)).map(|node| &node.url)
    }

    pub(crate) fn views(&self) -> impl Iterator<Item = NodeView> {
        self.nodes.iter().map(Node::view)
    }

    /// A session is open: the peer announces itself. Gives whether it is one of ours.
    pub(crate) fn opened(
        &mut self,
        id: SessionId,
        transport: Transport,
        announce: Option<Frame>,
        ping: Frame,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(node) = self.nodes.iter_mut().find(|node| node.has(id)) else { return false };
        if let Some(session) = node.session.as_mut().filter(|session| !session.is_open()) {
            session.open(transport, turn.now);
            node.enter(NodeState::Open, turn);
            announce.into_iter().for_each(|announce| turn.send(id, announce));
            // How long does it take to answer?
            turn.send(id, ping);
        }
        true
    }

    /// A frame came. Gives whether it came on an open session of ours.
    pub(crate) fn heard(&mut self, id: SessionId, turn: &mut Turn<'_>) -> bool {
        let node = self.nodes.iter_mut().find(|node| node.has(id) && node.is_open());
        let Some(session) = node.and_then(|node| node.session.as_mut()) else { return false };
        session.hear(turn.now);
        // Not with the socket: a node that refuses a peer opens it first and closes it then.
        if !core::mem::replace(&mut self.is_ready, true) {
            turn.emit(Event::Ready);
        }
        true
    }

    /// The node answered a ping.
    pub(crate) fn ponged(&mut self, id: SessionId, now: Millis) {
        if let Some(session) = self.sessions_mut().find(|session| session.id == id) {
            session.ponged(now);
        }
    }

    /// Signals went out on these sessions. If there is another way, the nodes are to show that they
    /// got them: a node that falls silent so costs a moment, not the patience with who is called.
    pub(crate) fn carried(&mut self, by: &[SessionId], ping: &Frame, turn: &mut Turn<'_>) {
        if by.is_empty() || self.open().nth(1).is_none() {
            return;
        }
        for session in self.sessions_mut() {
            if by.contains(&session.id) && session.ask(turn.now) {
                turn.send(session.id, ping.clone());
            }
        }
    }

    /// When the answer to an offer that this session carries should be here, if there is another way to
    /// say it by.
    pub(crate) fn answer_due(&self, by: SessionId, now: Millis) -> Option<Millis> {
        self.open().nth(1)?;
        self.session(by)?.answer_due(now)
    }

    /// Sessions whose nodes should have shown by now that they got the last signals. What they carried
    /// is for others: as soon as there is one whose node answers.
    pub(crate) fn fall_silent(&mut self, now: Millis) -> Vec<SessionId> {
        self.sessions_mut().for_each(|session| session.doubt(now));
        if self.open().all(|session| self.is_in_doubt(session)) {
            return Vec::new();
        }
        self.sessions_mut().filter_map(|session| session.falls_silent().then_some(session.id)).collect()
    }

    /// The node said who it is.
    pub(crate) fn greeted(
        &mut self,
        id: SessionId,
        name: NodeId,
        ticket: Option<Ticket>,
        turn: &mut Turn<'_>,
    ) {
        let Some(node) = self.nodes.iter_mut().find(|node| node.has(id)) else { return };
        node.ticket = ticket;
        if node.id.as_ref() != Some(&name) {
            node.id = Some(name);
            turn.emit(Event::Node(node.view()));
        }
    }

    /// A socket is closed. Gives whether it was one of ours.
    pub(crate) fn closed(&mut self, id: SessionId, code: u16, reason: &str, turn: &mut Turn<'_>) -> bool {
        if node::is_refusal(code) && self.url(id).is_some() {
            turn.emit(Event::Refused(Refusal {
                text: reason.into(),
                ..Refusal::new(Code::Unavailable, None)
            }));
        }
        let is_ours = self.lose(id, code, turn);
        if is_ours && code == CloseCode::Restart as u16 && self.open().next().is_none() {
            // Better there than nowhere.
            self.take_hints(reason);
        }
        is_ours
    }

    /// A node that stops names others.
    fn take_hints(&mut self, reason: &str) {
        for url in Close::hints(reason).filter(|url| is_node_url(&http_url(url))).take(HINTS) {
            self.add(NodeUrl(url.into()));
        }
    }

    fn lose(&mut self, id: SessionId, code: u16, turn: &mut Turn<'_>) -> bool {
        let Some(index) = self.nodes.iter().position(|node| node.has(id)) else { return false };
        let was_open = self.nodes[index].is_open();
        let alone = self.open().all(|open| open == id);
        self.nodes[index].failed(code, alone, turn);
        if was_open && alone {
            self.shorten_rests(index, turn);
        }
        true
    }

    /// The last session is lost: nodes that rest from long ago are tried again soon.
    fn shorten_rests(&mut self, lost: usize, turn: &mut Turn<'_>) {
        let others = self.nodes.iter_mut().enumerate().filter(|(index, _)| *index != lost);
        for (_, node) in others.filter(|(_, node)| !node.is_refusing) {
            node.rest = node.rest.min(turn.now.plus(backoff::shortened(&mut turn.dice)));
        }
    }

    /// The page is back: rests are over, and open sessions show that they live.
    pub(crate) fn resume(&mut self, ping: &Frame, turn: &mut Turn<'_>) {
        for node in &mut self.nodes {
            node.rest = node.rest.min(turn.now);
            if let Some(session) = node.session.as_mut().filter(|session| session.is_open()) {
                session.pinged(turn.now);
                turn.send(session.id, ping.clone());
            }
        }
    }

    /// Asks a session that may be dead whether it is.
    pub(crate) fn probe(&mut self, suspect: SessionId, ping: &Frame, turn: &mut Turn<'_>) {
        let session = self.sessions_mut().find(|session| session.id == suspect);
        if let Some(session) = session.filter(|session| session.is_open() && !session.is_in_doubt()) {
            session.pinged(turn.now);
            turn.send(suspect, ping.clone());
        }
    }

    /// Pings silent sessions and gives up dead ones; gives those.
    pub(crate) fn tick(&mut self, ping: &Frame, turn: &mut Turn<'_>) -> Vec<SessionId> {
        let mut dead = Vec::new();
        for session in self.sessions_mut() {
            match session.need(turn.now) {
                Need::Nothing => {}
                Need::Ping => {
                    session.pinged(turn.now);
                    turn.send(session.id, ping.clone());
                }
                Need::End => dead.push(session.id),
            }
        }
        for id in &dead {
            turn.act(Action::Hangup(*id));
            self.lose(*id, 1006, turn);
        }
        dead
    }

    /// Dials what is missing, lets go what is too much.
    pub(crate) fn balance(&mut self, turn: &mut Turn<'_>) {
        if !self.is_running {
            return;
        }
        if self.missing(turn.now) == 0 && self.open().count() >= self.wanted {
            return self.stop_dialing(turn);
        }
        while self.missing(turn.now) > 0 && self.may_dial(turn.now) {
            let Some(node) = self.next_node(turn.now) else { return };
            let session = turn.numbers.session();
            node.session = Some(Session::new(session, turn.now));
            turn.act(Action::Dial { session, url: node.url.clone(), ticket: node.ticket.clone() });
            node.enter(NodeState::Dialing, turn);
            self.last_dial = turn.now;
        }
    }

    /// How many sessions are neither open nor about to be.
    fn missing(&self, now: Millis) -> usize {
        let there = self.sessions().filter(|session| session.is_open() || session.is_promising(now)).count();
        self.wanted.saturating_sub(there)
    }

    /// Whether the dial before had its head start, or needs none any more.
    fn may_dial(&self, now: Millis) -> bool {
        now >= self.last_dial.plus(HEAD_START) || !self.sessions().any(|session| session.is_promising(now))
    }

    /// The best node that is not used and not at rest; one that failed lately comes last.
    fn next_node(&mut self, now: Millis) -> Option<&mut Node> {
        let free = self.nodes.iter_mut().filter(|node| node.session.is_none() && node.rest <= now);
        free.min_by_key(|node| node.failures > 0)
    }

    /// There are enough: dials in progress were too slow.
    fn stop_dialing(&mut self, turn: &mut Turn<'_>) {
        for node in self.nodes.iter_mut().filter(|node| !node.is_open()) {
            if let Some(session) = node.session.take() {
                turn.act(Action::Hangup(session.id));
                node.enter(NodeState::Idle, turn);
            }
        }
    }

    /// Hangs up everywhere, for good.
    pub(crate) fn close(&mut self, goodbye: &Frame, turn: &mut Turn<'_>) {
        self.is_running = false;
        for node in &mut self.nodes {
            if let Some(session) = node.session.take() {
                if session.is_open() {
                    turn.send(session.id, goodbye.clone());
                }
                turn.act(Action::Hangup(session.id));
            }
            node.enter(NodeState::Idle, turn);
        }
    }

    pub(crate) fn deadline(&self, now: Millis) -> Option<Millis> {
        let own = self.sessions().map(Session::deadline).min();
        if !self.is_running || self.open().count() >= self.wanted {
            return own;
        }
        let slow = self.sessions().filter_map(Session::slow_at).filter(|at| *at > now).min();
        let free = self.nodes.iter().filter(|node| node.session.is_none());
        let next = free.map(|node| node.rest.max(self.last_dial.plus(HEAD_START))).min();
        let next = next.filter(|_| self.missing(now) > 0);
        [own, slow, next].into_iter().flatten().min()
    }
}
