//! Nodes that are told to end, as the native one does it: nobody is let in, sockets are closed with 1012
//! and a hint where else to go, what waits is handed on, the other nodes are told. Then it is restarted.

use pigeonhub_node_core::{Event, Needs};
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Close, Moment};

use crate::hub::Hub;
use crate::wire::{Break, WireId};
use crate::world::World;

/// How long a page has to take note of its close frame.
const FAREWELL: u64 = 1_000;
/// How long it may take to hand on what there is, and after that what goes back.
const HAND_ON: u64 = 4_500;
const RETURNS: u64 = 500;
/// How often it is looked whether all is done.
const LOOK: u64 = 10;

impl World {
    /// A node is told to end; it is back so long after it has ended.
    pub fn drain_hub(&mut self, hub: usize, wait: u64) {
        if !self.hubs[hub].is_up || std::mem::replace(&mut self.hubs[hub].is_draining, true) {
            return;
        }
        let (life, until) = (self.hubs[hub].life, self.now + HAND_ON);
        let sockets: Vec<WireId> = self.hubs[hub].sockets().collect();
        for id in sockets {
            self.at_hub(hub, life, 0, move |world| world.part(id));
        }
        self.hand_on(hub, life, until, wait);
    }

    /// The page gets what waits for it and is told to go; what it said before it heard that is heard.
    fn part(&mut self, id: WireId) {
        let (hub, life) = (self.wires[&id].hub, self.wires[&id].hub_life);
        self.write_mail_out(hub, life, id);
        let heard = self.last_words_heard(id);
        let wait = if self.wires[&id].is_up { heard.min(FAREWELL) } else { FAREWELL };
        self.close_half(id, Close::RESTART);
        self.at_hub(hub, life, wait, move |world| world.end_session(id, Departure::Lost));
    }

    /// Writes all mail of a session.
    fn write_mail_out(&mut self, hub: usize, life: u64, id: WireId) {
        let has_mail = |world: &Self| {
            let Hub { callers, shelf, .. } = &world.hubs[hub];
            let caller = callers.get(&id).and_then(|caller| Some((caller, caller.network.as_ref()?)));
            caller.is_some_and(|(caller, network)| {
                let needs = Needs::about(network.clone(), &[caller.peer]);
                shelf.memory.borrow_mut().load(&needs).targets[0].waits
            })
        };
        while has_mail(self) {
            self.write_mail(hub, life, id);
        }
    }

    /// Where else to go, for who is sent away.
    pub fn hint(&mut self, hub: usize) -> String {
        let mut urls: Vec<String> = self.hubs[hub].mesh.direct().map(|node| node.u.clone()).collect();
        let first = self.fate.below(urls.len().max(1) as u64) as usize;
        urls.rotate_left(first);
        Close::restart_hinting(urls.iter().map(String::as_str))
    }

    fn hand_on(&mut self, hub: usize, life: u64, until: u64, wait: u64) {
        let node = &self.hubs[hub];
        let is_done =
            node.sockets().next().is_none() && !node.shelf.memory.borrow().has_mail() && node.is_idle();
        if is_done {
            self.leave_mesh(hub, wait, true);
        } else if self.now >= until {
            self.return_mail(hub);
            self.at_hub(hub, life, RETURNS, move |world| world.leave_mesh(hub, wait, false));
        } else {
            self.at_hub(hub, life, LOOK, move |world| world.hand_on(hub, life, until, wait));
        }
    }

    /// Nothing waits any longer.
    fn return_mail(&mut self, hub: usize) {
        let Moment { now, seed } = self.hub_at(hub);
        let at = Moment { now: now.plus(2 * self.hubs[hub].node.settings.hold), seed };
        let networks = self.hubs[hub].shelf.memory.borrow().networks();
        networks.into_iter().for_each(|network| drop(self.happen_at(hub, Event::Passed(network), at)));
    }

    /// The last thing that it does. Whoever has handed on everything has no excuse for what is lost.
    fn leave_mesh(&mut self, hub: usize, wait: u64, is_done: bool) {
        let own = self.hubs[hub].node.id.clone();
        for other in 0..self.hubs.len() {
            let (life, own) = (self.hubs[other].life, own.clone());
            if other != hub && self.hubs[hub].links.contains_key(&self.hubs[other].node.id) {
                let delay = self.delay();
                if !self.is_lost(hub, other) {
                    self.at_hub(other, life, delay, move |world| {
                        let at = world.hub_at(other);
                        let changes = world.hubs[other].mesh.left(&own, at);
                        world.mesh_changed(other, changes);
                    });
                }
            }
        }
        if !is_done {
            self.ledger.hub_died(hub);
        }
        self.restart_hub(hub, Break::Loud, wait);
    }
}
