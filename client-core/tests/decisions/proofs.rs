//! Who is who: what goes out is signed, and who has a key is believed nothing without it.

use pigeonhub_client_core::{Command, Input, NodeUrl, Options};
use serde_json::{Value, json};

use crate::table::*;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// A client with the key `K`, on the nodes `a` (session 1) and `b` (session 2).
fn keyed() -> Table {
    let mut t = Table::with(Options { key: Some("K".into()), ..options() });
    t.now = DAY;
    t.quietly([command(Command::Start), signed(1, "S"), opened(1), opened(2), hello(1), hello(2)]);
    t
}

fn options() -> Options {
    let nodes = ["a", "b"].map(|url| NodeUrl(url.into()));
    Options::new(peer(OWN), "room".parse().unwrap(), nodes.into())
}

fn signed(number: u32, signature: &str) -> Input {
    Input::Signed { number, signature: Some(signature.into()) }
}

fn verified(number: u32, holds: bool) -> Input {
    Input::Verified { number, holds }
}

fn with_proof(mut data: Value, timestamp: u64) -> Value {
    data["proof"] = json!({"key": "k", "timestamp": timestamp, "signature": "s"});
    data
}

/// A node tells of a peer that has a key.
fn proven(session: u32, digit: char, name: &str, timestamp: u64) -> Input {
    let data = json!({"peerId": peer(digit), "nodeId": "n", "isHub": false, "away": false, "name": name});
    let data = with_proof(data, timestamp);
    frame(session, &json!({"type": "peer-discovered", "networkName": "room", "data": data}))
}

fn proven_offer(session: u32, from: char, number: u64, sdp: &str) -> Input {
    let data = with_proof(json!({"type": "offer", "sdp": sdp, "negotiation": number}), DAY + number);
    signal(session, from, "offer", format!("{from}-{number}"), &data)
}

/// A client that knows that `9…` has a key.
fn acquainted() -> Table {
    let mut t = Table::connected();
    t.now = DAY;
    t.quietly([proven(1, '9', "x", DAY), verified(1, true)]);
    t
}

#[test]
fn a_profile_is_signed_once_and_told_to_every_node() {
    let mut t = Table::with(Options { key: Some("K".into()), ..options() });
    t.now = 7;
    t.on(command(Command::Start), ["sign 1 announce @7", "dial 1 a", "! node a Dialing"]);
    t.on(opened(1), ["! node a Open", "1 < ping", "dial 2 b", "! node b Dialing"]);
    t.on(signed(1, "S"), ["1 < announce S"]);
    t.on(opened(2), ["! node b Open", "2 < announce S", "2 < ping"]);
    t.on(Input::Freeze, ["1 < announce S away true", "2 < announce S away true"]);
}

#[test]
fn a_new_profile_is_told_when_it_is_signed() {
    let mut t = keyed();
    t.on(
        command(Command::SetProfile(raw(&json!({"name": "y", "proof": 1, "away": 2})))),
        ["sign 2 announce @86400000 y"],
    );
    t.on(Input::Freeze, ["1 < announce S away true", "2 < announce S away true"]);
    t.on(Input::Resume, ["1 < announce S", "2 < announce S", "1 < ping", "2 < ping"]);
    t.on(signed(2, "T"), ["1 < announce y T", "2 < announce y T"]);
}

#[test]
fn a_profile_is_signed_anew_before_its_proof_is_too_old() {
    let mut t = keyed();
    t.now += DAY / 2;
    let lines = t.tell(Input::Tick);
    assert!(lines.contains(&"sign 2 announce @129600000".into()), "{lines:?}");
}

#[test]
fn signals_go_out_signed_and_in_order() {
    let mut t = keyed();
    t.quietly([discovered(1, '9'), dial('9')]);
    t.on(described_offer('9', 1, "O"), ["sign 2 offer to 9 @86400000 n86400000 O", "! path 9 a"]);
    t.on(candidate('9', 1, "C"), ["sign 3 ice-candidate to 9 @86400000 n86400000 C"]);
    t.on(signed(3, "S3"), []);
    t.on(signed(2, "S2"), ["1 < offer 9 #1 n86400000 O S2", "1 < ice-candidate 9 #2 n86400000 C S3"]);
}

