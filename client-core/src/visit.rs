//! A visit: a session with a node over plain HTTP, for nodes that have no WebSockets.
//!
//! What the peer says is posted in order, in batches, one request at a time. What it is told comes
//! in the answers and on a stream of events.
//!
//! * Every answer brings a fresh ticket: who the peer is, sealed by the node.
//! * Mail is numbered. The cursor is the number that was taken last; what comes twice is dropped,
//!   and a stream that ended goes on behind it. So nothing is lost and nothing is taken twice.
//! * A stream that ended, as all do in the end, is opened again with the ticket of a fresh exchange,
//!   which brings what came in between. While no stream stands, exchanges bring the mail.
//! * A request that fails is said again whole: nodes bear that. If it fails for good, so does the
//!   session; the next one with this node goes on with the ticket and the cursor.

mod answer;
mod outgoing;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::{CloseCode, Frame, Millis, NodeMessage, PeerId};

use self::answer::Answer;
use self::outgoing::Outgoing;
use crate::{SessionInput, Transport};

/// How often a request is said again before the node counts as lost, and the first pause before
/// that, milliseconds; it doubles.
const RETRIES: u32 = 3;
const PAUSE: u64 = 200;
/// A stream that stood so long, milliseconds, ended as streams do.
const STEADY: u64 = 5_000;
/// The longest pause before a stream that does not stand is opened again.
const LONGEST_PAUSE: u64 = 2_000;
/// A stream that is silent for so long, or takes so long to open, may be dead: exchanges ask for
/// the mail, too.
const SILENCE: u64 = 9_000;
/// The close code of a socket whose other side is gone.
const LOST: u16 = 1006;
/// How a frame begins that asks whether the node is there: every answer says so.
const PING: &str = r#"{"type":"ping""#;

/// What happens to a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisitInput {
    /// The last [`VisitAction::Post`] was answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// It was not: the node cannot be reached.
    Unanswered,
    /// The stream of the last [`VisitAction::Listen`] is open.
    Listening,
    /// An event of it came.
    Event {
        /// Its `id`.
        id: String,
        /// Its `data`.
        text: String,
    },
    /// It ended, or could not be opened. The host does not open it again by itself.
    Deaf,
    /// The time of the last [`VisitAction::WakeAt`] has come.
    Tick,
}

/// What a visit wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisitAction {
    /// `POST /signaling/exchange` with this body.
    Post(String),
    /// `GET /signaling/events` with this query; it replaces the stream that there is.
    Listen {
        /// `ticket`
        ticket: String,
        /// `cursor`
        cursor: u64,
    },
    /// News of the session. After [`SessionInput::Closed`] there is nothing more to do.
    Tell(SessionInput),
    /// Give a [`VisitInput::Tick`] at this time; replaces an earlier wish.
    WakeAt(Millis),
}

/// What the next session with the same node goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumption {
    ticket: String,
    cursor: u64,
}

/// A session over plain HTTP: a state machine.
#[derive(Clone, Debug)]
pub struct Visit {
    peer: PeerId,
    ticket: Option<String>,
    cursor: u64,
    state: State,
    /// Whether the node said that the peer is announced.
    is_announced: bool,
    outgoing: Outgoing,
    is_posting: bool,
    /// The peer asked whether the node is there, and the answer on its way says so.
    owes_pong: bool,
    /// Requests that failed in a row.
    failures: u32,
    /// Nothing is posted before.
    rest: Millis,
    /// When there is to be an exchange, even if there is nothing to say.
    due: Option<Millis>,
    stream: Stream,
    /// Streams in a row that did not stand.
    falls: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Opening,
    Open,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    None,
    Opening { since: Millis },
    Open { since: Millis, heard: Millis },
}

impl Visit {
    /// Goes to a node, for the first time or with what is left of the last time.
    #[must_use]
    pub fn begin(peer: PeerId, last: Option<Resumption>, now: Millis) -> (Self, Vec<VisitAction>) {
        let (ticket, cursor) = last.map_or((None, 0), |last| (Some(last.ticket), last.cursor));
        let mut visit = Self {
            peer,
            ticket,
            cursor,
            state: State::Opening,
            is_announced: false,
            outgoing: Outgoing::default(),
            is_posting: false,
            owes_pong: false,
            failures: 0,
            rest: Millis(0),
            due: Some(now),
            stream: Stream::None,
            falls: 0,
        };
        let mut actions = Vec::new();
        visit.proceed(now, &mut actions);
        (visit, actions)
    }

