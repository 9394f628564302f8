//! Canonical JSON is the same text everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_protocol::canonical;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
        (-(1_i64 << 53)..(1 << 53)).prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_json_is_what_the_library_writes(value in any_json()) {
        let text = canonical(&value);
        prop_assert_eq!(&text, &serde_json_canonicalizer::to_string(&value).unwrap());
        // And reading it again loses nothing.
        prop_assert_eq!(canonical(&serde_json::from_str(&text).unwrap()), text);
    }
}
