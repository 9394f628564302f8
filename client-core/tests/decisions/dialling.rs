//! From a dial to a connection: offers, answers, candidates, glare.

use pigeonhub_client_core::{Command, ConnectionState, Input, RtcInput};
use serde_json::json;

use crate::table::*;

#[test]
fn a_dial_offers_with_a_channel() {
    let mut t = Table::connected();
    t.on(dial('9'), ["! link 9 Connecting", "9/1 create with channel", "9/1 offer"]);
    t.on(dial('9'), []);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n1 SDP", "! path 9 a"]);
    t.on(candidate('9', 1, "c1"), ["1 < ice-candidate 9 #2 n1 c1"]);
    t.on(answer(1, '9', 70, 1, "ANSWER"), ["9/1 apply answer ANSWER"]);
    t.on(applied('9', 1), []);
    t.on(remote_candidate(1, '9', 70, "r1"), ["9/1 add r1"]);
    t.on(state('9', 1, ConnectionState::Connected), []);
    t.on(channel_opened('9', 1), ["! link 9 Connected"]);
}

#[test]
fn an_offer_is_answered() {
    let mut t = Table::connected();
    t.on(
        offer(2, '9', 70, "OFFER"),
        ["! incoming 9", "! link 9 Connecting", "9/1 create", "9/1 apply offer OFFER", "! path 9 b"],
    );
    t.on(applied('9', 1), []);
    t.on(described_answer('9', 1, "SDP"), ["2 < answer 9 #1 n1 a70 SDP"]);
    t.on(candidate('9', 1, "c1"), ["2 < ice-candidate 9 #2 n1 c1"]);
    t.on(channel_opened('9', 1), ["! link 9 Connected"]);
}

#[test]
fn the_change_that_the_offer_is_about_is_not_offered_twice() {
    let mut t = Table::connected();
    t.quietly([dial('9')]);
    t.on(rtc('9', 1, RtcInput::NegotiationNeeded), []);
    t.on(described_offer('9', 1, "SDP"), ["1 < offer 9 #1 n1 SDP", "! path 9 a"]);
    t.quietly([answer(1, '9', 70, 1, "ANSWER")]);
    t.on(applied('9', 1), []);
    t.on(channel_opened('9', 1), ["! link 9 Connected"]);

    t.quietly([offer(1, '8', 70, "OFFER"), rtc('8', 2, RtcInput::NegotiationNeeded), applied('8', 2)]);
    t.on(described_answer('8', 2, "SDP"), ["1 < answer 8 #2 n2 a70 SDP"]);
    t.on(channel_opened('8', 2), ["! link 8 Connected"]);
}

#[test]
fn a_change_while_connecting_is_offered_once_connected() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    t.on(rtc('9', 1, RtcInput::NegotiationNeeded), []);
    t.quietly([answer(1, '9', 70, 1, "ANSWER"), applied('9', 1)]);
    t.on(channel_opened('9', 1), ["! link 9 Connected", "9/1 offer"]);
}

#[test]
fn own_candidates_wait_for_their_description() {
    let mut t = Table::connected();
    t.quietly([dial('9')]);
    t.on(candidate('9', 1, "c1"), []);
    t.on(
        described_offer('9', 1, "SDP"),
        ["1 < offer 9 #1 n1 SDP", "1 < ice-candidate 9 #2 n1 c1", "! path 9 a"],
    );
}

#[test]
fn candidates_wait_until_the_description_is_applied() {
    let mut t = Table::connected();
    t.quietly([offer(1, '9', 70, "OFFER")]);
    t.on(remote_candidate(1, '9', 70, "r1"), []);
    t.on(remote_candidate(1, '9', 70, "r2"), []);
    t.on(applied('9', 1), ["9/1 add r1", "9/1 add r2"]);
    t.on(remote_candidate(1, '9', 70, "r3"), ["9/1 add r3"]);
}

#[test]
fn candidates_that_overtake_their_offer_wait_for_it() {
    let mut t = Table::connected();
    t.on(remote_candidate(2, '9', 70, "r1"), []);
    t.quietly([offer(1, '9', 70, "OFFER")]);
    t.on(applied('9', 1), ["9/1 add r1"]);
}

#[test]
fn candidates_that_overtake_their_answer_wait_for_it() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    t.on(remote_candidate(2, '9', 70, "r1"), ["! path 9 b"]);
    t.quietly([answer(1, '9', 70, 1, "ANSWER")]);
    t.on(applied('9', 1), ["9/1 add r1"]);
}

#[test]
fn the_greater_id_ignores_a_colliding_offer() {
    let mut t = Table::connected();
    t.quietly([dial('1')]);
    t.on(offer(1, '1', 70, "OFFER"), ["! path 1 a"]);
    t.on(described_offer('1', 1, "SDP"), ["1 < offer 1 #1 n1 SDP"]);
    t.on(offer(1, '1', 71, "OFFER"), []);
    t.on(answer(1, '1', 72, 1, "ANSWER"), ["1/1 apply answer ANSWER"]);
}

#[test]
fn the_smaller_id_yields_with_its_whole_connection() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP"), candidate('9', 1, "c1")]);
    t.on(offer(1, '9', 70, "OFFER"), ["9/1 close", "9/2 create", "9/2 apply offer OFFER"]);
    t.on(candidate('9', 1, "late"), []);
    t.quietly([applied('9', 2)]);
    t.on(described_answer('9', 2, "SDP2"), ["1 < answer 9 #3 n2 a70 SDP2"]);
    assert!(!t.pass(9_000).concat().contains("offer"), "its own offer is not repeated");
}

