//! One session: a socket to a node, from the dial to its end.

use pigeonhub_protocol::Millis;

use crate::{SessionId, Transport};

/// How long a socket may take to open, milliseconds.
pub(crate) const DIAL: u64 = 10_000;
/// A dial that takes longer does not count on any more: another node is dialled beside it.
pub(crate) const SLOW: u64 = 2_000;
/// Silence after which the node is asked whether it is there.
const SILENCE: u64 = 10_000;
/// How long it may take to say so.
const PONG: u64 = 5_000;
/// How long a node has to answer a ping that went along with a signal, milliseconds: so many times what
/// it took before and some more, within bounds. The least is for nodes that are busy for a moment.
const TIMES: u64 = 4;
const MORE: u64 = 50;
const LEAST: u64 = 150;
const MOST: u64 = 1_500;
/// The same for the answer of another peer: it has two nodes, a browser and maybe a longer way before it.
const ANSWER_TIMES: u64 = 10;
const ANSWER_LEAST: u64 = 500;
/// A session that stood so long was a good one: it ends a row of failures.
const GOOD: u64 = 10_000;

/// A socket that is open, or being opened.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// When it was dialled, then when it opened.
    since: Millis,
    /// How the node is talked to; none until the session is open.
    transport: Option<Transport>,
    heard: Millis,
    pinged: Option<Millis>,
    /// When the first ping went out that has no pong yet.
    asked: Option<Millis>,
    /// Whether signals went along with it, so that it is not to take long.
    is_urgent: bool,
    /// Whether it did, and what went along is still to be said by another session.
    is_silent: bool,
    /// How long a pong took of late. None as long as none came: not all servers say it.
    took: Option<u64>,
}

/// What a session needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing yet.
    Nothing,
    /// A ping.
    Ping,
    /// To be given up: it does not answer.
    End,
}

impl Session {
    pub(crate) const fn new(id: SessionId, now: Millis) -> Self {
        Self {
            id,
            since: now,
            transport: None,
            heard: now,
            pinged: None,
            asked: None,
            is_urgent: false,
            is_silent: false,
            took: None,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.transport.is_some()
    }

    /// Whether it is a socket: what goes that way costs no request of its own.
    pub(crate) fn is_socket(&self) -> bool {
        self.transport == Some(Transport::WebSocket)
    }

    pub(crate) const fn open(&mut self, transport: Transport, now: Millis) {
        self.transport = Some(transport);
        self.since = now;
        self.heard = now;
        self.asked = Some(now);
    }

    /// Any frame shows that the node is there.
    pub(crate) const fn hear(&mut self, now: Millis) {
        self.heard = now;
        self.pinged = None;
        self.is_silent = false;
    }

    /// Whether the node was asked whether it is there, and has not said so.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.pinged.is_some()
    }

    /// Whether it may still open soon.
    pub(crate) const fn is_promising(&self, now: Millis) -> bool {
        !self.is_open() && now.since(self.since) < SLOW
    }

    pub(crate) const fn was_good(&self, now: Millis) -> bool {
        self.is_open() && now.since(self.since) >= GOOD
    }

    /// What it needs at this time.
    pub(crate) fn need(&self, now: Millis) -> Need {
        match self.needs_at() {
            due if due > now => Need::Nothing,
            _ if self.is_open() && self.pinged.is_none() => Need::Ping,
            _ => Need::End,
        }
    }

    pub(crate) fn pinged(&mut self, now: Millis) {
        self.pinged = Some(now);
        self.asked.get_or_insert(now);
    }

    /// A signal goes out: is a ping to go with it? Not if one is under way, and not to servers that have
    /// never answered one.
    pub(crate) fn ask(&mut self, now: Millis) -> bool {
        let asks = self.took.is_some() && self.asked.is_none();
        if asks {
            (self.asked, self.is_urgent) = (Some(now), true);
        }
        asks
    }

    /// The node answered a ping.
    pub(crate) fn ponged(&mut self, now: Millis) {
        self.is_urgent = false;
        if let Some(asked) = self.asked.take() {
            let took = now.since(asked);
            self.took = Some(self.took.map_or(took, |before| u64::midpoint(before, took)));
        }
    }

    /// Puts the node in doubt if it should have answered by now what went along with signals.
    pub(crate) fn doubt(&mut self, now: Millis) {
        if self.patience_ends().is_some_and(|end| end <= now) {
            (self.is_urgent, self.is_silent) = (false, true);
            self.pinged.get_or_insert(now);
        }
    }

    /// Whether what it carried is to be said by another session. That is said once.
    pub(crate) const fn falls_silent(&mut self) -> bool {
        core::mem::replace(&mut self.is_silent, false)
    }

    fn patience_ends(&self) -> Option<Millis> {
        let (asked, took) = (self.asked.filter(|_| self.is_urgent)?, self.took?);
        Some(asked.plus((took.saturating_mul(TIMES) + MORE).clamp(LEAST, MOST)))
    }

    /// When the answer to an offer that goes out now should be here. None for servers that have never
    /// answered a ping.
    pub(crate) fn answer_due(&self, now: Millis) -> Option<Millis> {
        let took = self.took?;
        Some(now.plus(took.saturating_mul(ANSWER_TIMES).clamp(ANSWER_LEAST, MOST)))
    }

    /// When it needs something next.
    pub(crate) fn deadline(&self) -> Millis {
        let patience = self.patience_ends().unwrap_or(Millis(u64::MAX));
        self.needs_at().min(patience)
    }

    const fn needs_at(&self) -> Millis {
        match self.pinged {
            _ if !self.is_open() => self.since.plus(DIAL),
            Some(pinged) => pinged.plus(PONG),
            None => self.heard.plus(SILENCE),
        }
    }

    /// When a dial stops to be promising.
    pub(crate) fn slow_at(&self) -> Option<Millis> {
        (!self.is_open()).then(|| self.since.plus(SLOW))
    }
}
