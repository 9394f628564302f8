//! What a link has to say through nodes, until it is known to have arrived.
//!
//! The link writes, [`crate::post`] carries. A letter waits while no session is open, and waits
//! again when the session that carried it was lost, when its node refused it, and now and then until
//! the connection shows that all was heard: the same words with the same id, so that a receiver
//! that has heard them already drops them.

use alloc::vec::Vec;

use pigeonhub_protocol::{Code, MessageId, Millis, RawJson, SignalKind};

use crate::SessionId;

/// The first pause before everything is said again, milliseconds; the next ones double, up
/// to the longest.
const PAUSE: u64 = 1_500;
const LONGEST_PAUSE: u64 = 6_000;
/// The pause before an offer is repeated to a side that made one at the same time.
const OVERRIDE: u64 = 500;
/// Candidates that are kept beside a description.
const CANDIDATES: usize = 64;

/// The latest description and its candidates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    letters: Vec<Letter>,
    /// When all is said again, and the pause before that.
    repeat: Option<(Millis, u64)>,
    /// Whether it was.
    was_repeated: bool,
    /// Whether the description is an offer that is not answered.
    awaits_answer: bool,
    /// The session on which the other side was heard since the letters went out.
    heard: Option<SessionId>,
    /// Nothing needs to be kept: the connection is there, it shows that all was heard.
    settled: bool,
}

/// One signal.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) kind: SignalKind,
    pub(crate) id: MessageId,
    pub(crate) data: RawJson,
    carriage: Carriage,
    /// The session that carried it before: this time another one, if there is one.
    before: Option<SessionId>,
    refusals: Vec<(SessionId, Code)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carriage {
    Waiting,
    By(SessionId),
}

impl Letter {
    const fn new(kind: SignalKind, id: MessageId, data: RawJson) -> Self {
        Self { kind, id, data, carriage: Carriage::Waiting, before: None, refusals: Vec::new() }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.carriage == Carriage::Waiting
    }

    pub(crate) const fn carried(&mut self, by: SessionId) {
        self.carriage = Carriage::By(by);
    }

    pub(crate) fn was_carried_before(&self, by: SessionId) -> bool {
        self.before == Some(by)
    }

    /// What this session's node said to it, if it refused it.
    pub(crate) fn refusal(&self, by: SessionId) -> Option<Code> {
        self.refusals.iter().find(|(session, _)| *session == by).map(|(_, code)| *code)
    }

    fn again(&mut self, heard: Option<SessionId>) {
        self.before = match self.carriage {
            Carriage::By(session) if heard != Some(session) => Some(session),
            Carriage::By(_) | Carriage::Waiting => None,
        };
        self.carriage = Carriage::Waiting;
        self.refusals.clear();
    }
}

impl Outbox {
    /// An offer, to be repeated until it is answered. Whatever was said before is void.
    pub(crate) fn offer(&mut self, kind: SignalKind, id: MessageId, data: RawJson, now: Millis) {
        self.answer(kind, id, data);
        self.awaits_answer = true;
        self.repeat_from(now);
    }

    /// An answer. Whatever was said before is void.
    pub(crate) fn answer(&mut self, kind: SignalKind, id: MessageId, data: RawJson) {
        *self = Self::default();
        self.letters.push(Letter::new(kind, id, data));
    }

    /// What is there is to be repeated until it is settled.
    pub(crate) const fn repeat_from(&mut self, now: Millis) {
        self.repeat = Some((now.plus(PAUSE), PAUSE));
    }

    /// A candidate of the latest description.
    pub(crate) fn candidate(&mut self, id: MessageId, data: RawJson) {
        if self.letters.len() <= CANDIDATES {
            self.letters.push(Letter::new(SignalKind::IceCandidate, id, data));
        }
    }

    /// The offer was answered; its candidates may still be under way. They are repeated only to
    /// sides that drop repeats.
    pub(crate) fn answered(&mut self, drops_repeats: bool) {
        self.awaits_answer = false;
        self.repeat = self.repeat.filter(|_| drops_repeats);
        self.letters.retain(|letter| letter.kind == SignalKind::IceCandidate);
    }

