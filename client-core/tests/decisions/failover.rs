//! What is said again, and by which way: a negotiation survives the node that carried it.

use pigeonhub_client_core::{Command, Input};
use serde_json::json;

use crate::table::*;

/// A client that has offered through node `a`.
fn offered() -> Table {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP"), candidate('9', 1, "c1")]);
    t
}

#[test]
fn a_session_that_dies_between_offer_and_answer_costs_nothing() {
    let mut t = offered();
    t.on(
        closed(1, 1006),
        ["! node a node-1 Down", "2 < offer 9 #1 n1 SDP", "2 < ice-candidate 9 #2 n1 c1", "! path 9 b"],
    );
    t.on(answer(2, '9', 70, 1, "ANSWER"), ["9/1 apply answer ANSWER"]);
}

#[test]
fn a_session_that_dies_after_the_answer_came_costs_no_candidate() {
    let mut t = offered();
    t.quietly([answer(1, '9', 70, 1, "ANSWER"), applied('9', 1)]);
    t.on(closed(1, 1006), ["! node a node-1 Down", "2 < ice-candidate 9 #2 n1 c1", "! path 9 b"]);
}

#[test]
fn a_session_that_dies_with_the_answer_costs_nothing() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER"), applied('9', 1), described_answer('9', 1, "SDP")]);
    t.quietly([candidate('9', 1, "c1")]);
    t.on(
        closed(1, 1006),
        ["! node a node-1 Down", "2 < answer 9 #1 n1 a70 SDP", "2 < ice-candidate 9 #2 n1 c1", "! path 9 b"],
    );
}

#[test]
fn once_connected_nothing_is_said_again() {
    let mut t = offered();
    t.quietly([answer(1, '9', 70, 1, "ANSWER"), applied('9', 1), channel_opened('9', 1)]);
    t.on(candidate('9', 1, "c2"), ["1 < ice-candidate 9 #3 n1 c2"]);
    t.on(closed(1, 1006), ["! node a node-1 Down"]);
}

#[test]
fn an_unanswered_offer_is_repeated_through_the_other_node_with_growing_pauses() {
    let mut t = offered();
    let all = |session: u32| {
        [format!("{session} < offer 9 #1 n1 SDP"), format!("{session} < ice-candidate 9 #2 n1 c1")]
    };
    let mut repeats = Vec::new();
    while t.now < 20_000 {
        let lines: Vec<_> =
            t.sleep().into_iter().filter(|line| line.contains("SDP") || line.contains("c1")).collect();
        if !lines.is_empty() {
            repeats.push((t.now, lines));
        }
        t.quietly([hello(1), hello(2)]);
    }
    repeats.truncate(3);
    assert_eq!(repeats, [(1_500, all(2).into()), (4_500, all(1).into()), (10_500, all(2).into())]);
}

#[test]
fn a_node_that_carried_an_offer_in_vain_is_asked_whether_it_lives() {
    let mut t = offered();
    let lines = t.pass(1_500);
    assert_eq!(lines[0], "1 < ping");
    t.quietly([answer(2, '9', 70, 1, "ANSWER"), applied('9', 1)]);
    t.quietly([channel_opened('9', 1)]);
    assert_eq!(t.pass(4_999), Vec::<String>::new());
    assert!(t.pass(1).contains(&"hangup 1".into()), "5 s, instead of 15 s of silence");
}

