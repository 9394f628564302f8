//! The client's own time: the host's, except that it never goes back.

use pigeonhub_protocol::Millis;

/// Clocks are set back now and then. Were that passed on, every wait would grow by the jump, and
/// half-dead sessions would look alive for as long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    latest: Millis,
    /// By how much the host's clock was set back so far.
    lag: u64,
}

impl Clock {
    /// The client's time when the host's clock shows `host`.
    pub(crate) fn read(&mut self, host: Millis) -> Millis {
        let now = host.plus(self.lag);
        self.lag += self.latest.since(now);
        self.latest = self.latest.max(now);
        self.latest
    }

    /// What the host's clock will show at `own`.
    pub(crate) const fn on_host(&self, own: Millis) -> Millis {
        Millis(own.0.saturating_sub(self.lag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_costs_no_waiting() {
        let mut clock = Clock::default();
        assert_eq!(clock.read(Millis(10_000)), Millis(10_000));
        assert_eq!(clock.read(Millis(4_000)), Millis(10_000), "set back by 6 s");
        assert_eq!(clock.read(Millis(4_500)), Millis(10_500), "and goes on from there");
        assert_eq!(clock.on_host(Millis(11_000)), Millis(5_000));
        assert_eq!(clock.read(Millis(5_000)), Millis(11_000));
    }

    #[test]
    fn any_number_is_a_time() {
        let mut clock = Clock::default();
        for host in [u64::MAX, 0, u64::MAX, 7, 0] {
            let own = clock.read(Millis(host));
            assert_eq!(own, Millis(u64::MAX));
        }
    }
}
