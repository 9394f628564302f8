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

use wire::Break;
use world::World;

/// Worlds that are tried unless `PIGEONHUB_SEEDS` says otherwise.
const WORLDS: u64 = 60;
/// How long trouble lasts, and how long after it everybody must be connected, and all be quiet.
const TROUBLE: u64 = 60_000;
const CONNECTED: u64 = 120_000;
const QUIET: u64 = 240_000;
/// How long it takes to dial again in fair weather, the apps' pause included.
const REDIAL: u64 = 10_000;
const FOR_EVER: u64 = u64::MAX / 2;
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
    // In fair weather it is a matter of seconds.
    world.redial();
    world.run_until(cleared + CONNECTED + REDIAL);
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

/// Connections do not depend on nodes: when all are gone, no app notices.
#[test]
fn calls_survive_the_death_of_all_nodes() {
    for seed in 0..10 {
        let mut world = World::populated(seed);
        world.run_until(40_000);
        assert_eq!(world.apart(), [""; 0], "world {seed}");
        let before: Vec<_> = world.pages.iter().map(|page| page.links.clone()).collect();
        (0..world.hubs.len()).for_each(|hub| world.crash_hub(hub, Break::Silent, FOR_EVER));
        world.run_until(340_000);
        assert_eq!(world.apart(), [""; 0], "world {seed}");
        assert!(world.pages.iter().map(|page| &page.links).eq(&before), "world {seed}: an app was told");
    }
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