#[test]
fn a_node_in_doubt_carries_nothing_if_another_can() {
    let mut t = Table::connected();
    t.now = 9_000;
    t.quietly([hello(2)]);
    assert_eq!(t.pass(1_000), ["1 < ping"]);
    t.quietly([dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["2 < offer 9 #1 n10000 SDP", "! path 9 b"]);
}

#[test]
fn an_offer_that_the_other_side_has_not_heard_is_said_again_soon_and_where_that_side_was_heard() {
    let mut t = Table::connected();
    t.quietly([dial('1'), described_offer('1', 1, "SDP")]);
    t.now = 100;
    t.on(offer(1, '1', 70, "OFFER"), []);
    assert_eq!(t.pass(499), Vec::<String>::new());
    assert_eq!(t.pass(1), ["1 < offer 1 #1 n1 SDP"]);
}

#[test]
fn an_answered_offer_is_not_repeated_but_its_candidates_are_until_the_link_stands() {
    let mut t = offered();
    t.quietly([answer(1, '9', 70, 1, "ANSWER"), applied('9', 1)]);
    let repeat = ["2 < ice-candidate 9 #2 n1 c1", "! path 9 b"];
    assert_eq!(t.pass(1_500), repeat, "the first session may have fallen silent after the answer");
    assert_eq!(t.pass(3_000), ["1 < ice-candidate 9 #2 n1 c1", "! path 9 a"]);
    t.quietly([channel_opened('9', 1)]);
    assert_eq!(t.pass(5_000), Vec::<String>::new());
}

#[test]
fn an_answer_is_repeated_until_the_link_stands() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER"), applied('9', 1), described_answer('9', 1, "SDP")]);
    assert_eq!(t.pass(1_500), ["2 < answer 9 #1 n1 a70 SDP", "! path 9 b"]);
    t.quietly([channel_opened('9', 1)]);
    assert_eq!(t.pass(8_000), Vec::<String>::new());
}

#[test]
fn on_a_link_that_stands_an_answer_is_said_again_when_it_is_asked_for() {
    let mut t = linked('9');
    t.quietly([offer(1, '9', 110, "o=- other 2"), applied('9', 1), described_answer('9', 1, "o=- own 2")]);
    assert_eq!(t.pass(5_000), Vec::<String>::new());
    t.on(offer(2, '9', 110, "o=- other 2"), ["2 < answer 9 #2 n2 a110 o=- own 2", "! path 9 b"]);
}

/// A client that is on node `a` over plain HTTP and on `b` with a socket.
fn visiting_a() -> Table {
    let mut t = Table::new(&["a", "b"]);
    t.quietly([command(Command::Start), visiting(1), opened(2), hello(1), hello(2)]);
    t
}

#[test]
fn a_socket_is_preferred_to_requests_if_its_node_knows_the_peer() {
    let mut t = visiting_a();
    t.quietly([discovered(1, '9'), dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n1 SDP", "! path 9 a"]);
    t.quietly([discovered(2, '9')]);
    t.on(candidate('9', 1, "c1"), ["2 < ice-candidate 9 #2 n1 c1", "! path 9 b"]);
    t.quietly([answer(1, '9', 70, 1, "ANSWER"), applied('9', 1)]);
    t.on(candidate('9', 1, "c2"), ["2 < ice-candidate 9 #3 n1 c2", "! path 9 b"]);
}

#[test]
fn a_socket_whose_node_refuses_a_signal_is_not_preferred_until_it_tells_of_the_peer() {
    let mut t = visiting_a();
    t.quietly([discovered(1, '9'), discovered(2, '9'), dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["2 < offer 9 #1 n1 SDP", "! path 9 b"]);
    let id = t.id(1);
    t.on(refused(2, '9', &id, "node-unreachable"), ["1 < offer 9 #1 n1 SDP", "! path 9 a"]);
    t.on(candidate('9', 1, "c1"), ["1 < ice-candidate 9 #2 n1 c1"]);
    t.quietly([discovered(2, '9')]);
    t.on(candidate('9', 1, "c2"), ["2 < ice-candidate 9 #3 n1 c2", "! path 9 b"]);
}

#[test]
fn signals_wait_for_a_session() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), dial('9')]);
    t.on(described_offer('9', 1, "SDP"), []);
    t.on(candidate('9', 1, "c1"), []);
    t.on(
        opened(1),
        [
            "! node a Open",
            "1 < announce",
            "1 < ping",
            "1 < offer 9 #1 n1 SDP",
            "1 < ice-candidate 9 #2 n1 c1",
            "! path 9 a",
        ],
    );
}

#[test]
fn a_signal_goes_where_the_peer_is_known() {
    let mut t = Table::connected();
    t.quietly([discovered(2, '9'), dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["2 < offer 9 #1 n1 SDP", "! path 9 b"]);
}

#[test]
fn a_signal_goes_where_the_peer_was_heard() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), offer(2, '9', 70, "OFFER"), applied('9', 1)]);
    t.on(described_answer('9', 1, "SDP"), ["2 < answer 9 #1 n1 a70 SDP"]);
}

