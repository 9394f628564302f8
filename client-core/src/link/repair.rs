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

/// When a repair is hopeless.
struct Limit {
    /// So many restarts were agreed on, and still there is no path.
    restarts: u32,
    /// So long, in milliseconds, did not even the other side agree.
    time: u64,
}

/// For a link that was connected: a laptop may sleep a little.
const CONNECTED: Limit = Limit { restarts: 4, time: 60_000 };
/// For one that never was; somebody waits for it.
const NEVER_CONNECTED: Limit = Limit { restarts: 2, time: 30_000 };

/// A repair in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repair {
    since: Millis,
    tries: u32,
    /// Restarts, of either side, that were agreed on.
    restarts: u32,
    next: Millis,
}

impl Repair {
    const fn new(since: Millis, next: Millis) -> Self {
        Self { since, tries: 0, restarts: 0, next }
    }

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
            self.repair = Some(Repair::new(turn.now, turn.now.plus(wait)));
            self.repair_tick(turn);
        }
    }

    /// The next try, if it is time.
    pub(super) fn repair_tick(&mut self, turn: &mut Turn<'_>) {
        let limit = if self.state == LinkState::Interrupted { CONNECTED } else { NEVER_CONNECTED };
        let Some(repair) = self.repair.as_mut().filter(|repair| repair.next <= turn.now) else { return };
        let end = repair.since.plus(limit.time);
        if repair.restarts >= limit.restarts || end <= turn.now {
            return self.fail(LinkFailure::NoPath, turn);
        }
        repair.next = turn.now.plus(PAUSE << repair.tries.min(8)).min(end);
        repair.tries += 1;
        // If the browser is busy, then with what the other side does about it.
        if matches!(self.negotiation.phase, Phase::Stable | Phase::Offered(_)) {
            self.offer(true, turn);
        }
    }

    /// The two sides have agreed: it may help, it may not.
    pub(super) const fn restarted(&mut self) {
        if let Some(repair) = &mut self.repair {
            repair.restarts += 1;
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
        if self.repair.is_some() {
            self.repair = Some(Repair::new(turn.now, turn.now));
            self.repair_tick(turn);
        }
    }
}
