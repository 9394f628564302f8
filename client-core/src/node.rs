//! One node that this client may be on, and how it did so far.

use pigeonhub_protocol::{Millis, NodeId, Ticket};

use crate::backoff;
use crate::session::Session;
use crate::turn::Turn;
use crate::{Event, NodeState, NodeUrl, NodeView, SessionId};

/// A node that refuses this peer (id in use, full) is not asked again as soon as one that is down,
/// but as one that failed so many times.
const REFUSED: u32 = 4;
/// Close codes of such a refusal: policy, session taken over.
const REFUSALS: [u16; 2] = [1008, 4001];

/// Whether a node closed with this code because it does not want this peer.
pub(crate) fn is_refusal(code: u16) -> bool {
    REFUSALS.contains(&code)
}

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) url: NodeUrl,
    pub(crate) id: Option<NodeId>,
    state: NodeState,
    pub(crate) session: Option<Session>,
    /// Lets the next session take the place of the last one, should the node think that it lives.
    pub(crate) ticket: Option<Ticket>,
    /// In a row. While there are any, the node's circuit is open: it gets one try per wait.
    pub(crate) failures: u32,
    /// Whether the last one was that it does not want this peer.
    pub(crate) is_refusing: bool,
    /// Not to be dialled before.
    pub(crate) rest: Millis,
}

impl Node {
    pub(crate) const fn new(url: NodeUrl) -> Self {
        Self {
            url,
            id: None,
            state: NodeState::Idle,
            session: None,
            ticket: None,
            failures: 0,
            is_refusing: false,
            rest: Millis(0),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_open)
    }

    /// Whether this is its session.
    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.session.as_ref().is_some_and(|own| own.id == session)
    }

    pub(crate) fn view(&self) -> NodeView {
        NodeView { url: self.url.clone(), node: self.id.clone(), state: self.state }
    }

    pub(crate) fn enter(&mut self, state: NodeState, turn: &mut Turn<'_>) {
        if self.state != state {
            self.state = state;
            turn.emit(Event::Node(self.view()));
        }
    }

    /// Its session is over, or did not come about: it rests for a while.
    pub(crate) fn failed(&mut self, code: u16, alone: bool, turn: &mut Turn<'_>) {
        let was_good = self.session.take().is_some_and(|session| session.was_good(turn.now));
        self.is_refusing = is_refusal(code);
        self.failures = if was_good { 1 } else { self.failures.saturating_add(1) };
        if self.is_refusing {
            self.failures = self.failures.max(REFUSED);
        }
        let wait = backoff::wait(self.failures, alone && !self.is_refusing, &mut turn.dice);
        self.rest = turn.now.plus(wait);
        self.enter(NodeState::Down, turn);
    }
}
