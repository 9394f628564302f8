//! Renegotiation on a connected link: through the data channel, with no node.

use pigeonhub_client_core::RtcInput;
use serde_json::json;

use crate::table::*;

#[test]
fn a_change_on_a_connected_link_needs_no_node() {
    let mut t = linked('9');
    t.quietly([closed(1, 1006), closed(2, 1006)]);
    t.on(rtc('9', 1, RtcInput::NegotiationNeeded), ["9/1 offer"]);
    t.on(
        described_offer('9', 1, "o=- own 2"),
        ["9/1 in-band renegotiation-offer n2 o=- own 2", "! path 9 in-band"],
    );
    let data = json!({"type": "answer", "sdp": "o=- other 2", "negotiation": 101, "answers": 2});
    let bare = json!({"type": "renegotiation-answer", "data": data});
    t.on(rtc('9', 1, RtcInput::InBand(bare.to_string())), ["9/1 apply answer o=- other 2"]);
    t.on(applied('9', 1), []);
}

#[test]
fn a_change_during_a_renegotiation_is_offered_after_it() {
    let mut t = linked('9');
    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), described_offer('9', 1, "o=- own 2")]);
    t.on(rtc('9', 1, RtcInput::NegotiationNeeded), []);
    t.quietly([answer(1, '9', 101, 2, "o=- other 2")]);
    t.on(applied('9', 1), ["9/1 offer"]);
}

#[test]
fn a_renegotiation_that_nobody_answers_is_made_again_and_the_link_stays() {
    let mut t = linked('9');
    t.quietly([rtc('9', 1, RtcInput::NegotiationNeeded), described_offer('9', 1, "o=- own 2")]);
    assert_eq!(t.pass(9_999), Vec::<String>::new());
    t.quietly([hello(1), hello(2)]);
    assert_eq!(t.pass(1), ["9/1 offer"]);
    t.on(described_offer('9', 1, "o=- own 3"), ["9/1 in-band renegotiation-offer n10000 o=- own 3"]);
    t.on(answer(1, '9', 101, 2, "o=- other 2"), ["! path 9 a"]);
    t.on(answer(1, '9', 102, 10_000, "o=- other 3"), ["9/1 apply answer o=- other 3"]);
}

#[test]
fn the_greater_id_ignores_a_colliding_renegotiation() {
    let mut t = linked('1');
    t.quietly([rtc('1', 1, RtcInput::NegotiationNeeded), described_offer('1', 1, "o=- own 2")]);
    let data = json!({"type": "offer", "sdp": "o=- other 2", "negotiation": 101});
    let text = json!({"type": "renegotiation-offer", "data": data}).to_string();
    t.on(rtc('1', 1, RtcInput::InBand(text)), []);
}

#[test]
fn other_texts_are_not_signaling() {
    let mut t = linked('9');
    for text in ["", "{", r#"{"type":"signaling"}"#, r#"{"type":"signaling","data":{"type":"x","data":{}}}"#]
    {
        t.on(rtc('9', 1, RtcInput::InBand(text.into())), []);
    }
}
