//! Several nodes and many clients in virtual time: real `pigeonhub-node-core` and
//! `pigeonhub-client-core`, made-up sockets, browsers and trouble. Every world is a number.
//!
//! A failure names its number: `PIGEONHUB_SEED=n` lives that world again, `PIGEONHUB_SEEDS=n` tries so many.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod checks;
mod fate;
mod hub;
mod journey;
mod ledger;
mod link;
mod page;
mod post;
mod rtc;
mod trouble;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::World;

/// Worlds that are tried unless `PIGEONHUB_SEEDS` says otherwise.
const WORLDS: u64 = 60;
/// How long trouble lasts, and how long after it everybody must be connected, and all be quiet.
const TROUBLE: u64 = 60_000;
const CONNECTED: u64 = 120_000;
const QUIET: u64 = 240_000;
/// How long nodes remember those who left.
const MEMORY: u64 = 110_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// A world from its beginning to its end.
fn live(seed: u64) {
    let mut world = World::populated(seed);
    let calm = world.fate.between(0, 20_000);
    world.run_until(calm);
    world.cause_trouble(TROUBLE);
    let cleared = world.age() + TROUBLE;
    world.run_until(cleared + CONNECTED);
    assert_eq!(world.apart(), [""; 0]);
    world.run_until(cleared + QUIET);
    world.assert_presence_is_exact();
    world.assert_no_signal_is_lost();
    world.assert_state_is_bounded();
    assert_eq!(world.apart(), [""; 0]);
    (0..world.pages.len()).for_each(|page| world.close_page(page));
    world.run_until(cleared + QUIET + MEMORY);
    world.assert_nothing_is_kept();
}

#[test]
fn worlds_full_of_trouble_come_to_rest() {
    let seeds = match number("PIGEONHUB_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PIGEONHUB_SEEDS").unwrap_or(WORLDS),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| live(seed))) {
            eprintln!("world {seed} failed; PIGEONHUB_SEED={seed} lives it again");
            resume_unwind(panic);
        }
    }
}