    /// The peer says something. Nothing must be said before the session is open.
    pub fn say(&mut self, frame: Frame, now: Millis) -> Vec<VisitAction> {
        let mut actions = Vec::new();
        if self.is_posting && frame.as_str().starts_with(PING) {
            self.owes_pong = true;
        } else if self.state == State::Open {
            if self.outgoing.push(frame) {
                self.proceed(now, &mut actions);
            } else {
                let reason = "too much waits to be said to this node".into();
                self.close(CloseCode::TryLater as u16, reason, &mut actions);
            }
        }
        actions
    }

    /// Something happened, what is to be done?
    pub fn handle(&mut self, input: VisitInput, now: Millis) -> Vec<VisitAction> {
        let mut actions = Vec::new();
        if self.state == State::Over {
            return actions;
        }
        match input {
            VisitInput::Answered { status: 200, body } => self.answered(&body, now, &mut actions),
            VisitInput::Answered { status, body } => self.refused(status, &body, now, &mut actions),
            VisitInput::Unanswered => self.failed(LOST, String::new(), now, &mut actions),
            VisitInput::Listening => self.stream = Stream::Open { since: now, heard: now },
            VisitInput::Event { id, text } => self.event(&id, &text, now, &mut actions),
            VisitInput::Deaf => self.deaf(now),
            VisitInput::Tick => {}
        }
        self.proceed(now, &mut actions);
        actions
    }

