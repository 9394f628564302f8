//! The numbers that a client gives out: to messages, descriptions, connections and sockets.

use alloc::format;

use pigeonhub_protocol::{MessageId, Millis};

use crate::SessionId;
use crate::dice::Dice;
use crate::payload::DescriptionNumber;

/// All of them in one place, as none may ever be given twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// Tells this client's messages from those of a client with the same peer id (a page after its
    /// reload). Drawn with the first message.
    instance: Option<u64>,
    messages: u64,
    description: u64,
    generation: u32,
    session: u32,
}

impl Numbers {
    pub(crate) fn message(&mut self, dice: &mut Dice) -> MessageId {
        let instance = *self.instance.get_or_insert_with(|| dice.roll());
        self.messages += 1;
        let id = format!("{instance:016x}-{:x}", self.messages);
        id.parse().unwrap_or_else(|_| unreachable!("hexadecimal digits and a dash"))
    }

    /// Grows with every description, and across reloads too, as it starts from the time.
    pub(crate) fn description(&mut self, now: Millis) -> DescriptionNumber {
        self.description = self.description.saturating_add(1).max(now.0);
        DescriptionNumber(self.description)
    }

    pub(crate) const fn generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    pub(crate) const fn session(&mut self) -> SessionId {
        self.session = self.session.wrapping_add(1);
        SessionId(self.session)
    }
}
