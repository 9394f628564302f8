//! A node that falls silent: a ping goes with what it carries, and no pong means another way.

use crate::table::*;

/// A client whose nodes answered their first ping after so many milliseconds.
fn measured(took: u64) -> Table {
    let mut t = Table::connected();
    t.now = took;
    t.quietly([pong(1), pong(2)]);
    t
}

#[test]
fn what_a_silent_node_carried_is_said_through_the_other_in_a_moment() {
    let mut t = measured(10);
    t.quietly([dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n10 SDP", "! path 9 a", "1 < ping"]);
    t.on(candidate('9', 1, "c1"), ["1 < ice-candidate 9 #2 n10 c1"]);
    assert_eq!(t.pass(149), Vec::<String>::new());
    let repeat = ["2 < offer 9 #1 n10 SDP", "2 < ice-candidate 9 #2 n10 c1", "! path 9 b", "2 < ping"];
    assert_eq!(t.pass(1), repeat);
    t.on(candidate('9', 1, "c2"), ["2 < ice-candidate 9 #3 n10 c2"]);
    t.quietly([pong(2)]);
    assert!(t.pass(5_000).contains(&"hangup 1".into()), "and it is given up when it stays silent");
}

#[test]
fn an_offer_that_a_node_took_and_nobody_answers_is_soon_said_through_the_other() {
    let mut t = measured(10);
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    t.now += 20;
    t.on(pong(1), []);
    assert_eq!(t.pass(479), Vec::<String>::new(), "the node that answers is not doubted");
    assert_eq!(t.pass(1), ["2 < offer 9 #1 n10 SDP", "! path 9 b", "2 < ping"]);
    t.quietly([pong(2)]);
    assert_eq!(t.pass(1_499), Vec::<String>::new());
    assert!(t.pass(1).contains(&"1 < offer 9 #1 n10 SDP".into()));
}

#[test]
fn peers_have_more_time_to_answer_where_nodes_are_far_away() {
    let mut t = measured(100);
    t.quietly([dial('9'), described_offer('9', 1, "SDP"), pong(1)]);
    assert_eq!(t.pass(999), Vec::<String>::new());
    assert!(t.pass(1).contains(&"2 < offer 9 #1 n100 SDP".into()));
}

#[test]
fn what_silent_nodes_carried_is_said_through_the_first_that_answers() {
    let mut t = measured(10);
    t.quietly([offer(2, '8', 70, "OFFER"), applied('8', 1), described_answer('8', 1, "ANSWER")]);
    t.quietly([dial('9'), described_offer('9', 2, "SDP")]);
    assert_eq!(t.pass(160), Vec::<String>::new(), "there is no better way");
    t.on(pong(2), ["2 < offer 9 #2 n11 SDP", "! path 9 b", "2 < ping"]);
}

#[test]
fn a_slow_node_has_more_time() {
    let mut t = measured(200);
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    assert_eq!(t.pass(849), Vec::<String>::new());
    assert!(t.pass(1).contains(&"2 < offer 9 #1 n200 SDP".into()));
}

#[test]
fn a_pong_that_comes_late_makes_the_node_as_good_as_before_and_its_time_longer() {
    let mut t = measured(10);
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    t.pass(200);
    t.quietly([pong(2)]);
    t.pass(210);
    t.quietly([pong(1), answer(2, '9', 70, 10, "ANSWER"), applied('9', 1), channel_opened('9', 1)]);
    t.quietly([dial('8')]);
    t.on(described_offer('8', 2, "SDP"), ["1 < offer 8 #2 n420 SDP", "! path 8 a", "1 < ping"]);
    assert_eq!(t.pass(800), Vec::<String>::new());
}

#[test]
fn servers_that_never_answered_a_ping_get_none_with_their_signals() {
    let mut t = Table::connected();
    t.quietly([dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n1 SDP", "! path 9 a"]);
}

#[test]
fn who_is_on_one_node_only_asks_nothing() {
    let mut t = measured(10);
    t.quietly([closed(2, 1006), dial('9')]);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n10 SDP", "! path 9 a"]);
}