    /// The body of one last request, if one is due, for when nobody will be there to hear the
    /// answer: what the node may not have heard; or, if all is said, that the session is over.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        if self.state != State::Open {
            return None;
        }
        if !self.outgoing.is_empty() {
            return Some(self.body("poll", false, &self.outgoing.last_words()));
        }
        (self.is_announced && !self.is_posting).then(|| self.body("leave", true, "[]"))
    }

    /// What the next session with this node goes on with.
    #[must_use]
    pub fn resumption(&self) -> Option<Resumption> {
        Some(Resumption { ticket: self.ticket.clone()?, cursor: self.cursor })
    }

    /// Posts what is to be posted, or says when.
    fn proceed(&mut self, now: Millis, actions: &mut Vec<VisitAction>) {
        if self.is_posting || self.state == State::Over {
            return;
        }
        let at = if self.outgoing.is_empty() { self.due } else { Some(Millis(0)) };
        let Some(at) = at.map(|at| at.max(self.rest)) else { return };
        if at > now {
            return actions.push(VisitAction::WakeAt(at));
        }
        self.is_posting = true;
        let messages = self.outgoing.post();
        actions.push(VisitAction::Post(self.body("poll", self.wants_mail(now), &messages)));
    }

    /// Whether the next answer is to bring the mail: no stream does, or it may be dead.
    fn wants_mail(&self, now: Millis) -> bool {
        !matches!(self.stream, Stream::Open { heard, .. } if now.since(heard) < SILENCE)
    }

    fn body(&self, wish: &str, is_wished: bool, messages: &str) -> String {
        match &self.ticket {
            Some(ticket) => {
                let ticket = serde_json::to_string(ticket).unwrap_or_default();
                let cursor = self.cursor;
                format!(
                    r#"{{"ticket":{ticket},"heard":{cursor},"{wish}":{is_wished},"messages":{messages}}}"#
                )
            }
            None => format!(r#"{{"peerId":"{}"}}"#, self.peer.as_str()),
        }
    }

    fn answered(&mut self, body: &str, now: Millis, actions: &mut Vec<VisitAction>) {
        self.is_posting = false;
        let Some(answer) = Answer::read(body) else { return self.refused(0, body, now, actions) };
        self.failures = 0;
        self.outgoing.arrived();
        self.ticket = Some(answer.ticket);
        if self.state == State::Opening {
            self.state = State::Open;
            actions.push(VisitAction::Tell(SessionInput::Opened(Transport::Http)));
        }
        if core::mem::take(&mut self.owes_pong) {
            let pong = NodeMessage::Pong { peer: self.peer }.frame(now);
            actions.push(frame(pong.as_str()));
        }
        actions.extend(answer.messages.iter().map(|message| frame(message.get())));
        let before = self.cursor;
        for (id, message) in answer.mail {
            self.mail(id, message.get(), actions);
        }
        self.listen(answer.is_announced, self.cursor > before, now, actions);
    }

    /// After an exchange: is there to be a stream?
    fn listen(&mut self, announced: bool, had_mail: bool, now: Millis, actions: &mut Vec<VisitAction>) {
        if core::mem::replace(&mut self.is_announced, announced) && !announced {
            // It has been restarted, or has heard nothing for too long.
            let reason = "the node has forgotten this peer".into();
            return self.close(CloseCode::Restart as u16, reason, actions);
        }
        let is_rest_over = self.due.is_none_or(|due| due <= now);
        if is_rest_over {
            self.due = None;
        }
        let is_wanted = match self.stream {
            Stream::None => is_rest_over,
            Stream::Opening { since } => had_mail && now.since(since) >= SILENCE,
            // It should have brought this mail.
            Stream::Open { .. } => had_mail,
        };
        if let Some(ticket) = self.ticket.clone().filter(|_| is_wanted && announced) {
            self.stream = Stream::Opening { since: now };
            actions.push(VisitAction::Listen { ticket, cursor: self.cursor });
        }
    }

    fn refused(&mut self, status: u16, body: &str, now: Millis, actions: &mut Vec<VisitAction>) {
        let (code, reason) = (answer::close_code(status), answer::reason(body));
        if let Some(reason) = answer::draining(body) {
            self.is_posting = false;
            return self.close(CloseCode::Restart as u16, reason, actions);
        }
        if answer::is_passing(status) {
            return self.failed(code, reason, now, actions);
        }
        self.is_posting = false;
        if status == 401 && self.ticket.take().is_some() && self.state == State::Opening {
            // What was left of the last time is too old: go as if for the first time.
            self.cursor = 0;
            return;
        }
        self.close(code, reason, actions);
    }

    /// A request was not answered, or the node cannot do it now.
    fn failed(&mut self, code: u16, reason: String, now: Millis, actions: &mut Vec<VisitAction>) {
        self.is_posting = false;
        if self.state == State::Opening || self.failures >= RETRIES {
            return self.close(code, reason, actions);
        }
        self.outgoing.failed();
        self.rest = now.plus(PAUSE << self.failures);
        self.failures += 1;
    }

    fn event(&mut self, id: &str, text: &str, now: Millis, actions: &mut Vec<VisitAction>) {
        if let Stream::Open { heard, .. } = &mut self.stream {
            *heard = now;
        }
        if let Ok(id) = id.parse() {
            self.mail(id, text, actions);
        }
    }

    fn mail(&mut self, id: u64, text: &str, actions: &mut Vec<VisitAction>) {
        if id > self.cursor {
            self.cursor = id;
            actions.push(frame(text));
        }
    }

    fn deaf(&mut self, now: Millis) {
        match core::mem::replace(&mut self.stream, Stream::None) {
            Stream::None => return,
            Stream::Open { since, .. } if now.since(since) >= STEADY => self.falls = 0,
            Stream::Open { .. } | Stream::Opening { .. } => self.falls = self.falls.saturating_add(1).min(16),
        }
        let pause = if self.falls == 0 { 0 } else { (PAUSE << self.falls).min(LONGEST_PAUSE) };
        self.due = Some(now.plus(pause));
    }

    fn close(&mut self, code: u16, reason: String, actions: &mut Vec<VisitAction>) {
        self.state = State::Over;
        actions.push(VisitAction::Tell(SessionInput::Closed { code, reason }));
    }
}

fn frame(text: &str) -> VisitAction {
    VisitAction::Tell(SessionInput::Frame(text.into()))
}
