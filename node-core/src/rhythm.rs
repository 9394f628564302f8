//! What a session on a socket does from time to time: pings, renews its lease, is told again who is there.

use pigeonhub_protocol::{Millis, Moment};

/// Milliseconds between two pings, about.
const PING: u64 = 25_000;
/// A socket from which nothing came for so long is dead.
const SILENCE: u64 = 60_000;
/// Milliseconds between two repeats of who is there, about. Existing clients forget after 5 minutes.
const DISCOVER: u64 = 230_000;

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing.
    Rest,
    /// A ping.
    Ping,
    /// A repeat of who is there.
    Discover,
    /// Giving up.
    Silence,
}

/// The rhythm of one session.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    heard: Millis,
    ping: Millis,
    discover: Millis,
    renewed: Millis,
    lease: u64,
}

impl Rhythm {
    /// A rhythm of its own, so that sockets that came together do not go on together.
    #[must_use]
    pub const fn new(lease: u64, at: Moment) -> Self {
        let Moment { now, seed } = at;
        let interval = interval(lease);
        Self {
            heard: now,
            ping: now.plus(interval - spread(interval, seed)),
            discover: now.plus(DISCOVER - spread(DISCOVER / 2, seed.rotate_left(16))),
            renewed: now,
            lease,
        }
    }

    /// Something came from the peer.
    pub const fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// Whether the lease is to be renewed: a third of it is over.
    pub const fn renews(&mut self, now: Millis) -> bool {
        let renews = now.since(self.renewed) >= self.lease / 3;
        if renews {
            self.renewed = now;
        }
        renews
    }

    /// What it is time for. Ask after each [pause](Self::pause).
    pub const fn beat(&mut self, at: Moment) -> Beat {
        let Moment { now, seed } = at;
        if now.since(self.heard) >= SILENCE {
            Beat::Silence
        } else if now.0 >= self.ping.0 {
            let interval = interval(self.lease);
            self.ping = now.plus(interval - spread(interval / 5, seed));
            Beat::Ping
        } else if now.0 >= self.discover.0 {
            self.discover = now.plus(DISCOVER - spread(DISCOVER / 10, seed));
            Beat::Discover
        } else {
            Beat::Rest
        }
    }

    /// Milliseconds until it may be time for something.
    #[must_use]
    pub fn pause(&self, now: Millis) -> u64 {
        let next = self.ping.min(self.discover).min(self.heard.plus(SILENCE));
        // Never at once again, even if the clock was set back or forth.
        next.since(now).clamp(1, PING)
    }
}

/// Milliseconds between two pings: an answer to one of them renews the lease, however short that is.
const fn interval(lease: u64) -> u64 {
    if lease / 3 < PING { lease / 3 } else { PING }
}

