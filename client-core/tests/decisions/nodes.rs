//! Which nodes to be on: head start, replacement, back-off, keepalive.

use pigeonhub_client_core::{Command, Input, NodeState, NodeUrl, Options, SessionId, SessionInput};
use serde_json::json;

use crate::table::*;

#[test]
fn the_best_node_has_a_head_start() {
    let mut t = Table::new(&["a", "b", "c"]);
    t.on(command(Command::Start), ["dial 1 a", "! node a Dialing"]);
    t.now = 149;
    t.on(Input::Tick, []);
    assert_eq!(t.sleep(), ["dial 2 b", "! node b Dialing"]);
    assert_eq!(t.now, 150);
}

#[test]
fn once_the_best_is_there_the_next_needs_no_waiting() {
    let mut t = Table::new(&["a", "b", "c"]);
    t.quietly([command(Command::Start)]);
    t.on(opened(1), ["! node a Open", "1 < announce", "1 < ping", "dial 2 b", "! node b Dialing"]);
    t.on(opened(2), ["! node b Open", "2 < announce", "2 < ping"]);
}

#[test]
fn the_hub_is_ready_with_the_first_word_of_a_node_and_only_once() {
    let mut t = Table::new(&["a", "b"]);
    t.quietly([command(Command::Start), opened(1), opened(2)]);
    t.on(hello(1), ["! ready", "! node a node-1 Open"]);
    t.on(hello(2), ["! node b node-2 Open"]);
    t.on(hello(2), []);
}

#[test]
fn a_slow_dial_is_raced_by_the_next_node_and_given_up_when_there_are_enough() {
    let mut t = Table::new(&["a", "b", "c"]);
    t.quietly([command(Command::Start)]);
    t.now = 150;
    t.quietly([Input::Tick, opened(2)]);
    assert_eq!(t.pass(1_850), ["dial 3 c", "! node c Dialing"], "2 s after the dial of a");
    t.on(opened(3), ["! node c Open", "3 < announce", "3 < ping", "hangup 1", "! node a Idle"]);
    t.on(opened(1), []);
}

#[test]
fn a_dial_that_never_ends_is_ended() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start)]);
    assert_eq!(t.pass(10_000), ["hangup 1", "! node a Down"]);
}

#[test]
fn a_lost_node_is_replaced_at_once() {
    let mut t = Table::new(&["a", "b", "c"]);
    t.quietly([command(Command::Start), opened(1), opened(2)]);
    t.on(closed(2, 1006), ["! node b Down", "dial 3 c", "! node c Dialing"]);
}

#[test]
fn a_node_that_stops_names_others_to_a_client_that_is_on_none() {
    let says = |session, reason: &str| {
        Input::Session(SessionId(session), SessionInput::Closed { code: 1012, reason: reason.into() })
    };
    let reason = "Server shutting down; wss://b.example junk javascript://x";
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello(1)]);
    let expected = ["! node a node-1 Down", "dial 2 wss://b.example", "! node wss://b.example Dialing"];
    t.on(says(1, reason), expected);

    let mut t = Table::connected();
    t.on(says(1, reason), ["! node a node-1 Down"]);
}

#[test]
fn the_only_node_is_back_within_a_second_of_its_return() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello(1)]);
    t.on(closed(1, 1012), ["! node a node-1 Down"]);
    let mut session = 1;
    for _ in 0..50 {
        let before = t.now;
        session += 1;
        assert_eq!(t.sleep(), [format!("dial {session} a"), "! node a node-1 Dialing".into()]);
        assert!(t.now - before <= 1_000, "waited {} ms", t.now - before);
        t.on(closed(session, 1006), ["! node a node-1 Down"]);
    }
}

#[test]
fn a_node_that_stays_away_while_another_serves_is_asked_less_and_less_but_for_ever() {
    let mut t = Table::connected();
    t.quietly([closed(2, 1006)]);
    let (mut session, mut waits) = (2, Vec::new());
    while waits.len() < 40 {
        let before = t.now;
        session += 1;
        let dialled = format!("dial {session} b");
        while !t.sleep().contains(&dialled) {
            t.quietly([hello(1)]);
        }
        waits.push(t.now - before);
        t.quietly([closed(session, 1006)]);
    }
    let average = |waits: &[u64]| waits.iter().sum::<u64>() / waits.len() as u64;
    assert!(waits.iter().all(|wait| *wait <= 30_000));
    assert!(average(&waits[..4]) < 3_000 && average(&waits[10..]) > 8_000, "{waits:?}");
}

