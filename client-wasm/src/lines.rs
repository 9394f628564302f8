//! The lines to the nodes: one for each session, by WebSocket or over plain HTTP.

use core::cell::RefCell;
use std::rc::Rc;

use pigeonhub_client_core::{Input, NodeUrl, SessionId, SessionInput, Transport, Ways};
use pigeonhub_protocol::{Frame, PeerId, Ticket};
use wasm_bindgen_futures::spawn_local;
use web_sys::RequestInit;

use crate::engine::Tell;
use crate::error::HubError;
use crate::socket::Socket;
use crate::visit::Visit;
use crate::{address, http};

/// How long a node may take to say what it offers, in milliseconds.
const PATIENCE: u32 = 5_000;

/// The lines of one client.
#[derive(Default)]
pub(crate) struct Lines {
    /// Few: looking through them all is fast enough, and small.
    lines: RefCell<Vec<Line>>,
    ways: RefCell<Ways>,
}

struct Line {
    session: SessionId,
    node: NodeUrl,
    carrier: Carrier,
}

/// Where a line goes, and whose it is.
pub(crate) struct Way {
    pub(crate) node: NodeUrl,
    pub(crate) peer: PeerId,
    /// Of the last socket with the node.
    pub(crate) ticket: Option<Ticket>,
}

enum Carrier {
    /// The node is asked what it offers.
    Asking,
    Socket(Socket),
    Visit(Visit),
}

impl Lines {
    /// The app wants this transport for a node.
    pub(crate) fn fix(&self, node: &NodeUrl, transport: Transport) {
        self.ways.borrow_mut().fix(node, transport);
    }

    /// The app does not want a node any more.
    pub(crate) fn forget(&self, node: &NodeUrl) {
        self.ways.borrow_mut().forget(node);
    }

    /// How a node is reached, once that is known.
    pub(crate) fn transport(&self, node: &NodeUrl) -> Option<Transport> {
        self.ways.borrow().choice(node)
    }

    /// Dials a node; news of it are told.
    pub(crate) fn dial(self: &Rc<Self>, session: SessionId, way: Way, tell: Tell) {
        match self.transport(&way.node) {
            Some(transport) => self.connect(session, way, transport, &tell),
            None => self.ask(session, way, tell),
        }
    }

    fn ask(self: &Rc<Self>, session: SessionId, way: Way, tell: Tell) {
        self.lines.borrow_mut().push(Line { session, node: way.node.clone(), carrier: Carrier::Asking });
        let this = Rc::downgrade(self);
        spawn_local(async move {
            let url = address::of_api(&way.node, "/signaling").unwrap_or_default();
            let answer = http::text(&url, &RequestInit::new(), PATIENCE).await.ok();
            // It may have been hung up meanwhile.
            let Some(this) = this.upgrade().filter(|this| this.take(session).is_some()) else { return };
            let body = answer.filter(|(status, _)| *status == 200).map(|(_, body)| body);
            let transport = this.ways.borrow_mut().answered(&way.node, body.as_deref());
            this.connect(session, way, transport, &tell);
        });
    }

    fn connect(&self, session: SessionId, way: Way, transport: Transport, tell: &Tell) {
        let Way { node, peer, ticket } = way;
        let report = {
            let tell = tell.clone();
            move |news| tell(Input::Session(session, news))
        };
        let carrier = match transport {
            Transport::WebSocket => Socket::dial(&node, &peer, ticket.as_ref(), &report).map(Carrier::Socket),
            Transport::Http => {
                let last = self.ways.borrow_mut().resumption(&node);
                Visit::begin(&node, &peer, last, report.clone()).map(Carrier::Visit)
            }
        };
        match carrier {
            Ok(carrier) => self.lines.borrow_mut().push(Line { session, node, carrier }),
            Err(HubError { text: reason, .. }) => report(SessionInput::Closed { code: 1006, reason }),
        }
    }

    /// A session opened.
    pub(crate) fn opened(&self, session: SessionId) {
        if let Some(line) = self.lines.borrow().iter().find(|line| line.session == session) {
            self.ways.borrow_mut().opened(&line.node);
        }
    }

    /// Sends a text frame.
    pub(crate) fn send(&self, session: SessionId, frame: Frame) {
        match self.lines.borrow().iter().find(|line| line.session == session).map(|line| &line.carrier) {
            Some(Carrier::Socket(socket)) => socket.send(frame.as_str()),
            Some(Carrier::Visit(visit)) => visit.send(frame),
            Some(Carrier::Asking) | None => {}
        }
    }

    /// Hangs up, or lets go what was closed.
    pub(crate) fn hang_up(&self, session: SessionId) {
        let Some(line) = self.take(session) else { return };
        let resumption = match &line.carrier {
            Carrier::Visit(visit) => visit.resumption(),
            Carrier::Asking | Carrier::Socket(_) => None,
        };
        self.ways.borrow_mut().closed(&line.node, resumption);
    }

    /// Hangs up everywhere.
    pub(crate) fn clear(&self) {
        self.lines.take();
    }

    fn take(&self, session: SessionId) -> Option<Line> {
        let mut lines = self.lines.borrow_mut();
        let index = lines.iter().position(|line| line.session == session)?;
        Some(lines.swap_remove(index))
    }
}
