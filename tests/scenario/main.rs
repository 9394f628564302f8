//! The stories that `cargo xtask scenario` tells, and a short form of `cargo xtask chaos`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use pigeonhub_tests::chaos::{Fault, Plan, suffer};
use pigeonhub_tests::scenario;

#[tokio::test]
async fn peers_on_different_nodes_find_each_other() {
    scenario::discovery().await;
}

#[tokio::test]
async fn peers_on_different_nodes_call_each_other() {
    scenario::signaling().await;
}

#[tokio::test]
async fn what_one_node_is_given_to_keep_all_have() {
    scenario::replication().await;
}

#[tokio::test]
async fn a_node_dies_under_a_call_and_comes_back() {
    scenario::recovery().await;
}

/// Few clients, and no word on how long it takes: that is for `cargo xtask chaos`.
const SHORT: Plan = Plan {
    clients: 16,
    only_native: false,
    pause: Duration::from_millis(400),
    away: Duration::from_secs(3),
    around: Duration::from_secs(1),
};

#[track_caller]
fn assert_harmless(fault: Fault) {
    match suffer(fault, SHORT) {
        Ok(row) => assert_eq!(row.harm(), None),
        Err(why) if fault.needs_wires() && !may_lay_wires() => eprintln!("not tried: {why}"),
        Err(why) => panic!("{fault} could not be tried: {why}"),
    }
}

/// Whether this machine allows a network of one's own: to root, and where there are TUN devices.
fn may_lay_wires() -> bool {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    is_root && Path::new("/dev/net/tun").exists()
}

#[test]
fn a_node_that_is_killed_harms_no_call() {
    assert_harmless(Fault::Kill);
}

#[test]
fn a_serverless_node_that_is_killed_harms_no_call() {
    assert_harmless(Fault::KillServerless);
}

#[test]
fn a_node_that_hangs_harms_no_call() {
    assert_harmless(Fault::Stop);
}

#[test]
fn a_node_that_is_restarted_harms_no_call() {
    assert_harmless(Fault::Restart);
}

#[test]
fn the_only_node_may_die_and_come_back() {
    assert_harmless(Fault::OnlyNode);
}

#[test]
fn a_node_that_nobody_can_reach_harms_no_call() {
    assert_harmless(Fault::Blackhole);
}

#[test]
fn a_node_that_no_other_node_can_reach_harms_no_call() {
    assert_harmless(Fault::Partition);
}

#[test]
fn lost_packets_harm_no_call() {
    assert_harmless(Fault::Loss);
}

#[test]
fn late_packets_harm_no_call() {
    assert_harmless(Fault::Delay);
}
