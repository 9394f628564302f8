//! The browsers of the world: what is asked of connections, and what becomes of them.

use super::*;

/// Browsers.
impl World {
    pub(super) fn command(&mut self, person: usize, generation: u32, command: RtcCommand) {
        match command {
            RtcCommand::Create { open_channel } => {
                self.connections += 1;
                let connection = Connection::new(self.connections, generation, open_channel);
                self.people[person].connection = Some(connection);
            }
            RtcCommand::Close => {
                self.people[person].commands.retain(|(of, _)| *of != generation);
                if let Some(connection) = self.people[person].connection.take() {
                    self.end_is_gone(1 - person, &connection);
                }
            }
            RtcCommand::SendInBand(text) => {
                let (other, peer) = (&self.people[1 - person], self.people[person].id);
                if let Some(connection) = other.connection.as_ref().filter(|connection| connection.is_open) {
                    let (generation, life) = (connection.generation, other.life);
                    let input = Input::Rtc { peer, generation, input: RtcInput::InBand(text) };
                    self.plan(15, Happening::Tell { person: 1 - person, life, input });
                }
            }
            command => {
                self.people[person].commands.push_back((generation, command));
                let (wait, life) = (self.fate.between(0, 30), self.people[person].life);
                self.plan(wait, Happening::Command { person, life });
            }
        }
    }

    pub(super) fn carry_out_next(&mut self, person: usize) {
        let Some((generation, command)) = self.people[person].commands.pop_front() else { return };
        let Some(connection) = &mut self.people[person].connection else { return };
        if connection.generation != generation {
            return;
        }
        let (id, inputs) = (connection.id, connection.carry_out(command));
        for input in inputs {
            self.news(person, input);
        }
        let changed = self.now;
        if let Some(connection) =
            self.people[person].connection.as_mut().filter(|connection| connection.id == id)
        {
            connection.changed = changed;
            self.plan(ICE, Happening::GiveUp { person, connection: id, changed });
        }
        self.browser_wants(person);
        self.plan(30, Happening::LookAtConnections);
    }

    /// `negotiationneeded` is fired in the stable state only.
    pub(super) fn browser_wants(&mut self, person: usize) {
        if self.people[person].connection.as_ref().is_some_and(Connection::is_offer_due) {
            self.news(person, RtcInput::NegotiationNeeded);
        }
    }

    pub(super) fn look_at_connections(&mut self) {
        let [one, two] = &mut self.people[..] else { return };
        let (Some(one), Some(two)) = (&mut one.connection, &mut two.connection) else { return };
        if one.fits(two) && !(one.is_open && two.is_open) {
            (one.is_open, two.is_open) = (true, true);
            for person in 0..2 {
                self.news(person, RtcInput::State(ConnectionState::Connected));
                self.news(person, RtcInput::ChannelOpened);
            }
        }
    }

    pub(super) fn give_up(&mut self, person: usize, id: u64, changed: u64) {
        let is_hopeless = |connection: &Connection| {
            (connection.id, connection.changed) == (id, changed)
                && connection.is_stable()
                && !connection.is_open
        };
        if self.people[person].connection.as_ref().is_some_and(is_hopeless) {
            self.news(person, RtcInput::State(ConnectionState::Failed));
        }
    }

    /// The other end of a person's connection was closed.
    pub(super) fn end_is_gone(&mut self, person: usize, other: &Connection) {
        let Some(connection) = &mut self.people[person].connection else { return };
        if !connection.is_with(other.id) || !core::mem::take(&mut connection.is_open) {
            return;
        }
        let (generation, peer) = (connection.generation, self.people[1 - person].id);
        let (life, closed) = (self.people[person].life, RtcInput::ChannelClosed);
        let input = Input::Rtc { peer, generation, input: closed };
        self.plan(10, Happening::Tell { person, life, input });
    }
}
