//! How fast peers that come over plain HTTP may speak. A socket keeps its own pace; between two requests
//! there is nothing but this.

use std::collections::HashMap;

use parking_lot::Mutex;
use pigeonhub_node_core::SessionId;
use pigeonhub_protocol::Millis;

use crate::pace::{Pace, Verdict};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// So many of its messages are heard; those behind them are refused.
    First(usize),
    /// It comes too soon. Nothing of it is heard.
    Nothing,
    /// There were so many that the visit is over.
    Flood,
    /// As many visitors speak as can be borne, and this is not one of them.
    Full,
}

/// The paces of those who spoke in the last seconds. They outlive a visit: else whoever ends one and
/// begins it again could say as much as it likes.
#[derive(Debug)]
pub struct Paces {
    per_second: u32,
    most: usize,
    paces: Mutex<HashMap<SessionId, Pace>>,
}

impl Paces {
    /// So many messages per second of each visitor, 0 is no limit; and so many visitors.
    pub fn new(per_second: u32, most: usize) -> Self {
        Self { per_second, most, paces: Mutex::default() }
    }

    /// A request with so many messages came; one with none counts as one.
    pub fn hear(&self, session: SessionId, messages: usize, now: Millis) -> Hearing {
        let Some(fresh) = Pace::new(self.per_second, now) else { return Hearing::First(messages) };
        let mut paces = self.paces.lock();
        if paces.len() >= self.most && !paces.contains_key(&session) {
            return Hearing::Full;
        }
        let pace = paces.entry(session).or_insert(fresh);
        let mut passed = 0;
        for _ in 0..messages.max(1) {
            match pace.count(now) {
                Verdict::Pass => passed += 1,
                Verdict::Refuse => {}
                Verdict::Expel => return Hearing::Flood,
            }
        }
        // At one moment nothing passes after something was refused.
        if passed == 0 { Hearing::Nothing } else { Hearing::First(passed.min(messages)) }
    }

    /// Forgets who has been quiet for so long that it may say as much as a newcomer.
    pub fn forget(&self, now: Millis) {
        self.paces.lock().retain(|_, pace| !pace.is_rested(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SessionId = SessionId(1);
    const OTHER: SessionId = SessionId(2);

    #[test]
    fn what_does_not_fit_is_refused_and_to_say_nothing_counts_too() {
        let paces = Paces::new(10, 9);
        assert_eq!(paces.hear(ONE, 30, Millis(0)), Hearing::First(30));
        assert_eq!(paces.hear(ONE, 0, Millis(0)), Hearing::First(0));
        assert_eq!(paces.hear(ONE, 30, Millis(0)), Hearing::First(19));
        assert_eq!(paces.hear(ONE, 0, Millis(0)), Hearing::Nothing);
        assert_eq!(paces.hear(OTHER, 30, Millis(0)), Hearing::First(30), "each has its own");
        assert_eq!(paces.hear(ONE, 30, Millis(1_000)), Hearing::First(10));
        assert_eq!(paces.hear(ONE, 5_000, Millis(1_000)), Hearing::Flood);
        assert_eq!(Paces::new(0, 9).hear(ONE, 5_000, Millis(0)), Hearing::First(5_000));
    }

    #[test]
    fn only_who_has_rested_is_forgotten() {
        let paces = Paces::new(10, 9);
        assert_eq!(paces.hear(ONE, 5_000, Millis(0)), Hearing::Flood);
        paces.forget(Millis(4_999));
        assert_eq!(paces.hear(ONE, 50, Millis(4_999)), Hearing::First(49));
        paces.forget(Millis(9_999));
        assert!(paces.paces.lock().is_empty());
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let paces = Paces::new(10, 1);
        assert_eq!(paces.hear(ONE, 1, Millis(0)), Hearing::First(1));
        assert_eq!(paces.hear(OTHER, 1, Millis(0)), Hearing::Full);
        assert_eq!(paces.hear(ONE, 1, Millis(0)), Hearing::First(1));
        paces.forget(Millis(400));
        assert_eq!(paces.hear(OTHER, 1, Millis(400)), Hearing::First(1));
    }
}
