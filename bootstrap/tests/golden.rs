//! What others sign and read, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{Check, Refusal, Trust, read_document, seed_bundle, sign};
use pigeonhub_protocol::{Millis, canonical};
use serde_json::{Value, json};

const TIME: u64 = 1_700_000_000_000;
const BUNDLE: &str = r#"{"app":"example-app","expires":86400,"pk":"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=","seeds":[{"t":"ws","u":"ws://127.0.0.1:3000"}],"ts":1700000000000,"v":1}"#;
const SIGNATURE: &str =
    "dbACO60FuUaG+IaiCYWC3IkFivW2lYHOiuKIOonigVuv8PEAw4IQSSQXYh2s0ojSM4pjDfCVJggyZ83nkj9cAw==";

fn check<'a>(app: &'a str, pins: &'a [String], now: u64) -> Check<'a> {
    Check { app, pins, is_local: true, now: Millis(now) }
}

#[test]
fn the_seed_bundle_of_existing_nodes_is_written_and_read() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let bundle = seed_bundle(&key, "example-app", &["ws://127.0.0.1:3000".into()], Millis(TIME), 86400);
    let mut unsigned = bundle.clone();
    assert_eq!(unsigned.as_object_mut().unwrap().remove("sig").unwrap(), SIGNATURE);
    assert_eq!(canonical(&unsigned), BUNDLE);

    let pin = ["iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=".to_owned()];
    let other = [String::from("another")];
    let read = |bundle: &Value, check| read_document(&bundle.to_string(), &check);
    for (pins, trust) in [(&[][..], Trust::Discovered), (&pin, Trust::Project)] {
        // It holds as long as it says, not for ten minutes.
        let found = read(&bundle, check("example-app", pins, TIME + 86_000_000));
        assert_eq!((found.peers[0].0.u.as_str(), found.peers[0].1), ("ws://127.0.0.1:3000", trust));
    }
    let refused = |bundle: &Value, check| read(bundle, check).refused;
    assert_eq!(refused(&bundle, check("other", &[], TIME)), [Refusal::OtherApp]);
    assert_eq!(refused(&bundle, check("example-app", &other, TIME)), [Refusal::UnknownKey]);
    assert_eq!(refused(&bundle, check("example-app", &[], TIME + 86_400_001)), [Refusal::Expired]);
    assert_eq!(refused(&bundle, check("example-app", &[], TIME - 600_001)), [Refusal::Future]);
    // More fields are covered, too.
    let mut more = bundle;
    more["region"] = json!("us-east");
    assert_eq!(refused(&more, check("example-app", &[], TIME)), [Refusal::Forged]);
}

#[test]
fn a_descriptor_is_signed_as_other_programs_can() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let mut descriptor = json!({ "t": "wss", "u": "wss://a.example", "uptime": 0.1 });
    sign(&mut descriptor, &key, Millis(TIME), 60);
    // Made by another program, over the words "pigeonhub-bootstrap-descriptor-v1", a line feed, and
    // the canonical JSON of the rest.
    assert_eq!(
        descriptor["signature"],
        "McpxJhAZLa5OnjydXzS7b3qdVn6NLoXAv1v3NslHPHxvfKeh8UrB6NL5RNVefyfidZe5TzUAhtxTh0wEJnPrAg=="
    );
}
