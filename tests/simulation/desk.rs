//! A node's host as something that takes its time: what arrives is done in order, at once if the
//! node is well, later if it is slow or does nothing for a while. Its clock is its own, too.

use std::collections::VecDeque;
use std::fmt;

use pigeonhub_protocol::{Millis, Moment};

use crate::world::{Happening, World};

/// What a node has to do.
#[derive(Default)]
pub struct Desk {
    waiting: VecDeque<Happening>,
    /// When it takes the next.
    free_at: u64,
    is_booked: bool,
    /// How long each thing takes it.
    pub slowness: u64,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk({} wait)", self.waiting.len())
    }
}

impl World {
    /// Something will happen at a node, unless it dies before: so many milliseconds from now, or when
    /// the node gets to it.
    pub fn at_hub(&mut self, hub: usize, life: u64, wait: u64, happening: impl FnOnce(&mut Self) + 'static) {
        self.after(wait, move |world| {
            if world.is_alive(hub, life) {
                world.hubs[hub].desk.waiting.push_back(Box::new(happening));
                world.attend(hub);
            }
        });
    }

    /// A node does nothing for so long; then it goes on with everything that waits.
    pub fn pause_hub(&mut self, hub: usize, millis: u64) {
        let desk = &mut self.hubs[hub].desk;
        desk.free_at = desk.free_at.max(self.now + millis);
    }

    /// It is well again.
    pub fn cure_hub(&mut self, hub: usize) {
        let desk = &mut self.hubs[hub].desk;
        (desk.free_at, desk.slowness) = (self.now, 0);
        self.attend(hub);
    }

    fn attend(&mut self, hub: usize) {
        let life = self.hubs[hub].life;
        while self.is_alive(hub, life) && self.hubs[hub].desk.free_at <= self.now {
            let desk = &mut self.hubs[hub].desk;
            let Some(next) = desk.waiting.pop_front() else { return };
            desk.free_at = self.now + desk.slowness;
            next(self);
        }
        let desk = &mut self.hubs[hub].desk;
        if !desk.waiting.is_empty() && !std::mem::replace(&mut desk.is_booked, true) {
            let wait = desk.free_at.saturating_sub(self.now);
            self.after(wait, move |world| {
                if world.is_alive(hub, life) {
                    world.hubs[hub].desk.is_booked = false;
                    world.attend(hub);
                }
            });
        }
    }

    /// What a node's clock shows.
    pub fn hub_now(&self, hub: usize) -> Millis {
        Millis(self.now.saturating_add_signed(self.hubs[hub].clock))
    }

    /// The same, with dice.
    pub fn hub_at(&mut self, hub: usize) -> Moment {
        Moment { now: self.hub_now(hub), seed: self.fate.roll() }
    }
}
