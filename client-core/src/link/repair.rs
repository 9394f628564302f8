//! Repair: ICE restarts, first by the impolite side, so that the two do not collide.

use pigeonhub_protocol::Millis;

use super::Link;
use crate::negotiation::Phase;
use crate::turn::Turn;
use crate::{LinkFailure, LinkState};

/// The head start of the impolite side, milliseconds.
const HEAD_START: u64 = 3_000;
/// The pause after the first try, milliseconds; it doubles with each.
const PAUSE: u64 = 4_000;
/// Tries for a link that was connected: a minute, so that a laptop may sleep a little.
const TRIES: u32 = 4;
/// Tries for one that never was; somebody waits for it.
const FIRST_TRIES: u32 = 2;

/// A repair in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repair {
    tries: u32,
    next: Millis,
}

impl Repair {
    pub(super) const fn next(&self) -> Millis {
        self.next
    }
}

impl Link {
    /// The connection is in trouble that it does not get out of by itself.
    pub(super) fn start_repair(&mut self, turn: &mut Turn<'_>) {
        self.trouble = None;
        self.patience = None;
        if self.is_connected() {
            self.enter(LinkState::Interrupted, turn);
        }
        if self.repair.is_none() {
            let wait = if self.negotiation.is_polite() { HEAD_START } else { 0 };
            self.repair = Some(Repair { tries: 0, next: turn.now.plus(wait) });
            self.repair_tick(turn);
        }
    }

    /// The next try, if it is time.
    pub(super) fn repair_tick(&mut self, turn: &mut Turn<'_>) {
        let Some(Repair { tries, next }) = self.repair else { return };
        if next > turn.now {
            return;
        }
        let most = if self.state == LinkState::Interrupted { TRIES } else { FIRST_TRIES };
        if tries >= most {
            return self.fail(LinkFailure::NoPath, turn);
        }
        self.repair = Some(Repair { tries: tries + 1, next: turn.now.plus(PAUSE << tries) });
        // If the browser is busy, then with what the other side does about it.
        if matches!(self.negotiation.phase, Phase::Stable | Phase::Offered(_)) {
            self.offer(true, turn);
        }
    }

    /// The other side repairs: no need to do the same now.
    pub(super) fn yield_repair(&mut self, now: Millis) {
        if let Some(repair) = &mut self.repair {
            repair.next = repair.next.max(now.plus(PAUSE));
        }
    }

    /// The next try is due at once, and no try was in vain.
    pub(super) fn hurry_repair(&mut self, turn: &mut Turn<'_>) {
        if let Some(repair) = &mut self.repair {
            *repair = Repair { tries: 0, next: turn.now };
            self.repair_tick(turn);
        }
    }
}