/// Between 0 and `most`, by dice.
const fn spread(most: u64, dice: u64) -> u64 {
    dice % (most + 1)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use pigeonhub_protocol::limit;

    use super::*;
    use crate::dice::stir;

    const DAWN: u64 = 1_000_000;
    const MINUTE: u64 = 60_000;

    fn at(age: u64, seed: u64) -> Moment {
        Moment { now: Millis(DAWN + age), seed }
    }

    /// What happens to a session in so many milliseconds, and when. The peer answers the first so many
    /// pings.
    fn live(lease: u64, dice: impl Fn(u64) -> u64, answers: usize, millis: u64) -> Vec<(u64, Beat)> {
        let mut rhythm = Rhythm::new(lease, at(0, dice(0)));
        let (mut age, mut beats) = (0, Vec::new());
        loop {
            age += rhythm.pause(Millis(DAWN + age));
            if age > millis {
                return beats;
            }
            let beat = rhythm.beat(at(age, dice(age)));
            if beat != Beat::Rest {
                beats.push((age, beat));
            }
            let pings = beats.iter().filter(|(_, beat)| *beat == Beat::Ping).count();
            if beat == Beat::Ping && pings <= answers {
                rhythm.heard(Millis(DAWN + age));
            }
            if beat == Beat::Silence {
                return beats;
            }
        }
    }

    fn times(beats: &[(u64, Beat)], of: Beat) -> Vec<u64> {
        beats.iter().filter(|(_, beat)| *beat == of).map(|(age, _)| *age).collect()
    }

    #[test]
    fn without_dice_everything_has_its_time() {
        use Beat::{Discover, Ping, Silence};
        for (answers, millis, expected) in [
            (0, MINUTE, &[(25_000, Ping), (50_000, Ping), (60_000, Silence)][..]),
            (0, 59_999, &[(25_000, Ping), (50_000, Ping)]),
            (1, 2 * MINUTE, &[(25_000, Ping), (50_000, Ping), (75_000, Ping), (85_000, Silence)]),
            (
                usize::MAX,
                4 * MINUTE,
                &[
                    (25_000, Ping),
                    (50_000, Ping),
                    (75_000, Ping),
                    (100_000, Ping),
                    (125_000, Ping),
                    (150_000, Ping),
                    (175_000, Ping),
                    (200_000, Ping),
                    (225_000, Ping),
                    (230_000, Discover),
                ],
            ),
        ] {
            assert_eq!(live(limit::LEASE, |_| 0, answers, millis), expected, "{answers} answers");
        }
    }

    #[test]
    fn whatever_the_dice_show_who_answers_stays_and_is_told_before_it_forgets() {
        for seed in 0..200 {
            let beats = live(limit::LEASE, |age| stir(seed ^ stir(age)), usize::MAX, 20 * MINUTE);
            let (pings, repeats) = (times(&beats, Beat::Ping), times(&beats, Beat::Discover));
            assert!(times(&beats, Beat::Silence).is_empty(), "{beats:?}");
            assert!(pings[0] <= PING && (115_000..=DISCOVER).contains(&repeats[0]), "{beats:?}");
            // What else is due at the same moment comes a millisecond later.
            let apart = |times: &[u64], least: u64, most: u64| {
                times.windows(2).all(|two| (least..=most + 1).contains(&(two[1] - two[0])))
            };
            assert!(apart(&pings, 20_000, PING) && apart(&repeats, 207_000, DISCOVER), "{beats:?}");
            assert!(20 * MINUTE - pings[pings.len() - 1] <= PING, "{beats:?}");
            assert!(20 * MINUTE - repeats[repeats.len() - 1] <= DISCOVER, "{beats:?}");
        }
    }

    #[test]
    fn sockets_that_came_together_do_not_go_on_together() {
        let first = |seed| live(limit::LEASE, |_| stir(seed), usize::MAX, PING)[0].0;
        let mut firsts: Vec<u64> = (0..100).map(first).collect();
        firsts.sort_unstable();
        assert!(firsts[10] < 5_000 && firsts[90] > 20_000, "{firsts:?}");
    }

    #[test]
    fn a_lease_is_renewed_in_time_by_who_answers_pings() {
        for lease in [3_000, 20_000, 45_000, limit::LEASE, 600_000] {
            let mut rhythm = Rhythm::new(lease, at(0, 0));
            let (mut age, mut renewed) = (0, 0);
            while age < 20 * MINUTE {
                age += rhythm.pause(Millis(DAWN + age));
                if rhythm.beat(at(age, stir(age))) != Beat::Ping {
                    continue;
                }
                let now = Millis(DAWN + age);
                rhythm.heard(now);
                if rhythm.renews(now) {
                    assert!((lease / 3..lease).contains(&(age - renewed)), "{lease}: {renewed} to {age}");
                    assert!(!rhythm.renews(now), "once");
                    renewed = age;
                }
            }
            assert!(age - renewed < lease, "{lease}: {renewed} to {age}");
        }
    }

    #[test]
    fn a_clock_that_was_set_neither_stops_it_nor_makes_it_spin() {
        let mut rhythm = Rhythm::new(limit::LEASE, at(0, 0));
        assert_eq!(rhythm.pause(Millis(0)), PING);
        assert_eq!(rhythm.beat(Moment { now: Millis(0), seed: 0 }), Beat::Rest);
        assert_eq!(rhythm.pause(Millis(u64::MAX)), 1);
        assert_eq!(rhythm.beat(at(30_000, 0)), Beat::Ping);
    }
}