#[test]
fn when_the_last_node_is_lost_long_rests_are_cut_short() {
    let mut t = Table::connected();
    for session in 2..9 {
        t.quietly([closed(session, 1006)]);
        t.now += 30_000;
        t.quietly([Input::Tick, hello(1)]);
    }
    t.quietly([closed(9, 1006), closed(1, 1006)]);
    let before = t.now;
    while !t.sleep().iter().any(|line| line.starts_with("dial") && line.ends_with(" b")) {}
    assert!(t.now - before <= 1_000);
}

#[test]
fn a_node_that_refuses_the_id_is_not_pestered_and_the_app_hears_of_it() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1)]);
    t.on(closed(1, 1008), ["! refused why", "! node a Down"]);
    let mut dials = 0;
    while t.now < 60_000 {
        t.sleep();
        dials += 1;
        t.quietly([opened(1 + dials), closed(1 + dials, 1008)]);
    }
    assert!((3..20).contains(&dials), "{dials} dials in a minute, though each of them opens");
}

#[test]
fn a_node_that_refuses_the_id_rests_longer_than_one_that_is_down() {
    let longest = |code| {
        let rests = (0..50).map(|seed| {
            let mut t = Table::new(&["a"]);
            t.seed = seed * 100;
            t.quietly([command(Command::Start), opened(1), closed(1, code)]);
            t.wake.unwrap_or_default()
        });
        rests.max().unwrap_or_default()
    };
    assert!(longest(1006) <= 500 && (2_000..=4_000).contains(&longest(1008)));
}

#[test]
fn a_node_that_never_failed_is_preferred_to_a_better_one_that_did() {
    let mut t = Table::new(&["a", "b", "c", "d"]);
    t.quietly([command(Command::Start), closed(1, 1006), opened(2), opened(3)]);
    t.now = 9_000;
    t.quietly([hello(2), hello(3)]);
    t.on(closed(2, 1006), ["! node b node-2 Down", "dial 4 d", "! node d Dialing"]);
}

#[test]
fn a_silent_node_is_pinged_and_then_given_up() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1)]);
    t.now = 4_000;
    t.quietly([hello(1)]);
    assert_eq!(t.sleep(), ["1 < ping"]);
    assert_eq!(t.now, 14_000, "ten seconds after its last word");
    assert_eq!(t.sleep(), ["hangup 1", "! node a node-1 Down"]);
    assert_eq!(t.now, 19_000);
}

#[test]
fn any_frame_shows_that_a_node_is_there() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello(1)]);
    assert_eq!(t.sleep(), ["1 < ping"]);
    t.on(frame(1, &json!({"type": "something-new"})), []);
    assert_eq!(t.sleep(), ["1 < ping"], "and not given up");
    assert_eq!(t.now, 20_000);
}

#[test]
fn after_a_frozen_time_a_node_is_asked_before_it_is_given_up() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello(1)]);
    t.now = 3_600_000;
    t.on(Input::Tick, ["1 < ping"]);
    t.on(frame(1, &json!({"type": "pong", "targetPeerId": peer(OWN)})), []);
}

#[test]
fn resuming_cuts_rests_short_and_asks_open_nodes() {
    let mut t = Table::connected();
    t.quietly([closed(2, 1008)]);
    t.on(Input::Resume, ["1 < ping", "dial 3 b", "! node b node-2 Dialing"]);
    assert_eq!(t.pass(4_999), Vec::<String>::new());
    assert!(t.pass(1).contains(&"hangup 1".into()), "no answer within 5 s");
}

#[test]
fn a_page_that_is_frozen_says_that_it_is_away_and_back_that_it_is_not() {
    let mut t = Table::new(&["a", "b", "c"]);
    t.quietly([command(Command::Start), opened(1), opened(2), hello(1), hello(2)]);
    t.on(Input::Freeze, ["1 < announce away true", "2 < announce away true"]);
    t.on(Input::Freeze, []);
    t.quietly([closed(2, 1006)]);
    t.on(opened(3), ["! node c Open", "3 < announce away true", "3 < ping"]);
    t.on(Input::Resume, ["1 < announce", "3 < announce", "1 < ping", "3 < ping"]);
    t.on(Input::Resume, ["1 < ping", "3 < ping"]);
}

