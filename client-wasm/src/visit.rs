//! A session with a node over plain HTTP: requests and an `EventSource`. The core's
//! [`Visit`](core::Visit) decides; this carries it out.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use pigeonhub_client_core::{self as core, NodeUrl, Resumption, SessionInput, VisitAction, VisitInput};
use pigeonhub_protocol::{Frame, PeerId};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventSource, MessageEvent};

use crate::ambient::{self, Alarm};
use crate::error::HubError;
use crate::listener::Listener;
use crate::{address, http};

/// How long one request may take, in milliseconds.
const PATIENCE: u32 = 20_000;

/// A visit. Dropped, it ends, with last words if some are due.
pub(crate) struct Visit(Rc<Visitor>);

struct Visitor {
    core: RefCell<core::Visit>,
    node: NodeUrl,
    /// Where it posts to.
    exchange: String,
    stream: RefCell<Option<Stream>>,
    alarm: Alarm,
    report: Box<dyn Fn(SessionInput)>,
}

/// An open stream. Dropped, it closes without further news.
struct Stream {
    raw: EventSource,
    _listeners: [Listener; 3],
}

impl Visit {
    /// Goes to a node.
    pub(crate) fn begin(
        node: &NodeUrl,
        peer: &PeerId,
        last: Option<Resumption>,
        report: impl Fn(SessionInput) + 'static,
    ) -> Result<Self, HubError> {
        let exchange = address::of_api(node, "/signaling/exchange")?;
        let (core, actions) = core::Visit::begin(*peer, last, ambient::now());
        let visitor = Rc::new_cyclic(|this: &Weak<Visitor>| {
            let ring = reporter(this, || VisitInput::Tick);
            Visitor {
                core: RefCell::new(core),
                node: node.clone(),
                exchange,
                stream: RefCell::default(),
                alarm: Alarm::new(ring),
                report: Box::new(report),
            }
        });
        visitor.carry_out(actions);
        Ok(Self(visitor))
    }

    /// Sends a text frame.
    pub(crate) fn send(&self, frame: Frame) {
        let actions = self.0.core.borrow_mut().say(frame, ambient::now());
        self.0.carry_out(actions);
    }

    /// What the next session with this node goes on with.
    pub(crate) fn resumption(&self) -> Option<Resumption> {
        self.0.core.borrow().resumption()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.stream.take();
        if let Some(words) = self.0.core.borrow().last_words() {
            http::post_at_last(&self.0.exchange, &words);
        }
    }
}

impl Visitor {
    fn happen(self: &Rc<Self>, input: VisitInput) {
        let actions = self.core.borrow_mut().handle(input, ambient::now());
        self.carry_out(actions);
    }

    fn carry_out(self: &Rc<Self>, actions: Vec<VisitAction>) {
        for action in actions {
            match action {
                VisitAction::Post(body) => self.post(body),
                VisitAction::Listen { ticket, cursor } => self.listen(&ticket, cursor),
                VisitAction::Tell(news) => (self.report)(news),
                VisitAction::WakeAt(time) => self.alarm.set(time),
            }
        }
    }

    fn post(self: &Rc<Self>, body: String) {
        let (this, url) = (Rc::downgrade(self), self.exchange.clone());
        spawn_local(async move {
            if this.strong_count() == 0 {
                // It was among the last words.
                return;
            }
            let answer = http::text(&url, &http::post(&body), PATIENCE).await;
            let Some(this) = this.upgrade() else { return };
            this.happen(match answer {
                Ok((status, body)) => VisitInput::Answered { status, body },
                Err(_) => VisitInput::Unanswered,
            });
        });
    }

    fn listen(self: &Rc<Self>, ticket: &str, cursor: u64) {
        let url = address::of_events(&self.node, ticket, cursor).unwrap_or_default();
        // The URL is one, as the one that it was made of is.
        let Ok(raw) = EventSource::new(&url) else { return };
        let this = Rc::downgrade(self);
        let mut opened = reporter(&this, || VisitInput::Listening);
        let hear = this.clone();
        let listeners = [
            Listener::new(&raw, "open", move |_| opened()),
            Listener::new(&raw, "message", move |event| {
                let event = event.unchecked_ref::<MessageEvent>();
                if let (Some(this), Some(text)) = (hear.upgrade(), event.data().as_string()) {
                    this.happen(VisitInput::Event { id: event.last_event_id(), text });
                }
            }),
            Listener::new(&raw, "error", move |_| {
                if let Some(this) = this.upgrade() {
                    // By itself it would come back in its own time, with a ticket of long ago.
                    this.stream.take();
                    this.happen(VisitInput::Deaf);
                }
            }),
        ];
        self.stream.replace(Some(Stream { raw, _listeners: listeners }));
    }
}

/// Reports this, as long as there is somebody to report it to.
fn reporter(visitor: &Weak<Visitor>, input: fn() -> VisitInput) -> impl FnMut() + 'static {
    let visitor = visitor.clone();
    move || {
        if let Some(visitor) = visitor.upgrade() {
            visitor.happen(input());
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.raw.close();
    }
}
