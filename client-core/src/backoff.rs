//! How long to wait before a node is tried again: longer with each failure, spread by dice, never
//! for ever.

use crate::dice::Dice;

/// The longest first wait; doubles with every further failure in a row.
const FIRST: u64 = 250;
/// The longest wait while other nodes serve.
const LONGEST: u64 = 30_000;
/// The longest wait while no node serves: a node that restarts is in use again within moments.
const LONGEST_ALONE: u64 = 1_000;
/// After so many failures an outage is no restart any more, and even the last node gets some rest.
const OUTAGE: u32 = 60;
const LONGEST_IN_OUTAGE: u64 = 10_000;

/// The wait after `failures` in a row: "full jitter", anything from nothing to the ceiling, so that
/// the clients of a node that died do not come back all at once.
pub(crate) fn wait(failures: u32, alone: bool, dice: &mut Dice) -> u64 {
    dice.up_to(ceiling(failures, alone))
}

fn ceiling(failures: u32, alone: bool) -> u64 {
    let longest = match alone {
        true if failures < OUTAGE => LONGEST_ALONE,
        true => LONGEST_IN_OUTAGE,
        false => LONGEST,
    };
    FIRST.saturating_mul(1 << failures.min(16)).min(longest)
}

/// What is left of a wait, at most, when the last open session is lost: every node counts again.
pub(crate) fn shortened(dice: &mut Dice) -> u64 {
    dice.up_to(LONGEST_ALONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_limit() {
        let ceilings = [0, 1, 2, 6, 7, 100, u32::MAX].map(|failures| ceiling(failures, false));
        assert_eq!(ceilings, [250, 500, 1_000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn without_any_node_waits_are_short_until_it_is_a_long_outage() {
        assert_eq!([1, 2, 59, 60].map(|failures| ceiling(failures, true)), [500, 1_000, 1_000, 10_000]);
    }

    #[test]
    fn waits_are_spread_from_nothing_to_the_ceiling() {
        let mut dice = Dice::new(1);
        let waits: alloc::vec::Vec<_> = (0..1000).map(|_| wait(7, false, &mut dice)).collect();
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(
            waits.iter().any(|wait| *wait < LONGEST / 20)
                && waits.iter().any(|wait| *wait > LONGEST / 20 * 19)
        );
    }
}
