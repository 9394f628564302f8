//! What a session does from time to time: pings, renews its lease, is told again who is there.

use std::pin::Pin;
use std::time::Duration;

use pigeonhub_protocol::{Millis, Moment};
use tokio::time::{Instant, Sleep, sleep};

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
pub struct Rhythm {
    alarm: Pin<Box<Sleep>>,
    heard: Millis,
    ping: Millis,
    discover: Millis,
    renewed: Millis,
    lease: u64,
}

impl Rhythm {
    /// A rhythm of its own, so that sockets that came together do not go on together.
    pub fn new(lease: u64, at: Moment) -> Self {
        Self {
            alarm: Box::pin(sleep(Duration::from_millis(PING - spread(PING, at.seed)))),
            heard: at.now,
            ping: at.now.plus(PING - spread(PING, at.seed)),
            discover: at.now.plus(DISCOVER - spread(DISCOVER / 2, at.seed.rotate_left(16))),
            renewed: at.now,
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

    /// Waits until it may be time for something.
    pub async fn rest(&mut self) {
        self.alarm.as_mut().await;
    }

    /// What it is time for. Ask after each rest.
    pub fn beat(&mut self, at: Moment) -> Beat {
        let beat = if at.now.since(self.heard) >= SILENCE {
            Beat::Silence
        } else if at.now >= self.ping {
            self.ping = at.now.plus(PING - spread(PING / 5, at.seed));
            Beat::Ping
        } else if at.now >= self.discover {
            self.discover = at.now.plus(DISCOVER - spread(DISCOVER / 10, at.seed));
            Beat::Discover
        } else {
            Beat::Rest
        };
        let next = self.ping.min(self.discover).min(self.heard.plus(SILENCE));
        // Never at once again, even if the clock was set back or forth.
        let pause = Duration::from_millis(next.since(at.now).clamp(1, PING));
        self.alarm.as_mut().reset(Instant::now() + pause);
        beat
    }
}

/// Between 0 and `most`, by dice.
const fn spread(most: u64, dice: u64) -> u64 {
    dice % (most + 1)
}
