//! Who is there: the union over the sessions.

use pigeonhub_client_core::{Command, Input};
use serde_json::json;

use crate::table::*;

#[test]
fn a_peer_is_told_once_however_many_nodes_tell() {
    let mut t = Table::connected();
    t.on(discovered(1, '9'), [r#"! peer 9 at n {"name":"x"}"#]);
    t.on(discovered(2, '9'), []);
    t.on(discovered(1, '9'), []);
    assert_eq!(t.client.peers().count(), 1);
}

#[test]
fn a_changed_profile_is_told() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9')]);
    let data = json!({"peerId": peer('9'), "nodeId": "n", "name": "y"});
    let news = frame(1, &json!({"type": "peer-discovered", "networkName": "room", "data": data}));
    t.on(news, [r#"! peer 9 at n {"name":"y"}"#]);
}

#[test]
fn a_peer_that_is_away_is_told_as_such_and_is_back() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9')]);
    let data = json!({"peerId": peer('9'), "nodeId": "n", "name": "x", "away": true});
    let news = frame(1, &json!({"type": "peer-discovered", "networkName": "room", "data": data}));
    t.on(news, [r#"! peer 9 at n {"name":"x"} away"#]);
    t.on(discovered(1, '9'), [r#"! peer 9 at n {"name":"x"}"#]);
}

/// A node that has lost the peer does not hear at once that it is back.
#[test]
fn a_peer_is_away_only_if_all_nodes_say_so() {
    let mut t = Table::connected();
    let away = |session| {
        let data = json!({"peerId": peer('9'), "nodeId": "n", "name": "x", "away": true});
        frame(session, &json!({"type": "peer-discovered", "networkName": "room", "data": data}))
    };
    t.quietly([discovered(1, '9'), discovered(2, '9')]);
    t.on(away(1), []);
    t.on(away(2), [r#"! peer 9 at n {"name":"x"} away"#]);
    t.on(discovered(2, '9'), [r#"! peer 9 at n {"name":"x"}"#]);
    t.on(departed(2, '9'), [r#"! peer 9 at n {"name":"x"} away"#]);
}

/// A node says that the peer is at this node.
fn seen_at(session: u32, digit: char, node: &str) -> Input {
    let data = json!({"peerId": peer(digit), "nodeId": node, "name": "x"});
    frame(session, &json!({"type": "peer-discovered", "networkName": "room", "data": data}))
}

#[test]
fn a_peer_that_moved_to_another_node_is_told() {
    let mut t = Table::connected();
    t.quietly([seen_at(1, '9', "n")]);
    t.on(seen_at(1, '9', "m"), [r#"! peer 9 at m {"name":"x"}"#]);
    t.on(seen_at(1, '9', "m"), []);
    assert_eq!(t.client.peers().next().unwrap().node.as_str(), "m");
}

#[test]
fn a_peer_at_two_nodes_is_told_once_and_again_when_only_the_other_is_left() {
    let mut t = Table::connected();
    t.quietly([seen_at(1, '9', "n")]);
    for _ in 0..2 {
        t.on(seen_at(2, '9', "m"), []);
        t.on(seen_at(1, '9', "n"), []);
    }
    t.on(departed(1, '9'), [r#"! peer 9 at m {"name":"x"}"#]);
}

#[test]
fn the_word_of_a_node_that_is_there_counts_more_than_that_of_a_lost_one() {
    let mut t = Table::connected();
    t.quietly([seen_at(1, '9', "n"), closed(1, 1006)]);
    assert_eq!(t.client.peers().next().unwrap().node.as_str(), "n", "nobody knows better yet");
    t.on(seen_at(2, '9', "m"), [r#"! peer 9 at m {"name":"x"}"#]);
    assert!(!t.pass(9_000).concat().contains("peer 9"));
}

#[test]
fn a_peer_is_gone_when_it_is_gone_everywhere() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), discovered(2, '9')]);
    t.on(departed(1, '9'), []);
    t.on(departed(2, '9'), ["! gone 9"]);
    t.on(departed(2, '9'), []);
}

#[test]
fn a_dying_node_is_no_event() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), discovered(2, '8'), closed(1, 1006)]);
    while !t.sleep().contains(&"dial 3 a".into()) {}
    t.quietly([opened(3), discovered(3, '9')]);
    let lines = t.pass(9_000);
    t.quietly([hello(2), hello(3)]);
    let lines = [lines, t.pass(9_000)].concat();
    assert!(!lines.concat().contains("gone"), "{lines:?}");
}

#[test]
fn what_only_a_lost_node_knew_is_forgotten_after_a_while() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), closed(1, 1006)]);
    t.now += 9_000;
    t.quietly([hello(2)]);
    assert!(!t.pass(5_999).concat().contains("gone"));
    assert!(t.pass(1).contains(&"! gone 9".into()));
}

#[test]
fn a_live_node_knows_better_than_a_lost_one() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), discovered(2, '9'), closed(1, 1006)]);
    t.on(departed(2, '9'), ["! gone 9"]);
}

#[test]
fn without_any_node_nobody_is_forgotten() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), discovered(1, '9'), closed(1, 1006)]);
    let mut session = 1;
    while t.now < 120_000 {
        let lines = t.sleep();
        assert!(!lines.concat().contains("gone"), "{lines:?}");
        if lines.concat().contains("dial") {
            session += 1;
            t.quietly([closed(session, 1006)]);
        }
    }
    while !t.sleep().concat().contains("dial") {}
    t.quietly([opened(session + 1)]);
    assert!(t.pass(9_999).is_empty(), "the node has time to tell who is there");
}

#[test]
fn oneself_and_other_networks_are_nobody() {
    let mut t = Table::connected();
    t.on(discovered(1, OWN), []);
    let data = json!({"peerId": peer('9')});
    t.on(frame(1, &json!({"type": "peer-discovered", "networkName": "other", "data": data})), []);
    t.on(frame(1, &json!({"type": "peer-discovered", "data": data})), []);
    t.quietly([discovered(1, '9')]);
    t.on(frame(1, &json!({"type": "peer-disconnected", "networkName": "other", "data": data})), []);
    t.on(frame(1, &json!({"type": "goodbye", "networkName": "other", "fromPeerId": peer('9')})), []);
}

#[test]
fn a_departure_closes_no_link_but_a_goodbye_does() {
    let mut t = linked('9');
    t.on(departed(1, '9'), []);
    t.on(departed(2, '9'), ["! gone 9"]);
    t.on(goodbye(1, '9', 7), ["9/1 close", "! link 9 Closed"]);
}

#[test]
fn a_late_goodbye_does_not_end_what_began_since() {
    let mut t = Table::connected();
    t.quietly([discovered(1, '9'), discovered(2, '9')]);
    t.on(goodbye(1, '9', 7), ["! gone 9"]);
    t.quietly([discovered(1, '9'), dial('9')]);
    t.on(goodbye(2, '9', 7), []);
    t.on(goodbye(2, '9', 8), ["! gone 9", "9/1 close", "! link 9 Closed"]);
}
