//! How often a stream looks for mail where mail cannot ring: on hosts that keep nothing in memory.
//!
//! A look costs 0.1 to 0.2 ms. What all streams together may look is bounded, so the pause grows with
//! their number; but not with silence, for a quiet peer's first offer must not wait.

/// Milliseconds. Shorter would not be felt.
const SHORTEST: u64 = 50;
/// Milliseconds. Longer would be felt.
const LONGEST: u64 = 250;
/// A negotiation goes on for about this long, in milliseconds after the last message.
const NEGOTIATION: u64 = 2_000;

/// The pause until the next look, in milliseconds: so many streams are open, and this one has been
/// quiet for so many milliseconds.
#[must_use]
pub fn pause(streams: usize, quiet: u64) -> u64 {
    let streams = u64::try_from(streams).unwrap_or(u64::MAX);
    // 2,500 looks per second are a quarter of a core to half of one; those few who negotiate may look
    // more often.
    let share = if quiet < NEGOTIATION { streams / 4 } else { streams / 5 * 2 };
    share.clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_with_the_number_of_streams_and_is_bounded() {
        let calm = |streams| pause(streams, 60_000);
        assert_eq!([0, 1, 100, 200, 400, 500, usize::MAX].map(calm), [50, 50, 50, 80, 160, 200, 250]);
    }

    #[test]
    fn who_got_mail_a_moment_ago_looks_more_often() {
        assert_eq!([pause(200, 0), pause(200, NEGOTIATION - 1), pause(200, NEGOTIATION)], [50, 50, 80]);
        assert_eq!(pause(800, 0), 200);
    }
}
