//! One turn: a call of [`Client::handle`](crate::Client::handle), with its time, its dice and what
//! is to be done so far.

use alloc::vec::Vec;

use pigeonhub_protocol::{Frame, MessageId, Millis, PeerId};

use crate::dice::Dice;
use crate::numbers::Numbers;
use crate::payload::DescriptionNumber;
use crate::{Action, Event, LinkState, RtcCommand, SessionId};

/// Handed down to whoever decides something in this turn.
pub(crate) struct Turn<'a> {
    pub(crate) now: Millis,
    /// What the host's clock shows, right or wrong: for others to read.
    pub(crate) wall: Millis,
    pub(crate) dice: Dice,
    pub(crate) numbers: &'a mut Numbers,
    pub(crate) actions: Vec<Action>,
}

impl Turn<'_> {
    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.act(Action::Emit(event));
    }

    pub(crate) fn emit_link(&mut self, peer: PeerId, state: LinkState) {
        self.emit(Event::Link { peer, state });
    }

    pub(crate) fn rtc(&mut self, peer: PeerId, generation: u32, command: RtcCommand) {
        self.act(Action::Rtc { peer, generation, command });
    }

    pub(crate) fn send(&mut self, session: SessionId, frame: Frame) {
        self.act(Action::Send { session, frame });
    }

    pub(crate) fn message_id(&mut self) -> MessageId {
        self.numbers.message(&mut self.dice)
    }

    pub(crate) fn description_number(&mut self) -> DescriptionNumber {
        self.numbers.description(self.now)
    }
}
