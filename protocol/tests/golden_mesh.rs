//! What nodes say to each other, byte for byte; and the shapes of legacy nodes, read as ours.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "golden/case.rs"]
mod case;

use pigeonhub_protocol::Signal;
use pigeonhub_protocol::mesh::{
    Announced, Leave, Meeting, PeerAnnouncement, PeerWithdrawal, Return, Routed, http_url,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use case::{Case, cases};

/// The body read and written again.
fn again(case: &Case) -> Result<String, serde_json::Error> {
    fn again<T: Serialize + DeserializeOwned>(text: &str) -> Result<String, serde_json::Error> {
        serde_json::from_str::<T>(text).and_then(|body| serde_json::to_string(&body))
    }
    let text = case.text();
    match case["body"].as_str().unwrap() {
        "announcement" => again::<PeerAnnouncement>(text),
        "withdrawal" => again::<PeerWithdrawal>(text),
        "signal" => again::<Signal>(text),
        "return" => again::<Return>(text),
        "routed" => again::<Routed>(text),
        "announced" => again::<Announced>(text),
        "meeting" => again::<Meeting>(text),
        "leave" => again::<Leave>(text),
        body => panic!("nodes say no {body}"),
    }
}

#[test]
fn bodies_are_read_and_written_to_the_byte() {
    for case in cases(include_str!("../vectors/mesh.json")) {
        assert_eq!(
            again(&case).unwrap_or_else(|e| panic!("{}: {e}", case.name())),
            case.text(),
            "{}",
            case.name()
        );
    }
}

#[test]
fn bodies_of_legacy_nodes_are_read() {
    for case in cases(include_str!("../vectors/mesh-legacy.json")) {
        assert_eq!(
            again(&case).unwrap_or_else(|e| panic!("{}: {e}", case.name())),
            case["same"].as_str().unwrap(),
            "{}",
            case.name()
        );
    }
}

#[test]
fn urls_for_http_are_made_of_urls_for_sockets() {
    let pairs = [
        ("ws://a:3000", "http://a:3000"),
        ("wss://a.example/", "https://a.example"),
        ("https://a.example", "https://a.example"),
        ("http://wsx/", "http://wsx"),
    ];
    for (url, http) in pairs {
        assert_eq!(http_url(url), http);
    }
}
