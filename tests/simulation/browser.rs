//! What browsers do for pages: connections are made, find a path or not, and are missed when gone.

use pigeonhub_client_core::{ConnectionState, Input, RtcCommand, RtcInput};
use pigeonhub_protocol::PeerId;

use crate::rtc::Rtc;
use crate::wire::Break;
use crate::world::World;

/// How long ICE looks for a path.
const ICE: u64 = 15_000;
/// Packets stay away for so long before they are missed, and before the connection has failed.
const MISSED: u64 = 5_000;
const FAILED: u64 = 25_000;

impl World {
    pub fn rtc_command(&mut self, index: usize, peer: PeerId, generation: u32, command: RtcCommand) {
        match command {
            RtcCommand::Create { open_channel } => {
                let page = &mut self.pages[index];
                let rtc = Rtc::new(page.next_rtc(), generation, open_channel);
                let old = page.rtcs.insert(peer, rtc);
                assert!(
                    old.is_none(),
                    "page {index}: a connection to {peer} is made while another one is there"
                );
            }
            RtcCommand::Close => {
                if let Some(rtc) = self.pages[index].rtcs.remove(&peer) {
                    self.rtc_gone(index, peer, &rtc, Break::Loud);
                }
            }
            RtcCommand::SendInBand(text) => {
                let Some((other, own)) = self.other_end(index, peer) else { return };
                let (life, wait) = (self.pages[other].life, self.delay());
                let generation = self.pages[other].rtcs[&own].generation;
                let input = Input::Rtc { peer: own, generation, input: RtcInput::InBand(text) };
                self.after(wait, move |world| world.tell(other, life, input));
            }
            command => {
                self.pages[index].push_command(peer, generation, command);
                let (life, wait) = (self.pages[index].life, self.fate.between(0, 30));
                self.after(wait, move |world| world.carry_out_next(index, life));
            }
        }
    }

    fn carry_out_next(&mut self, index: usize, life: u64) {
        let page = &mut self.pages[index];
        if page.life != life {
            return;
        }
        let Some((peer, generation, command)) = page.next_command() else { return };
        let Some(rtc) = page.rtcs.get_mut(&peer).filter(|rtc| rtc.generation == generation) else { return };
        let (id, inputs) = (rtc.id, rtc.carry_out(command));
        let changes = rtc.changes;
        for input in inputs {
            let wait = if matches!(input, RtcInput::Candidate(_)) { self.fate.between(1, 60) } else { 0 };
            self.after(wait, move |world| world.rtc_news(index, peer, id, input));
        }
        self.after(40, move |world| world.look_for_path(index, peer));
        self.after(ICE, move |world| {
            let hopeless =
                |rtc: &Rtc| rtc.id == id && rtc.changes == changes && rtc.is_stable() && !rtc.is_connected;
            if world.pages[index].rtcs.get(&peer).is_some_and(hopeless) {
                world.rtc_news(index, peer, id, RtcInput::State(ConnectionState::Failed));
            }
        });
    }

    /// News of a connection, unless there is another one by now.
    fn rtc_news(&mut self, index: usize, peer: PeerId, id: u64, input: RtcInput) {
        let page = &self.pages[index];
        let Some(rtc) = page.rtcs.get(&peer).filter(|rtc| rtc.id == id) else { return };
        let (life, input) = (page.life, Input::Rtc { peer, generation: rtc.generation, input });
        self.tell(index, life, input);
    }

    /// The page with this id, and the asking page's own id.
    fn facing(&self, index: usize, peer: PeerId) -> Option<(usize, PeerId)> {
        let other = *self.page_of.get(&peer)?;
        self.pages[other].is_alive.then(|| (other, self.pages[index].peer))
    }

    /// The same, if a connection leads there.
    fn other_end(&self, index: usize, peer: PeerId) -> Option<(usize, PeerId)> {
        let (other, own) = self.facing(index, peer)?;
        let (ours, theirs) = (self.pages[index].rtcs.get(&peer)?, self.pages[other].rtcs.get(&own)?);
        (ours.is_connected && theirs.is_connected && ours.is_with(theirs) && theirs.is_with(ours))
            .then_some((other, own))
    }

    /// Whether a page and a peer are connected, whatever their clients say.
    pub fn is_connected(&self, index: usize, peer: PeerId) -> bool {
        self.other_end(index, peer).is_some_and(|_| self.pages[index].rtcs[&peer].is_open)
    }

    fn look_for_path(&mut self, index: usize, peer: PeerId) {
        let Some((other, own)) = self.facing(index, peer) else { return };
        let (ours, theirs) = (self.pages[index].rtcs.get(&peer), self.pages[other].rtcs.get(&own));
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
        if !ours.fits(theirs) || (ours.is_connected && theirs.is_connected) {
            return;
        }
        for (index, peer) in [(index, peer), (other, own)] {
            let rtc = self.pages[index].rtcs.get_mut(&peer).unwrap();
            rtc.is_connected = true;
            let (id, was_open) = (rtc.id, std::mem::replace(&mut rtc.is_open, true));
            self.rtc_news(index, peer, id, RtcInput::State(ConnectionState::Connected));
            if !was_open {
                self.rtc_news(index, peer, id, RtcInput::ChannelOpened);
            }
        }
    }

    /// A connection of a page is gone; its other end hears of it, or has to miss it.
    pub fn rtc_gone(&mut self, index: usize, peer: PeerId, gone: &Rtc, how: Break) {
        let Some((other, own)) = self.facing(index, peer) else { return };
        let Some(rtc) = self.pages[other].rtcs.get(&own).filter(|rtc| rtc.is_with(gone)) else { return };
        let (id, was_open) = (rtc.id, rtc.is_open);
        if how == Break::Loud && was_open {
            let wait = self.delay();
            self.after(wait, move |world| world.rtc_news(other, own, id, RtcInput::ChannelClosed));
        } else {
            self.lose_path(other, own, id);
        }
    }

    /// Packets no longer get through between two pages.
    pub fn break_path(&mut self, index: usize, peer: PeerId) {
        let Some((other, own)) = self.other_end(index, peer) else { return };
        for (index, peer) in [(index, peer), (other, own)] {
            let id = self.pages[index].rtcs[&peer].id;
            self.lose_path(index, peer, id);
        }
    }

    fn lose_path(&mut self, index: usize, peer: PeerId, id: u64) {
        if let Some(rtc) = self.pages[index].rtcs.get_mut(&peer).filter(|rtc| rtc.id == id) {
            rtc.break_path();
        }
        for (wait, state) in [(MISSED, ConnectionState::Disconnected), (FAILED, ConnectionState::Failed)] {
            self.after(wait, move |world| {
                if world.pages[index].rtcs.get(&peer).is_some_and(|rtc| rtc.id == id && !rtc.is_connected) {
                    world.rtc_news(index, peer, id, RtcInput::State(state));
                }
            });
        }
    }
}
