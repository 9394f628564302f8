//! How fast a peer, another node, or all who publish may send.

use pigeonhub_protocol::Millis;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is heard.
    Pass,
    /// It is refused.
    Refuse,
    /// It is refused, and there were so many that the session is over.
    Expel,
}

/// Seconds' worth of messages that may come at once: candidates come in bursts.
const BURST: u32 = 5;
/// So many times as many are refused before the session is over.
const PATIENCE: u32 = 10;

/// The pace of one sender.
#[derive(Debug)]
pub struct Pace {
    allowed: Bucket,
    tolerated: Bucket,
}

impl Pace {
    /// So many messages per second; `None` for 0, which is no limit.
    pub fn new(per_second: u32, now: Millis) -> Option<Self> {
        (per_second > 0).then(|| Self::of(per_second, now))
    }

    /// So many messages per second.
    pub fn of(per_second: u32, now: Millis) -> Self {
        Self {
            allowed: Bucket::new(per_second, now),
            tolerated: Bucket::new(per_second.saturating_mul(PATIENCE), now),
        }
    }

    /// One message came.
    pub fn count(&mut self, now: Millis) -> Verdict {
        if !self.tolerated.take(now) {
            Verdict::Expel
        } else if !self.allowed.take(now) {
            Verdict::Refuse
        } else {
            Verdict::Pass
        }
    }

    /// Whether the sender may send as much as one that never did.
    pub fn is_rested(&self, now: Millis) -> bool {
        self.tolerated.is_full(now) && self.allowed.is_full(now)
    }
}

/// A token bucket, in thousandths of a message.
#[derive(Debug)]
struct Bucket {
    per_second: u32,
    level: u64,
    filled: Millis,
}

impl Bucket {
    const fn new(per_second: u32, now: Millis) -> Self {
        Self { per_second, level: Self::depth(per_second), filled: now }
    }

    const fn depth(per_second: u32) -> u64 {
        per_second as u64 * BURST as u64 * 1000
    }

    fn level(&self, now: Millis) -> u64 {
        let more = now.since(self.filled).saturating_mul(u64::from(self.per_second));
        self.level.saturating_add(more).min(Self::depth(self.per_second))
    }

    fn is_full(&self, now: Millis) -> bool {
        self.level(now) == Self::depth(self.per_second)
    }

    fn take(&mut self, now: Millis) -> bool {
        self.level = self.level(now);
        self.filled = now;
        let left = self.level.checked_sub(1000);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_is_expelled() {
        let mut pace = Pace::new(10, Millis(0)).unwrap();
        let verdicts: Vec<_> = (0..501).map(|_| pace.count(Millis(0))).collect();
        assert!(verdicts[..50].iter().all(|verdict| *verdict == Verdict::Pass));
        assert!(verdicts[50..500].iter().all(|verdict| *verdict == Verdict::Refuse));
        assert_eq!(verdicts[500], Verdict::Expel);
    }

    #[test]
    fn the_sustained_pace_never_runs_dry_and_clocks_may_jump_back() {
        let mut pace = Pace::new(10, Millis(1_000_000)).unwrap();
        assert!((0..1000).all(|n| pace.count(Millis(1_000_000 + n * 100)) == Verdict::Pass));
        assert_eq!(pace.count(Millis(0)), Verdict::Pass);
        assert!(Pace::new(0, Millis(0)).is_none());
    }
}
