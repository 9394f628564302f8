//! What comes twice, or too late, or of something that is over.

use pigeonhub_client_core::{Command, Description, RtcInput};
use serde_json::json;

use crate::table::*;

#[test]
fn repeats_are_dropped() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER"), applied('9', 1), described_answer('9', 1, "SDP")]);
    t.on(remote_candidate(1, '9', 70, "r1"), ["9/1 add r1"]);
    t.on(remote_candidate(2, '9', 70, "r1"), []);
}

#[test]
fn a_repeated_offer_is_answered_again_by_the_way_that_it_came() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER"), applied('9', 1)]);
    t.on(offer(2, '9', 70, "OFFER"), ["! path 9 b"]);
    t.on(described_answer('9', 1, "SDP"), ["2 < answer 9 #1 n1 a70 SDP"]);
    t.quietly([candidate('9', 1, "c1")]);
    t.on(
        offer(1, '9', 70, "OFFER"),
        ["1 < answer 9 #1 n1 a70 SDP", "1 < ice-candidate 9 #2 n1 c1", "! path 9 a"],
    );
}

#[test]
fn a_repeated_answer_is_dropped() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP"), answer(1, '9', 70, 1, "ANSWER")]);
    t.on(answer(1, '9', 70, 1, "ANSWER"), []);
    t.quietly([applied('9', 1)]);
    t.on(answer(1, '9', 70, 1, "ANSWER"), []);
}

#[test]
fn the_answer_to_an_earlier_offer_is_too_late() {
    let mut t = linked('1');
    t.quietly([rtc('1', 1, RtcInput::NegotiationNeeded), described_offer('1', 1, "o=- own 2")]);
    t.on(answer(1, '1', 101, 1, "o=- other 2"), ["! path 1 a"]);
    t.on(answer(1, '1', 102, 2, "o=- other 2"), ["1/1 apply answer o=- other 2"]);
}

#[test]
fn an_offer_from_before_the_last_one_is_too_late() {
    let mut t = linked('9');
    t.quietly([offer(1, '9', 110, "o=- other 2"), applied('9', 1), described_answer('9', 1, "o=- own 2")]);
    t.on(offer(1, '9', 105, "o=- other 1"), []);
}

#[test]
fn candidates_of_an_earlier_description_are_too_late() {
    let mut t = linked('9');
    t.quietly([offer(1, '9', 110, "o=- other 2"), remote_candidate(1, '9', 100, "old")]);
    t.on(applied('9', 1), []);
    t.on(remote_candidate(1, '9', 105, "old"), []);
}

#[test]
fn an_offer_of_a_new_connection_replaces_the_old_one() {
    let mut t = linked('1');
    t.on(
        offer(1, '1', 200, "o=- new 1"),
        ["1/1 close", "! link 1 Interrupted", "1/2 create", "1/2 apply offer o=- new 1"],
    );
    t.on(rtc('1', 1, RtcInput::ChannelClosed), []);
    t.quietly([applied('1', 2), described_answer('1', 2, "o=- own 1")]);
    t.on(channel_opened('1', 2), ["! link 1 Connected"]);
}

#[test]
fn an_offer_of_the_same_connection_renegotiates() {
    let mut t = linked('1');
    t.on(offer(2, '1', 200, "o=- other 2"), ["1/1 apply offer o=- other 2", "! path 1 b"]);
}

#[test]
fn a_new_connection_wins_over_an_own_offer_in_flight() {
    let mut t = linked('1');
    t.quietly([rtc('1', 1, RtcInput::NegotiationNeeded), described_offer('1', 1, "o=- own 2")]);
    let lines = t.tell(offer(1, '1', 200, "o=- new 1"));
    assert!(lines.contains(&"1/2 apply offer o=- new 1".into()), "{lines:?}");
}

#[test]
fn a_page_that_was_loaded_again_after_its_clock_was_set_back_is_heard() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 10_000_000, "o=- one 1"), applied('9', 1), described_answer('9', 1, "SDP")]);
    let lines = t.tell(offer(1, '9', 6_400_000, "o=- two 1"));
    assert!(lines.contains(&"9/2 apply offer o=- two 1".into()), "{lines:?}");
}

#[test]
fn an_answer_of_a_new_connection_begins_afresh() {
    let mut t = linked('1');
    t.quietly([rtc('1', 1, RtcInput::NegotiationNeeded), described_offer('1', 1, "o=- own 2")]);
    t.on(
        answer(1, '1', 200, 2, "o=- new 1"),
        ["1/1 close", "! link 1 Interrupted", "1/2 create with channel", "1/2 offer", "! path 1 a"],
    );
}

#[test]
fn news_of_an_earlier_connection_is_none() {
    let mut t = linked('1');
    t.quietly([offer(1, '1', 200, "o=- new 1")]);
    let description = Description { is_offer: false, sdp: "SDP".into() };
    for input in [RtcInput::Applied, RtcInput::Described(description), RtcInput::ChannelOpened] {
        t.on(rtc('1', 1, input), []);
    }
}

#[test]
fn who_was_hung_up_on_does_not_come_back_by_repairing() {
    let mut t = linked('9');
    t.quietly([command(Command::Hangup(peer('9')))]);
    t.on(offer(1, '9', 500, "o=- other 2"), []);
    let lines = t.tell(offer(1, '9', 501, "o=- new 1"));
    assert_eq!(lines.first().map(String::as_str), Some("! incoming 9"), "but by a new call");
}

#[test]
fn who_answers_a_dial_that_was_given_up_does_not_come_back_by_repairing() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP"), command(Command::Hangup(peer('9')))]);
    t.on(answer(1, '9', 70, 1, "o=- other 1"), []);
    t.on(offer(1, '9', 15_070, "o=- other 2"), []);
}

#[test]
fn a_late_repeat_of_an_offer_opens_no_link_again() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER"), command(Command::Hangup(peer('9')))]);
    t.on(offer(2, '9', 70, "OFFER"), []);
    t.on(signal(2, '9', "offer", "another-id", &json!({"type": "offer", "sdp": "X", "negotiation": 60})), []);
}

#[test]
fn the_smaller_id_yields_to_an_offer_whose_answer_was_lost() {
    let mut t = linked('9');
    t.quietly([offer(1, '9', 110, "o=- other 2"), applied('9', 1), described_answer('9', 1, "o=- own 2")]);
    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), described_offer('9', 1, "o=- own 3")]);
    t.on(offer(2, '9', 110, "o=- other 2"), ["9/1 apply offer o=- other 2", "! path 9 b"]);
}
