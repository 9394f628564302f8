//! Requests between nodes: they and their answers take time, get lost, come twice; and nodes meet.

use std::cell::RefCell;
use std::rc::Rc;

use pigeonhub_node_core::{Contact, Detour, Way};
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::mesh::{Meeting, http_url};

use crate::world::World;

/// How long a node waits for an answer.
const PATIENCE: u64 = 2_000;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None came in time.
    Silence,
    /// The other node does not know this one.
    Stranger,
}

impl World {
    pub fn hub_of(&self, node: &NodeId) -> usize {
        self.hubs.iter().position(|hub| hub.node.id == *node).unwrap()
    }

    /// One node asks another; `then` gets the answer, once.
    pub fn request<A: 'static>(
        &mut self,
        from: usize,
        to: usize,
        serve: impl Fn(&mut Self) -> Result<A, Fault> + 'static,
        then: impl FnOnce(&mut Self, Result<A, Fault>) + 'static,
    ) {
        let life = self.hubs[from].life;
        let then = Rc::new(RefCell::new(Some(then)));
        let answer = move |world: &mut Self, answer| {
            let then = then.borrow_mut().take().filter(|_| world.is_alive(from, life));
            if let Some(then) = then {
                then(world, answer);
            }
        };
        let timeout = answer.clone();
        self.at_hub(from, life, PATIENCE, move |world| timeout(world, Err(Fault::Silence)));

        let wait = self.delay();
        self.after(wait, move |world| {
            if world.is_lost(from, to) {
                return;
            }
            if !world.hubs[to].is_up {
                // Mostly somebody says so at once.
                let wait = if world.fate.percent(70) { 5 } else { PATIENCE };
                return world.at_hub(from, life, wait, move |world| answer(world, Err(Fault::Silence)));
            }
            let to_life = world.hubs[to].life;
            world.at_hub(to, to_life, 0, move |world| {
                let served = serve(world);
                if world.fate.percent(world.weather.repeats) {
                    let wait = world.delay();
                    world.at_hub(to, to_life, wait, move |world| drop(serve(world)));
                }
                let wait = world.delay();
                world.after(wait, move |world| {
                    if !world.is_lost(to, from) {
                        world.at_hub(from, life, 0, move |world| answer(world, served));
                    }
                });
            });
        });
    }

    /// One node asks another on the way on which it is reached now: perhaps through a third, which
    /// asks it as soon as it is asked itself.
    pub fn request_around<A: 'static>(
        &mut self,
        from: usize,
        to: usize,
        serve: impl Fn(&mut Self) -> Result<A, Fault> + 'static,
        then: impl FnOnce(&mut Self, Result<A, Fault>) + 'static,
    ) {
        match self.hubs[from].mesh.way(&self.hubs[to].node.id) {
            Some(Way::Via { detour, .. }) => {
                let relay = self.hub_of(&detour.relay);
                self.request(from, relay, passing(from, relay, to, serve), then);
            }
            _ => self.request(from, to, serve, then),
        }
    }

    pub fn is_lost(&mut self, from: usize, to: usize) -> bool {
        self.is_cut(from, to) || self.fate.percent(self.weather.loss)
    }

    /// A node dials a URL.
    pub fn meet(&mut self, hub: usize, url: String) {
        let greeting = self.hubs[hub].mesh.greeting(&url, self.hub_now(hub));
        let named = |other: &crate::hub::Hub| http_url(&other.mesh.own().u) == url;
        let to = self.hubs.iter().position(named).unwrap();
        let said = greeting.clone();
        let serve = move |world: &mut Self| world.met_by(to, hub, said.clone());
        self.request(hub, to, serve, move |world, answer| match answer {
            Ok(meeting) => {
                let at = world.hub_at(hub);
                let changes = world.hubs[hub].mesh.met(&url, meeting, at).unwrap();
                world.mesh_changed(hub, changes);
            }
            Err(_) => {
                let detours = world.hubs[hub].mesh.detours(&url);
                world.meet_around(hub, to, url, greeting, detours);
            }
        });
    }

    /// The node did not answer: those that may reach it are asked in turn.
    fn meet_around(
        &mut self,
        hub: usize,
        to: usize,
        url: String,
        greeting: Meeting,
        mut detours: Vec<Detour>,
    ) {
        let Some(Detour { relay, .. }) = detours.pop() else {
            let at = self.hub_at(hub);
            let changes = self.hubs[hub].mesh.failed(&url, at);
            return self.mesh_changed(hub, changes);
        };
        let (bridge, said, by) = (self.hub_of(&relay), greeting.clone(), relay.clone());
        let serve = move |world: &mut Self| {
            let at = world.hub_at(to);
            let node = said.node.node_id.clone();
            let changes = world.hubs[to].mesh.heard_via(&by, said.clone(), at).unwrap();
            world.mesh_changed(to, changes);
            Ok(world.hubs[to].mesh.answer(&node, at.now))
        };
        let serve = passing(hub, bridge, to, serve);
        self.request(hub, bridge, serve, move |world, answer| match answer {
            Ok(meeting) => {
                let at = world.hub_at(hub);
                let changes = world.hubs[hub].mesh.met_via(&url, &relay, meeting, at).unwrap();
                world.mesh_changed(hub, changes);
            }
            Err(_) => world.meet_around(hub, to, url, greeting, detours),
        });
    }

    /// A node is met by another; a stranger is looked up first.
    fn met_by(&mut self, hub: usize, by: usize, meeting: Meeting) -> Result<Meeting, Fault> {
        let (at, node) = (self.hub_at(hub), meeting.node.node_id.clone());
        if self.hubs[hub].mesh.find(&node).is_none() && (!self.hubs[by].is_up || self.is_lost(hub, by)) {
            return Err(Fault::Stranger);
        }
        let changes = self.hubs[hub].mesh.heard(meeting, at).unwrap();
        self.mesh_changed(hub, changes);
        Ok(self.hubs[hub].mesh.answer(&node, at.now))
    }
}

/// What a third node does with a request.
fn passing<A>(
    from: usize,
    relay: usize,
    to: usize,
    serve: impl Fn(&mut World) -> Result<A, Fault>,
) -> impl Fn(&mut World) -> Result<A, Fault> {
    move |world| {
        let knows = |hub: usize, other: usize, as_it_must: fn(&Contact) -> bool| {
            let other = &world.hubs[other].node.id;
            world.hubs[hub].mesh.find(other).is_some_and(as_it_must)
        };
        let passes = knows(relay, from, Contact::is_up)
            && knows(relay, to, Contact::is_direct)
            && knows(to, relay, Contact::is_direct);
        if !passes || !world.hubs[to].is_up || world.is_lost(relay, to) {
            return Err(Fault::Silence);
        }
        serve(world)
    }
}