#[test]
fn a_colliding_offer_that_was_late_does_not_tear_down_what_it_lost_to() {
    let mut t = Table::connected();
    t.quietly([dial('1'), described_offer('1', 1, "SDP"), answer(1, '1', 72, 1, "o=- B 1"), applied('1', 1)]);
    t.on(offer(2, '1', 70, "o=- A 1"), ["! path 1 b"]);
}

#[test]
fn on_a_connected_link_the_smaller_id_rolls_back() {
    let mut t = linked('9');
    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), described_offer('9', 1, "o=- own 2")]);
    t.on(offer(1, '9', 101, "o=- other 2"), ["9/1 apply offer o=- other 2", "! path 9 a"]);
    t.quietly([applied('9', 1)]);
    t.on(described_answer('9', 1, "o=- own 3"), ["1 < answer 9 #2 n3 a101 o=- own 3"]);
}

#[test]
fn what_becomes_of_an_offer_that_yielded_is_not_what_becomes_of_the_answer() {
    let mut t = linked('9');
    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), offer(1, '9', 101, "o=- other 2")]);
    t.on(described_offer('9', 1, "o=- own 2"), []);
    t.quietly([applied('9', 1)]);
    t.on(described_answer('9', 1, "o=- own 3"), ["1 < answer 9 #2 n2 a101 o=- own 3"]);

    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), offer(1, '9', 102, "o=- other 3")]);
    t.on(rtc('9', 1, RtcInput::Refused("rolled back".into())), []);
    t.quietly([applied('9', 1)]);
    t.on(described_answer('9', 1, "o=- own 4"), ["1 < answer 9 #3 n3 a102 o=- own 4"]);
}

#[test]
fn an_offer_during_an_exchange_waits_for_its_end() {
    let mut t = linked('1');
    t.quietly([offer(1, '1', 101, "o=- other 2")]);
    t.on(offer(1, '1', 102, "o=- other 3"), []);
    t.quietly([applied('1', 1)]);
    t.on(
        described_answer('1', 1, "o=- own 2"),
        ["1/1 apply offer o=- other 3", "1 < answer 1 #2 n2 a101 o=- own 2"],
    );
    t.quietly([applied('1', 1)]);
    t.on(described_answer('1', 1, "o=- own 3"), ["1 < answer 1 #3 n3 a102 o=- own 3"]);
}

#[test]
fn a_description_that_the_browser_refuses_ends_a_link_that_never_stood() {
    let mut t = Table::connected();
    t.quietly([dial('9')]);
    t.on(rtc('9', 1, RtcInput::Refused("bad".into())), ["9/1 close", "! link 9 failed negotiation-failed"]);
    t.quietly([offer(1, '9', 70, "OFFER")]);
    t.on(rtc('9', 2, RtcInput::Refused("bad".into())), ["9/2 close", "! link 9 failed negotiation-failed"]);
}

#[test]
fn a_description_that_the_browser_refuses_ends_no_connected_link() {
    let mut t = linked('9');
    t.quietly([offer(1, '9', 101, "o=- other 2")]);
    t.on(rtc('9', 1, RtcInput::Refused("bad".into())), []);
    t.on(offer(1, '9', 102, "o=- other 3"), ["9/1 apply offer o=- other 3"]);
}

#[test]
fn an_unanswered_dial_fails_after_half_a_minute() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    for _ in 0..3 {
        t.pass(9_000);
        t.quietly([hello(1), hello(2)]);
    }
    assert!(!t.pass(2_999).concat().contains("failed"));
    assert_eq!(t.pass(1), ["9/1 close", "! link 9 failed no-answer"]);
    assert_eq!(t.client.link_state(peer('9')), None);
}

#[test]
fn nobody_dials_oneself() {
    let mut t = Table::connected();
    t.on(dial(OWN), ["! link 5 failed peer-unavailable"]);
}

#[test]
fn both_sides_can_hang_up() {
    let mut t = linked('9');
    t.on(command(Command::Hangup(peer('9'))), ["9/1 close", "! link 9 Closed"]);
    t.on(command(Command::Hangup(peer('9'))), []);
    let mut t = linked('9');
    t.on(rtc('9', 1, RtcInput::ChannelClosed), ["9/1 close", "! link 9 Closed"]);
    let mut t = linked('9');
    t.on(state('9', 1, ConnectionState::Closed), ["9/1 close", "! link 9 Closed"]);
}

#[test]
fn signals_for_others_from_oneself_or_from_another_network_are_none() {
    let mut t = Table::connected();
    let data = json!({"type": "offer", "sdp": "SDP"});
    let foreign = |from, target, network: &str| {
        frame(
            1,
            &json!({"type": "offer", "fromPeerId": peer(from), "targetPeerId": peer(target), "networkName": network, "data": data}),
        )
    };
    for input in [foreign(OWN, OWN, "room"), foreign('9', '8', "room"), foreign('9', OWN, "other")] {
        t.on(input, []);
    }
    t.on(signal(1, '9', "offer", "m1", &json!({"type": "answer", "sdp": "SDP"})), []);
    t.on(signal(1, '9', "offer", "m2", &json!("SDP")), []);
    assert_ne!(t.tell(foreign('9', OWN, "room")), Vec::<String>::new());
    t.on(Input::Tick, []);
}