    /// All was heard, except an offer that still waits for its answer.
    pub(crate) fn settle(&mut self) {
        if !self.awaits_answer {
            self.settled = true;
            self.repeat = None;
            self.letters.retain(Letter::is_waiting);
        }
    }

    /// An offer of the other side counts more than the own one.
    pub(crate) fn yield_offer(&mut self) {
        if self.awaits_answer {
            self.clear();
        }
    }

    /// The own offer counts more than one of the other side, so that side may not have heard it. It
    /// is said again soon, unless the answer is under way.
    pub(crate) fn override_offer(&mut self, now: Millis) {
        if let Some((at, _)) = self.repeat.as_mut().filter(|_| self.awaits_answer) {
            *at = (*at).min(now.plus(OVERRIDE));
        }
    }

    /// Where nodes are quick the answer should be here by then. If it is not, maybe the node that carried
    /// the offer reaches less than another one: the first time that it is said again is not later.
    pub(crate) fn answer_due(&mut self, due: Millis) {
        if let Some((at, pause)) = self.repeat.as_mut().filter(|_| self.awaits_answer && !self.was_repeated)
            && due < *at
        {
            (*at, *pause) = (due, PAUSE / 2);
        }
    }

    /// Nothing of this counts any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All is to be said again, through another node if there is one.
    pub(crate) fn again(&mut self) {
        let heard = self.heard.take();
        self.letters.iter_mut().for_each(|letter| letter.again(heard));
    }

    /// The other side was heard: this session works.
    pub(crate) const fn heard_on(&mut self, session: SessionId) {
        self.heard = Some(session);
    }

    /// A session is lost, and with it maybe what it carried last.
    pub(crate) fn session_lost(&mut self, lost: SessionId) {
        let carried = self.letters.iter_mut().filter(|letter| letter.carriage == Carriage::By(lost));
        carried.for_each(|letter| letter.carriage = Carriage::Waiting);
    }

    /// A session's node may not have got what it carried last.
    pub(crate) fn session_silent(&mut self, silent: SessionId) {
        for letter in self.letters.iter_mut().filter(|letter| letter.carriage == Carriage::By(silent)) {
            letter.carriage = Carriage::Waiting;
            letter.before = Some(silent);
        }
    }

    /// A node refused a letter: another one may take it.
    pub(crate) fn refused(&mut self, by: SessionId, id: &MessageId, code: Code) {
        if let Some(letter) = self.letters.iter_mut().find(|letter| letter.id == *id) {
            if letter.refusal(by).is_none() {
                letter.refusals.push((by, code));
            }
            if letter.carriage == Carriage::By(by) {
                letter.carriage = Carriage::Waiting;
            }
        }
    }

    /// A node tells of the receiver: what it refused before may be said to it again.
    pub(crate) fn told_of(&mut self, by: SessionId) {
        self.letters.iter_mut().for_each(|letter| letter.refusals.retain(|(session, _)| *session != by));
    }

    /// Time passed: is it time to say all again? Gives the session that carried an offer in vain, unless
    /// it is early to say that.
    pub(crate) fn tick(&mut self, now: Millis) -> Option<SessionId> {
        let (_, before) = self.repeat.filter(|(at, _)| *at <= now)?;
        let pause = (before * 2).min(LONGEST_PAUSE);
        self.repeat = Some((now.plus(pause), pause));
        self.was_repeated = true;
        if !self.awaits_answer {
            // That the other side was heard says nothing of what was said since: the session may have
            // fallen silent in between.
            self.heard = None;
        }
        self.again();
        self.letters.first().filter(|_| self.awaits_answer && before >= PAUSE)?.before
    }

    /// All is said again at once.
    pub(crate) fn hurry(&mut self, now: Millis) {
        if self.repeat.is_some() {
            self.repeat = Some((now, PAUSE / 2));
            self.tick(now);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.repeat.map(|(at, _)| at)
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.letters.iter().any(Letter::is_waiting)
    }

    pub(crate) fn waiting(&mut self) -> impl Iterator<Item = &mut Letter> {
        self.letters.iter_mut().filter(|letter| letter.is_waiting())
    }

    /// Forgets what needs no keeping.
    pub(crate) fn sweep(&mut self) {
        if self.settled {
            self.letters.retain(Letter::is_waiting);
        }
    }
}
