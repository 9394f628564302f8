//! One session: a socket to a node, from the dial to its end.

use pigeonhub_protocol::Millis;

use crate::SessionId;

/// How long a socket may take to open, milliseconds.
pub(crate) const DIAL: u64 = 10_000;
/// A dial that takes longer does not count on any more: another node is dialled beside it.
pub(crate) const SLOW: u64 = 2_000;
/// Silence after which the node is asked whether it is there.
const SILENCE: u64 = 10_000;
/// How long it may take to say so.
const PONG: u64 = 5_000;
/// A session that stood so long was a good one: it ends a row of failures.
const GOOD: u64 = 10_000;

/// A socket that is open, or being opened.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// When it was dialled, then when it opened.
    since: Millis,
    is_open: bool,
    heard: Millis,
    pinged: Option<Millis>,
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
        Self { id, since: now, is_open: false, heard: now, pinged: None }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) const fn open(&mut self, now: Millis) {
        self.is_open = true;
        self.since = now;
        self.heard = now;
    }

    /// Any frame shows that the node is there.
    pub(crate) const fn hear(&mut self, now: Millis) {
        self.heard = now;
        self.pinged = None;
    }

    /// Whether the node was asked whether it is there, and has not said so.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.pinged.is_some()
    }

    /// Whether it may still open soon.
    pub(crate) const fn is_promising(&self, now: Millis) -> bool {
        !self.is_open && now.since(self.since) < SLOW
    }

    pub(crate) const fn was_good(&self, now: Millis) -> bool {
        self.is_open && now.since(self.since) >= GOOD
    }

    /// What it needs at this time.
    pub(crate) fn need(&self, now: Millis) -> Need {
        match self.deadline() {
            due if due > now => Need::Nothing,
            _ if self.is_open && self.pinged.is_none() => Need::Ping,
            _ => Need::End,
        }
    }

    pub(crate) const fn pinged(&mut self, now: Millis) {
        self.pinged = Some(now);
    }

    /// When it needs something next.
    pub(crate) const fn deadline(&self) -> Millis {
        match self.pinged {
            _ if !self.is_open => self.since.plus(DIAL),
            Some(pinged) => pinged.plus(PONG),
            None => self.heard.plus(SILENCE),
        }
    }

    /// When a dial stops to be promising.
    pub(crate) fn slow_at(&self) -> Option<Millis> {
        (!self.is_open).then(|| self.since.plus(SLOW))
    }
}