#[test]
fn what_a_lost_session_was_to_carry_is_signed_for_the_next() {
    let mut t = keyed();
    t.quietly([discovered(1, '9'), dial('9'), described_offer('9', 1, "O")]);
    let lines = t.tell(closed(1, 1006));
    assert!(lines.contains(&"sign 3 offer to 9 @86400000 n86400000 O".into()), "{lines:?}");
    t.on(signed(2, "S2"), []);
    t.on(signed(3, "S3"), ["2 < offer 9 #1 n86400000 O S3"]);
}

#[test]
fn who_cannot_sign_goes_on_without() {
    let mut t = Table::with(Options { key: Some("K".into()), ..options() });
    t.quietly([command(Command::Start), opened(1)]);
    t.on(Input::Signed { number: 1, signature: None }, ["1 < announce"]);
    t.quietly([hello(1), discovered(1, '9'), dial('9')]);
    let lines = t.tell(described_offer('9', 1, "O"));
    assert_eq!(lines, ["1 < offer 9 #1 n1 O", "! path 9 a"]);
}

#[test]
fn a_proven_peer_is_told_as_verified() {
    let mut t = Table::connected();
    t.now = DAY;
    t.on(proven(1, '9', "x", DAY - 5), ["verify 1 9 announce @86399995 x k s"]);
    t.on(verified(1, true), [r#"! peer 9 at n {"name":"x"} verified"#]);
}

#[test]
fn a_proof_that_cannot_be_checked_is_none() {
    let mut t = Table::connected();
    t.now = DAY;
    t.quietly([proven(1, '9', "x", DAY)]);
    t.on(Input::Unchecked { number: 1 }, [r#"! peer 9 at n {"name":"x"}"#]);
}

#[test]
fn a_forged_proof_is_no_news() {
    let mut t = Table::connected();
    t.now = DAY;
    t.quietly([proven(1, '9', "x", DAY)]);
    t.on(verified(1, false), []);
    t.quietly([proven_offer(1, '9', 1, "O")]);
    t.on(verified(2, false), ["! refused the sender did not prove who it is"]);
    assert_eq!(t.client.peers().count(), 0);
}

#[test]
fn a_proof_of_another_day_is_none() {
    let mut t = Table::connected();
    t.now = 2 * DAY;
    t.on(proven(1, '9', "x", DAY - 1), [r#"! peer 9 at n {"name":"x"}"#]);
    t.on(proven(1, '8', "x", 3 * DAY + 1), [r#"! peer 8 at n {"name":"x"}"#]);
}

#[test]
fn who_has_a_key_is_believed_nothing_without_it() {
    let mut t = acquainted();
    t.on(discovered(2, '9'), []);
    t.on(offer(2, '9', 1, "O"), ["! refused the sender did not prove who it is"]);
    t.on(remote_candidate(2, '9', 1, "C"), ["! refused the sender did not prove who it is"]);
    t.on(departed(1, '9'), ["! gone 9"]);
    t.on(discovered(1, '9'), []);
}

#[test]
fn what_others_say_waits_for_nobody_but_who_spoke_before() {
    let mut t = Table::connected();
    t.now = DAY;
    t.on(proven(1, '9', "x", DAY), ["verify 1 9 announce @86400000 x k s"]);
    t.on(discovered(1, '8'), []);
    t.on(proven(1, '7', "x", DAY), ["verify 2 7 announce @86400000 x k s"]);
    t.on(verified(2, true), []);
    t.on(
        verified(1, true),
        [
            r#"! peer 9 at n {"name":"x"} verified"#,
            r#"! peer 8 at n {"name":"x"}"#,
            r#"! peer 7 at n {"name":"x"} verified"#,
        ],
    );
}

/// Its word went with the session, or the peer would never be forgotten.
#[test]
fn who_a_lost_session_told_of_is_not_told() {
    let mut t = Table::connected();
    t.now = DAY;
    t.quietly([proven(1, '9', "x", DAY), closed(1, 1006)]);
    t.on(verified(1, true), []);
}

#[test]
fn of_two_profiles_the_one_that_was_signed_later_counts() {
    let mut t = acquainted();
    t.quietly([proven(2, '9', "old", DAY - 9)]);
    t.on(verified(2, true), []);
    t.quietly([proven(2, '9', "new", DAY + 1)]);
    t.on(verified(3, true), [r#"! peer 9 at n {"name":"new"} verified"#]);
}

#[test]
fn a_link_is_verified_by_its_description() {
    let mut t = Table::connected();
    t.now = DAY;
    t.quietly([proven_offer(1, '9', 1, "O")]);
    assert!(!t.client.is_link_verified(peer('9')));
    t.quietly([verified(1, true)]);
    assert!(t.client.is_link_verified(peer('9')));
    t.quietly([offer(1, '8', 1, "O")]);
    assert!(t.client.link_state(peer('8')).is_some() && !t.client.is_link_verified(peer('8')));
}

#[test]
fn an_answer_verifies_the_link_too() {
    let mut t = acquainted();
    t.quietly([dial('9'), described_offer('9', 1, "O")]);
    let data = json!({"type": "answer", "sdp": "A", "negotiation": 5, "answers": DAY});
    t.on(signal(1, '9', "answer", "m", &data), ["! refused the sender did not prove who it is"]);
    t.quietly([signal(1, '9', "answer", "m", &with_proof(data, DAY))]);
    assert!(!t.client.is_link_verified(peer('9')));
    let lines = t.tell(verified(2, true));
    assert!(lines.contains(&"9/1 apply answer A".into()), "{lines:?}");
    assert!(t.client.is_link_verified(peer('9')));
}

#[test]
fn a_signed_message_counts_once() {
    let mut t = acquainted();
    t.quietly([proven_offer(1, '9', 1, "O")]);
    let lines = t.tell(verified(2, true));
    assert!(lines.contains(&"9/1 apply offer O".into()), "{lines:?}");
    t.quietly([command(Command::Hangup(peer('9'))), proven_offer(2, '9', 1, "O")]);
    t.on(verified(3, true), []);
}

/// Without an id nobody could tell.
#[test]
fn a_proof_without_an_id_is_none() {
    let mut t = Table::connected();
    t.now = DAY;
    let data = with_proof(json!({"type": "offer", "sdp": "O"}), DAY);
    let lines = t.tell(signal(1, '9', "offer", Value::Null, &data));
    assert!(lines.contains(&"! incoming 9".into()), "{lines:?}");
    assert!(!t.client.is_link_verified(peer('9')));
}

#[test]
fn an_app_may_want_proven_peers_only() {
    let mut t = Table::with(Options { require_verified: true, ..options() });
    t.now = DAY;
    t.quietly([command(Command::Start), opened(1), opened(2), hello(1), hello(2)]);
    t.on(discovered(1, '8'), []);
    t.on(offer(1, '8', 1, "O"), ["! refused the sender did not prove who it is"]);
    t.quietly([proven(1, '9', "x", DAY)]);
    t.on(verified(1, true), [r#"! peer 9 at n {"name":"x"} verified"#]);
}

/// A node could say it in the name of anybody.
#[test]
fn a_goodbye_of_who_has_a_key_ends_no_connection() {
    let mut t = acquainted();
    t.quietly([
        proven_offer(1, '9', 1, "O"),
        verified(2, true),
        applied('9', 1),
        described_answer('9', 1, "A"),
    ]);
    t.quietly([channel_opened('9', 1)]);
    t.on(goodbye(1, '9', 5), ["! gone 9"]);
    assert!(t.client.is_link_verified(peer('9')));
}
