//! The words on the wire, byte for byte: every vector is read, and what a node or our client writes
//! is exactly the vector's text.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "golden/case.rs"]
mod case;
#[path = "golden/meaning.rs"]
mod meaning;

use pigeonhub_protocol::{Close, Code, Millis, NodeMessage, ParseNodeMessageError, PeerMessage, limit};
use serde_json::{Value, json};

use case::{Case, cases};

/// The time at which the vectors of a node were written.
const NOW: Millis = Millis(1_700_000_000_000);

#[test]
fn what_peers_say_is_understood() {
    let files = [
        include_str!("../vectors/peer-announce.json"),
        include_str!("../vectors/peer-signal.json"),
        include_str!("../vectors/peer-other.json"),
    ];
    for case in files.into_iter().flat_map(cases) {
        let message = PeerMessage::parse(case.text()).unwrap_or_else(|e| panic!("{}: {e:?}", case.name()));
        assert_eq!(meaning::of_peer(&message), case["means"], "{}", case.name());
    }
}

#[test]
fn what_is_no_message_of_a_peer_is_refused_with_a_code() {
    for case in cases(include_str!("../vectors/peer-refused.json")) {
        let error = PeerMessage::parse(case.text()).expect_err(case.name());
        let heard = json!({ "code": error.code.as_str(), "originalType": error.original_type });
        assert_eq!(
            heard,
            json!({ "code": case["code"], "originalType": case["originalType"] }),
            "{}",
            case.name()
        );
    }
}

#[test]
fn a_profile_is_refused_only_beyond_its_limit() {
    let announce = |size: usize| {
        let profile = format!(r#"{{"name":"{}"}}"#, "x".repeat(size - r#"{"name":""}"#.len()));
        PeerMessage::parse(&format!(r#"{{"type":"announce","data":{profile}}}"#))
    };
    assert!(announce(limit::PROFILE).is_ok());
    assert_eq!(announce(limit::PROFILE + 1).unwrap_err().code, Code::ProfileTooLarge);
}

#[test]
fn our_client_writes_these_bytes() {
    for case in cases(include_str!("../vectors/peer-writes.json")) {
        let network = case["network"].as_str().unwrap().parse().unwrap();
        let message = meaning::to_peer(&case["means"]);
        assert_eq!(message.frame(&network).as_str(), case.text(), "{}", case.name());
        let read = PeerMessage::parse(case.text()).unwrap();
        assert_eq!(meaning::of_peer(&read), case["means"], "{}", case.name());
    }
}

fn node_cases() -> impl Iterator<Item = Case> {
    let files = [
        include_str!("../vectors/node-connected.json"),
        include_str!("../vectors/node-discovered.json"),
        include_str!("../vectors/node-departure.json"),
        include_str!("../vectors/node-signal.json"),
        include_str!("../vectors/node-other.json"),
    ];
    files.into_iter().flat_map(cases)
}

#[test]
fn a_node_writes_these_bytes() {
    for case in node_cases().filter(|case| !case["says"].is_null()) {
        let frame = meaning::to_node(&case["says"]).frame(NOW);
        assert_eq!(frame.as_str(), case.text(), "{}", case.name());
        assert!(serde_json::from_str::<Value>(frame.as_str()).is_ok(), "{} is not JSON", case.name());
    }
}

#[test]
fn what_nodes_say_is_understood_in_all_its_shapes() {
    for case in node_cases() {
        let expected = if case["reads"].is_null() { &case["says"] } else { &case["reads"] };
        let message = NodeMessage::parse(case.text()).unwrap_or_else(|e| panic!("{}: {e:?}", case.name()));
        assert_eq!(&meaning::of_node(&message), expected, "{}", case.name());
    }
}

#[test]
fn what_is_no_message_of_a_node_is_ignored_for_a_reason() {
    for case in cases(include_str!("../vectors/node-ignored.json")) {
        let reason = match NodeMessage::parse(case.text()).expect_err(case.name()) {
            ParseNodeMessageError::Malformed => "malformed",
            ParseNodeMessageError::UnknownType => "unknown-type",
        };
        assert_eq!(case["error"], reason, "{}", case.name());
    }
}

#[test]
fn codes_keep_their_names() {
    let names: Vec<String> = serde_json::from_str(include_str!("../vectors/codes.json")).unwrap();
    for name in names {
        let code: Code = serde_json::from_value(json!(name)).unwrap();
        assert_eq!((code.as_str(), json!(code)), (name.as_str(), json!(name)));
        assert_eq!(name.parse(), Ok(code));
        assert!(!code.text().is_empty());
    }
    assert!("out-of-seeds".parse::<Code>().is_err());
}

#[test]
fn closes_keep_their_codes_and_reasons() {
    for case in cases(include_str!("../vectors/closes.json")) {
        let close = match case.name() {
            "INVALID_PEER_ID" => Close::INVALID_PEER_ID,
            "ALREADY_CONNECTED" => Close::ALREADY_CONNECTED,
            "FULL" => Close::FULL,
            "TOO_LARGE" => Close::TOO_LARGE,
            "RESTART" => Close::RESTART,
            "SLOW" => Close::SLOW,
            "TAKEN_OVER" => Close::TAKEN_OVER,
            "SILENT" => Close::SILENT,
            name => panic!("no close is called {name}"),
        };
        assert_eq!(json!([close.code as u16, close.reason]), json!([case["code"], case["reason"]]));
    }
}
