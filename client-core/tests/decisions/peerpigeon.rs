//! Peers that are PeerPigeon's: no ids, no numbers, the wire as it is.

use pigeonhub_client_core::{Input, RtcInput};
use serde_json::{Value, json};

use crate::table::*;

fn theirs(session: u32, from: char, kind: &str, sdp: &str) -> Input {
    signal(session, from, kind, Value::Null, &json!({"type": kind, "sdp": sdp}))
}

fn their_candidate(session: u32, from: char, candidate: &str) -> Input {
    signal(session, from, "ice-candidate", Value::Null, &json!({"candidate": candidate, "sdpMid": "0"}))
}

#[test]
fn their_offer_is_answered_without_naming_a_number() {
    let mut t = Table::connected();
    t.quietly([theirs(1, '9', "offer", "OFFER")]);
    t.on(their_candidate(1, '9', "r1"), []);
    t.on(applied('9', 1), ["9/1 add r1"]);
    t.on(described_answer('9', 1, "SDP"), ["1 < answer 9 #1 n1 SDP"]);
    t.on(their_candidate(1, '9', "r2"), ["9/1 add r2"]);
}

#[test]
fn their_answer_is_taken_for_the_offer_that_is_out() {
    let mut t = Table::connected();
    t.on(theirs(1, '1', "answer", "ANSWER"), []);
    t.quietly([dial('1'), described_offer('1', 1, "SDP")]);
    t.on(their_candidate(1, '1', "r1"), []);
    t.on(theirs(1, '1', "answer", "ANSWER"), ["1/1 apply answer ANSWER"]);
    t.on(applied('1', 1), ["1/1 add r1"]);
    t.on(theirs(1, '1', "answer", "ANSWER"), []);
}

#[test]
fn what_they_have_heard_is_not_repeated_to_them() {
    let mut t = Table::connected();
    t.quietly([dial('1'), described_offer('1', 1, "SDP"), candidate('1', 1, "c1")]);
    t.quietly([theirs(1, '1', "answer", "ANSWER"), applied('1', 1)]);
    t.quietly([theirs(1, '9', "offer", "OFFER"), applied('9', 2), described_answer('9', 2, "SDP")]);
    assert_eq!(t.pass(9_000), Vec::<String>::new());
}

#[test]
fn identical_repeats_without_id_are_not_dropped() {
    let mut t = Table::connected();
    t.quietly([theirs(1, '9', "offer", "OFFER"), applied('9', 1), described_answer('9', 1, "SDP")]);
    t.on(their_candidate(1, '9', "r1"), ["9/1 add r1"]);
    t.on(their_candidate(1, '9', "r1"), ["9/1 add r1"]);
}

#[test]
fn at_first_contact_both_offer_and_the_greater_id_has_its_way() {
    let mut t = Table::connected();
    t.quietly([dial('1'), described_offer('1', 1, "SDP")]);
    t.on(theirs(1, '1', "offer", "OFFER"), []);
    t.on(theirs(1, '1', "answer", "ANSWER"), ["1/1 apply answer ANSWER"]);

    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    t.on(theirs(1, '9', "offer", "OFFER"), ["9/1 close", "9/2 create", "9/2 apply offer OFFER"]);
}

#[test]
fn they_throw_a_connection_away_and_offer_afresh() {
    let mut t = linked('9');
    let lines = t.tell(theirs(1, '9', "offer", "v=0\r\na=fingerprint:sha-256 AA\r\no=- new 1"));
    assert_eq!(lines[0], "9/1 close");
    assert_eq!(lines[2], "9/2 create");
}

#[test]
fn two_renegotiations_in_a_row_are_both_answered() {
    let mut t = linked('9');
    let text = |sdp| json!({"type": "signaling", "data": {"type": "renegotiation-offer", "data": {"type": "offer", "sdp": sdp}}, "fromPeerId": peer('9'), "timestamp": 1});
    let in_band = |sdp| rtc('9', 1, RtcInput::InBand(text(sdp).to_string()));
    t.on(in_band("o=- other 2"), ["9/1 apply offer o=- other 2", "! path 9 in-band"]);
    t.on(in_band("o=- other 3"), []);
    t.quietly([applied('9', 1)]);
    t.on(
        described_answer('9', 1, "o=- own 2"),
        ["9/1 in-band renegotiation-answer n2 o=- own 2", "9/1 apply offer o=- other 3"],
    );
    t.quietly([applied('9', 1)]);
    t.on(described_answer('9', 1, "o=- own 3"), ["9/1 in-band renegotiation-answer n3 o=- own 3"]);
}

#[test]
fn a_renegotiation_through_nodes_is_answered_in_kind() {
    let mut t = linked('9');
    let data = json!({"type": "offer", "sdp": "o=- other 2"});
    t.on(signal(1, '9', "renegotiation-offer", Value::Null, &data), ["9/1 apply offer o=- other 2"]);
    t.quietly([applied('9', 1)]);
    t.on(described_answer('9', 1, "o=- own 2"), ["1 < renegotiation-answer 9 #2 n2 o=- own 2"]);
}
