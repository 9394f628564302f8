//! Repair: a link outlives its path.

use pigeonhub_client_core::{ConnectionState, Input, LinkState};

use crate::table::*;

/// What happens to the link in this time, while the nodes stay.
fn pass(t: &mut Table, millis: u64) -> Vec<String> {
    let (until, mut lines) = (t.now + millis, Vec::new());
    while t.now < until {
        lines.extend(t.pass((until - t.now).min(5_000)));
        t.quietly([hello(1), hello(2)]);
    }
    lines
}

#[test]
fn the_greater_id_restarts_at_once_through_a_node() {
    let mut t = linked('1');
    t.on(state('1', 1, ConnectionState::Failed), ["! link 1 Interrupted", "1/1 offer with restart"]);
    t.on(described_offer('1', 1, "o=- own 2"), ["1 < offer 1 #2 n2 o=- own 2"]);
    t.quietly([answer(1, '1', 101, 2, "o=- other 2"), applied('1', 1)]);
    t.on(state('1', 1, ConnectionState::Connecting), []);
    t.on(state('1', 1, ConnectionState::Connected), ["! link 1 Connected"]);
    assert_eq!(pass(&mut t, 60_000), Vec::<String>::new());
}

#[test]
fn the_smaller_id_gives_the_other_a_head_start() {
    let mut t = linked('9');
    t.on(state('9', 1, ConnectionState::Failed), ["! link 9 Interrupted"]);
    assert_eq!(pass(&mut t, 2_999), Vec::<String>::new());
    assert_eq!(pass(&mut t, 1), ["9/1 offer with restart"]);
}

#[test]
fn the_smaller_id_leaves_it_to_the_other_when_that_one_restarts() {
    let mut t = linked('9');
    t.quietly([state('9', 1, ConnectionState::Failed)]);
    t.on(offer(1, '9', 101, "o=- other 2"), ["9/1 apply offer o=- other 2"]);
    t.quietly([applied('9', 1), described_answer('9', 1, "o=- own 2")]);
    assert!(!pass(&mut t, 3_999).concat().contains("restart"));
    assert_eq!(pass(&mut t, 1), ["9/1 offer with restart"], "if that did not help");
}

#[test]
fn a_connection_without_packets_has_five_seconds_to_recover() {
    let mut t = linked('1');
    t.on(state('1', 1, ConnectionState::Disconnected), []);
    assert_eq!(pass(&mut t, 4_999), Vec::<String>::new());
    t.on(state('1', 1, ConnectionState::Connected), []);
    assert_eq!(pass(&mut t, 60_000), Vec::<String>::new());
    t.quietly([state('1', 1, ConnectionState::Disconnected)]);
    assert_eq!(pass(&mut t, 5_000), ["! link 1 Interrupted", "1/1 offer with restart"]);
}

#[test]
fn a_few_tries_and_then_there_is_no_path() {
    let mut t = linked('1');
    t.quietly([state('1', 1, ConnectionState::Failed)]);
    let (mut tries, start) = (vec![0], t.now);
    loop {
        t.quietly([described_offer('1', 1, "o=- own 2"), hello(1), hello(2)]);
        let lines = t.sleep();
        if lines.contains(&"1/1 offer with restart".into()) {
            tries.push(t.now - start);
        }
        if lines.contains(&"! link 1 failed no-path".into()) {
            assert!(lines.contains(&"1/1 close".into()));
            break;
        }
    }
    assert_eq!((tries, t.now - start), (vec![0, 4_000, 12_000, 28_000], 60_000));
}

/// A link whose descriptions are exchanged, but that has no connection.
fn unconnected() -> Table {
    let mut t = Table::connected();
    t.quietly([dial('1'), described_offer('1', 1, "SDP"), answer(1, '1', 70, 1, "ANSWER"), applied('1', 1)]);
    t
}

#[test]
fn a_link_that_never_stood_is_helped_too_but_two_restarts_must_do() {
    let mut t = unconnected();
    assert_eq!(pass(&mut t, 14_999), Vec::<String>::new());
    assert_eq!(pass(&mut t, 1), ["1/1 offer with restart"], "no word of failure, but no connection either");
    t.quietly([described_offer('1', 1, "SDP2"), answer(1, '1', 71, 15_000, "ANSWER2"), applied('1', 1)]);
    assert_eq!(pass(&mut t, 4_000), ["1/1 offer with restart"]);
    t.quietly([described_offer('1', 1, "SDP3"), answer(1, '1', 72, 19_000, "ANSWER3"), applied('1', 1)]);
    assert_eq!(pass(&mut t, 8_000), ["1/1 close", "! link 1 failed no-path"]);
}

#[test]
fn while_signals_are_lost_a_repair_goes_on_for_half_a_minute() {
    let mut t = unconnected();
    t.quietly([state('1', 1, ConnectionState::Failed)]);
    let (mut restarts, mut end) = (vec![0], None);
    while end.is_none() {
        t.quietly([described_offer('1', 1, "SDP2"), hello(1), hello(2)]);
        let lines = t.sleep();
        if lines.contains(&"1/1 offer with restart".into()) {
            restarts.push(t.now);
        }
        end = lines.contains(&"! link 1 failed no-path".into()).then_some(t.now);
    }
    assert_eq!((restarts, end), (vec![0, 4_000, 12_000, 28_000], Some(30_000)));
}

#[test]
fn back_from_a_freeze_the_repair_begins_again() {
    let mut t = linked('1');
    t.quietly([state('1', 1, ConnectionState::Failed), described_offer('1', 1, "o=- own 2")]);
    t.now = 3_600_000;
    let lines = t.tell(Input::Resume);
    assert!(lines.contains(&"1/1 offer with restart".into()), "{lines:?}");
    assert_eq!(t.client.link_state(peer('1')), Some(&LinkState::Interrupted));
}
