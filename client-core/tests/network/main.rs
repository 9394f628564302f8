//! Two clients, nodes that lose, delay, repeat and die, and browsers that are made up: they connect
//! whenever messages flow at last. And a client that is told nonsense stays calm.
//!
//! Every case is a number; a failure prints it, and `Fate::new(number)` replays it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod fate;
mod nonsense;
mod world;

use pigeonhub_client_core::LinkState;
use proptest::prelude::*;

use fate::Fate;
use world::{Trouble, World};

/// A quarter of a minute in which a third of the signals is lost and nodes die.
const TROUBLE: Trouble = Trouble { until: 15_000, loss: 30, repeats: 20, deaths: 3 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// One dials, or both at once. Nobody dials again, so no single step may give up on its own.
    #[test]
    fn they_connect_through_trouble(seed: u64, both: bool) {
        let mut world = World::new(Fate::new(seed), TROUBLE);
        world.dial(0);
        if both {
            world.dial(1);
        }
        world.run_until(75_000);
        world.assert_connected();
    }

    /// The same while the connection itself breaks and one page is loaded again in between.
    #[test]
    fn they_stay_connected_through_trouble(seed: u64, reload: bool) {
        let mut world = World::new(Fate::new(seed), Trouble::NONE);
        world.dial(0);
        world.run_until(20_000);
        world.assert_connected();
        world.cause(TROUBLE);
        if reload {
            world.reload(0);
            world.dial(0);
        } else {
            world.break_connection();
        }
        world.run_until(110_000);
        world.assert_connected();
    }

    /// Renegotiations from both sides, also at once, come to their end without any node.
    #[test]
    fn changes_reach_the_other_side_without_nodes(seed: u64) {
        let mut world = World::new(Fate::new(seed), Trouble::NONE);
        world.dial(0);
        world.run_until(20_000);
        world.kill_all_nodes();
        for _ in 0..3 {
            world.add_tracks();
            world.run_for(5_000);
        }
        world.assert_connected();
        world.assert_tracks_known();
        for client in [0, 1] {
            prop_assert_eq!(world.links_seen(client), vec![LinkState::Connecting, LinkState::Connected]);
        }
    }
}