/// The greeting of node `a`, with a ticket.
fn hello_with(session: u32, ticket: &str) -> Input {
    let data = json!({"peerId": peer(OWN), "nodeId": "node-1", "ticket": ticket});
    frame(session, &json!({"type": "connected", "data": data}))
}

#[test]
fn the_next_socket_shows_the_ticket_of_the_last_one() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1), hello_with(1, "t1"), closed(1, 1006)]);
    assert_eq!(t.sleep(), ["dial 2 a with t1", "! node a node-1 Dialing"]);
    t.quietly([closed(2, 1006)]);
    assert_eq!(t.sleep()[0], "dial 3 a with t1", "until there is another one");
    t.quietly([opened(3), hello_with(3, "t3"), closed(3, 1006)]);
    assert_eq!(t.sleep()[0], "dial 4 a with t3");
    t.quietly([opened(4), hello(4), closed(4, 1006)]);
    assert_eq!(t.sleep()[0], "dial 5 a", "it is another node by now");
}

#[test]
fn a_ticket_is_shown_to_nobody_but_its_node() {
    let mut t = Table::new(&["a", "b"]);
    t.quietly([command(Command::Start), opened(1), hello_with(1, "t1")]);
    t.quietly([closed(2, 1006)]);
    while !t.sleep().iter().any(|line| line == "dial 3 b") {
        t.quietly([hello_with(1, "t1")]);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_a_dead_node() {
    let mut t = Table::new(&["a"]);
    t.now = 10_000_000;
    t.quietly([command(Command::Start), opened(1), hello(1)]);
    t.now = 1_000;
    t.on(Input::Tick, []);
    assert_eq!(t.wake, Some(11_000));
    assert_eq!(t.sleep(), ["1 < ping"]);
}

#[test]
fn nodes_come_and_go_as_the_app_wants() {
    let mut t = Table::new(&["a"]);
    t.quietly([command(Command::Start), opened(1)]);
    t.on(command(Command::AddNode(NodeUrl("b".into()))), ["dial 2 b", "! node b Dialing"]);
    t.on(command(Command::AddNode(NodeUrl("b".into()))), []);
    t.on(command(Command::RemoveNode(NodeUrl("a".into()))), ["! node a Idle", "hangup 1"]);
    assert_eq!(
        t.client.nodes().map(|node| (node.url.0, node.state)).collect::<Vec<_>>(),
        [("b".into(), NodeState::Dialing)]
    );
}

#[test]
fn the_app_says_how_many_nodes() {
    let nodes = ["a", "b", "c"].map(|url| NodeUrl(url.into())).to_vec();
    let options = Options { sessions: 1, ..Options::new(peer(OWN), "room".parse().unwrap(), nodes) };
    let mut t = Table::with(options);
    t.quietly([command(Command::Start)]);
    t.on(opened(1), ["! node a Open", "1 < announce", "1 < ping"]);
}

#[test]
fn a_new_profile_is_announced_everywhere() {
    let mut t = Table::connected();
    let profile = raw(&json!({"name": "Ann"}));
    t.on(command(Command::SetProfile(profile)), ["1 < announce Ann", "2 < announce Ann"]);
    t.quietly([closed(2, 1006)]);
    while !t.sleep().contains(&"dial 3 b".into()) {}
    t.on(opened(3), ["! node b node-2 Open", "3 < announce Ann", "3 < ping"]);
}

#[test]
fn closing_says_goodbye_and_then_nothing_any_more() {
    let mut t = linked('9');
    t.on(
        command(Command::Close),
        [
            "9/1 close",
            "! link 9 Closed",
            "1 < goodbye",
            "hangup 1",
            "! node a node-1 Idle",
            "2 < goodbye",
            "hangup 2",
            "! node b node-2 Idle",
        ],
    );
    for input in [Input::Tick, Input::Resume, command(Command::Start), dial('9'), opened(1)] {
        t.on(input, []);
    }
}

#[test]
fn the_host_is_asked_to_wake_only_when_the_time_changed_and_again_after_a_tick() {
    let mut t = Table::connected();
    assert_eq!(t.wake.take(), Some(10_000));
    t.quietly([discovered(1, '9')]);
    assert_eq!(t.wake, None, "still the same time");
    t.now = 5_000;
    t.quietly([Input::Tick]);
    assert_eq!(t.wake, Some(10_000), "a tick came too early");
}
