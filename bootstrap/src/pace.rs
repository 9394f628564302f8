//! When sources are asked again.

use crate::CHECK;

/// The first pause of a node that knows nobody; it doubles …
const FIRST: u64 = 1_000;
/// … up to this.
const LONGEST: u64 = 60_000;

/// Milliseconds until the sources are asked again: soon while nobody was found, and then for news
/// only. `round` counts from 0; `dice` spreads those who start at once.
#[must_use]
pub const fn pause(is_alone: bool, round: u32, dice: u64) -> u64 {
    let shift = if round < 10 { round } else { 10 };
    let pause = if is_alone { FIRST << shift } else { CHECK };
    let pause = if is_alone && pause > LONGEST { LONGEST } else { pause };
    pause / 2 + dice % (pause / 2 + 1)
}
