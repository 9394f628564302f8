//! Records as another program (Node.js) signs them, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::{Code, Millis, Record};
use serde_json::value::RawValue;

const STATEMENT: &str = concat!(
    "pigeonhub-record-v1\n",
    r#"{"data":{"a":"€\n","b":[1,0.1,1e+21,null]},"#,
    r#""publisher":"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=","salt":"note-1","seq":7,"#,
    r#""timestamp":1790000000000,"topic":"a topic/é","ttl":300,"v":1}"#,
);
const SIGNATURE: &str =
    "CpqAM0M6qcveqVe8toqGGGLgwflUxgidICbZotr0O+4Opo3wP/Kg2AKm3BK8yDBc69a7oIUeL0wOLi3f7kutDg==";
const NOW: Millis = Millis(1_790_000_000_000);

/// The data as somebody else may write it: other spaces, another order, other ways to say a number.
fn record() -> Record {
    let data = RawValue::from_string(
        r#"{ "b": [1.0, 1e-1, 1000000000000000000000, null], "a": "\u20ac\n" }"#.into(),
    );
    let unsigned = Record::unsigned("a topic/é".into(), data.unwrap(), 7, 300, NOW);
    Record { salt: "note-1".into(), ..unsigned }.signed(&SigningKey::from_bytes(&[1; 32]))
}

#[test]
fn a_record_is_signed_as_other_programs_sign_it() {
    let record = record();
    assert_eq!(record.statement(), STATEMENT);
    assert_eq!(record.signature, SIGNATURE);
    assert_eq!(record.id(), "cf33c8da779cf8f16ca6cf357bc5e606499b6aef");
    assert_eq!(record.check(NOW), Ok(()));
}

#[test]
fn what_was_signed_survives_json_and_what_was_not_does_not() {
    let text = serde_json::to_string(&record()).unwrap();
    let read: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(read.check(NOW), Ok(()));
    let touched: Record = serde_json::from_str(&text.replace("note-1", "note-2")).unwrap();
    assert_eq!(touched.check(NOW), Err(Code::SignatureInvalid));
}
