//! Several nodes and many clients in virtual time: real `pigeonhub-node-core` and
//! `pigeonhub-client-core`, made-up sockets, browsers and trouble. Every world is a number.
//!
//! A failure names its number: `PIGEONHUB_SEED=n` lives that world again, `PIGEONHUB_SEEDS=n` tries so many.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod birth;
mod browser;
mod checks;
mod desk;
mod drain;
mod fate;
mod hub;
mod journey;
mod ledger;
mod link;
mod page;
mod post;
mod reach;
mod rtc;
mod seals;
mod trouble;
mod wire;
mod world;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use birth::Size;
use wire::Break;
use world::World;

/// Worlds that are tried unless `PIGEONHUB_SEEDS` says otherwise.
const WORLDS: u64 = 2_000;
/// How long after all trouble everybody must be connected.
const CONNECTED: u64 = 120_000;
/// How long after all trouble everybody has noticed what is left of it.
const NOTICED: u64 = 60_000;
/// How long it takes to dial again in fair weather, the apps' pause included.
const REDIAL: u64 = 10_000;
const FOR_EVER: u64 = u64::MAX / 2;
/// Of more pages than this not all hang up and dial again, none says that it is frozen, which is kept in
/// mind for minutes, and in the end they do not all leave.
const FEW: usize = 40;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// A world from its beginning to its end.
fn live(seed: u64, size: Option<Size>) {
    let mut world = World::populated(seed, size);
    let (calm, trouble) = (world.fate.between(0, 20_000), world.fate.between(5_000, 45_000));
    world.run_until(calm);
    world.cause_trouble(trouble);
    world.run_until(calm + trouble);
    world.assert_all_connect_within(CONNECTED);
    // Sockets that broke silently may still be taken for good ones.
    world.run_until(world.age().max(calm + trouble + NOTICED));
    if world.pages.len() <= FEW {
        // In fair weather it is a matter of seconds.
        world.redial();
        world.pass(REDIAL);
        assert_eq!(world.apart(), [""; 0]);
    }
    let rest = world.memory();
    world.pass(rest);
    world.assert_presence_is_exact();
    world.assert_no_signal_is_lost();
    world.assert_state_is_bounded();
    assert_eq!(world.apart(), [""; 0]);
    if world.pages.len() <= FEW {
        (0..world.pages.len()).for_each(|page| world.close_page(page));
        world.pass(rest);
        world.assert_nothing_is_kept();
    }
}

/// Connections do not depend on nodes: when all are gone, no app notices.
#[test]
fn calls_survive_the_death_of_all_nodes() {
    for seed in 0..10 {
        let mut world = World::populated(seed, Some(Size { nodes: 4, pages: 10 }));
        world.run_until(40_000);
        assert_eq!(world.apart(), [""; 0], "world {seed}");
        let before: Vec<_> = world.pages.iter().map(|page| page.links.clone()).collect();
        (0..world.hubs.len()).for_each(|hub| world.crash_hub(hub, Break::Silent, FOR_EVER));
        world.run_until(340_000);
        assert!(world.pages.iter().map(|page| &page.links).eq(&before), "world {seed}: an app was told");
    }
}

/// Nodes are restarted one after another in fair weather while apps hang up and dial.
#[test]
fn a_rolling_restart_brings_nothing_back_and_nobody_waits_for_it() {
    for seed in 0..40 {
        let mut world = World::populated(seed, Some(Size { nodes: 4, pages: 10 }));
        world.run_until(40_000);
        assert_eq!(world.apart(), [""; 0], "world {seed}");
        world.refusals.clear();
        for hub in 0..world.hubs.len() {
            let life = world.hubs[hub].life;
            world.redial();
            let wait = 2_000 + world.fate.below(200);
            world.pass(wait);
            world.drain_hub(hub, 1_000);
            world.pass(REDIAL);
            assert_eq!(world.hubs[hub].life, life + 1, "world {seed}: it has ended");
            assert_eq!(world.apart(), [""; 0], "world {seed}");
        }
        assert_eq!(world.refusals, [], "world {seed}");
        world.assert_no_signal_is_lost();
    }
}

/// On all cores, each taking the next world when it is done with one.
#[test]
fn worlds_full_of_trouble_come_to_rest() {
    let (next, end) = match number("PIGEONHUB_SEED") {
        Some(seed) => (AtomicU64::new(seed), seed + 1),
        None => (AtomicU64::new(0), number("PIGEONHUB_SEEDS").unwrap_or(WORLDS)),
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let failed = || {
        let seeds =
            std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < end));
        let fails = |seed: &u64| {
            let failed = catch_unwind(AssertUnwindSafe(|| live(*seed, None))).is_err();
            if failed {
                eprintln!("world {seed} failed; PIGEONHUB_SEED={seed} lives it again");
            }
            failed
        };
        seeds.filter(fails).collect::<Vec<u64>>()
    };
    let failed: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(failed)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "worlds {failed:?} failed");
}

#[test]
fn a_world_of_thirty_nodes_comes_to_rest() {
    live(1, Some(Size { nodes: 30, pages: 100 }));
}

#[test]
fn a_world_of_a_thousand_pages_comes_to_rest() {
    live(2, Some(Size { nodes: 6, pages: 1_000 }));
}