#[test]
fn a_peer_that_one_node_does_not_know_is_looked_for_at_the_other() {
    let mut t = offered();
    let (offer, candidate) = (t.id(1), t.id(2));
    t.on(refused(1, '9', &offer, "peer-unavailable"), ["2 < offer 9 #1 n1 SDP", "! path 9 b"]);
    t.on(refused(1, '9', &candidate, "peer-unavailable"), ["2 < ice-candidate 9 #2 n1 c1"]);
    t.on(refused(1, '9', &offer, "peer-unavailable"), []);
    t.on(refused(2, '9', &offer, "peer-unavailable"), ["9/1 close", "! link 9 failed peer-unavailable"]);
}

#[test]
fn a_node_that_is_being_dialled_is_asked_too() {
    let mut t = Table::new(&["a", "b"]);
    t.quietly([command(Command::Start), opened(1), hello(1), dial('9'), described_offer('9', 1, "SDP")]);
    t.on(refused(1, '9', &t.id(1), "peer-unavailable"), []);
    t.on(opened(2), ["! node b Open", "2 < announce", "2 < ping", "2 < offer 9 #1 n1 SDP", "! path 9 b"]);
}

#[test]
fn a_node_in_trouble_does_not_mean_that_there_is_no_such_peer() {
    let mut t = offered();
    t.quietly([refused(1, '9', &t.id(1), "node-unreachable")]);
    t.on(refused(2, '9', &t.id(1), "peer-unavailable"), []);
    assert_eq!(t.pass(1_500), ["2 < offer 9 #1 n1 SDP", "2 < ice-candidate 9 #2 n1 c1"].map(String::from));
}

#[test]
fn a_peer_that_was_heard_may_be_back() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), dial('1'), described_offer('1', 1, "SDP")]);
    t.quietly([offer(1, '1', 70, "OFFER")]);
    t.on(refused(1, '1', &t.id(1), "peer-unavailable"), []);
}

/// The only node was restarted; this client is back, and dials a peer that it knew before.
fn back_first() -> Table {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello(1), discovered(1, '9'), closed(1, 1006)]);
    t.pass(500);
    t.quietly([opened(2), hello(2), dial('9'), described_offer('9', 1, "SDP")]);
    t
}

#[test]
fn a_peer_that_a_lost_node_knew_may_be_on_its_way_back() {
    let mut t = back_first();
    t.on(refused(2, '9', &t.id(1), "peer-unavailable"), []);
    let back = t.tell(discovered(2, '9'));
    assert!(back.contains(&format!("2 < offer 9 #1 n{} SDP", 500)), "as soon as it is told of: {back:?}");
}

#[test]
fn a_peer_that_does_not_come_back_is_unavailable_in_the_end() {
    let mut t = back_first();
    t.on(refused(2, '9', &t.id(1), "peer-unavailable"), []);
    let mut lines = Vec::new();
    while t.now < 20_000 && !lines.contains(&"! link 9 failed peer-unavailable".to_owned()) {
        let more = t.sleep();
        if more.iter().any(|line| line.contains("offer 9")) {
            lines.extend(t.tell(refused(2, '9', &t.id(1), "peer-unavailable")));
        }
        lines.extend(more);
        t.quietly([hello(2)]);
    }
    assert!(t.now < 20_000, "{lines:?}");
}

#[test]
fn a_refusal_of_something_unknown_concerns_nobody() {
    let mut t = offered();
    t.on(refused(1, '9', "other", "peer-unavailable"), []);
    t.on(refused(1, '8', &t.id(1), "peer-unavailable"), []);
}

#[test]
fn the_error_of_an_old_server_is_not_believed_as_it_comes_for_delivered_signals_too() {
    let mut t = offered();
    t.on(frame(1, &json!({"type": "error", "error": "Target not found", "originalType": "offer"})), []);
    t.on(frame(1, &json!({"type": "error", "error": "too large", "originalType": "announce", "code": "profile-too-large"})), ["! refused too large"]);
}

#[test]
fn back_from_a_freeze_an_unanswered_offer_is_said_again_at_once() {
    let mut t = offered();
    t.now = 1_000;
    t.on(
        Input::Resume,
        ["1 < ping", "2 < ping", "2 < offer 9 #1 n1 SDP", "2 < ice-candidate 9 #2 n1 c1", "! path 9 b"],
    );
}
