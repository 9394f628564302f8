//! DNS: TXT records at `_pigeonhub-bootstrap.<domain>`, one for each node.
//!
//! `v=pigeonhub1; u=wss://node.example; region=eu-west; priority=1`, with the names of a descriptor's
//! fields; `t` may be left out. Or the JSON of a descriptor, or a whole document in JSON, for who
//! publishes by program.

use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value};

use crate::document::read_value;
use crate::{Check, Found, Invalid};

/// What a record in words begins with.
const VERSION: &str = "pigeonhub1";
/// Fields that are numbers.
const NUMBERS: [&str; 3] = ["priority", "timestamp", "expires"];
/// A record has at most so many bytes.
const MOST_BYTES: usize = 8 * 1024;

/// Where the records of a domain are.
#[must_use]
pub fn txt_name(domain: &str) -> String {
    format!("_pigeonhub-bootstrap.{}.", domain.trim_end_matches('.'))
}

/// Reads one record, its strings joined.
#[must_use]
pub fn read_txt(record: &str, check: &Check<'_>) -> Found {
    if record.len() > MOST_BYTES {
        return Found::refuse(Invalid::Size);
    }
    let record = record.trim();
    let value = if record.starts_with('{') { serde_json::from_str(record).ok() } else { in_words(record) };
    match value {
        None => Found::refuse(Invalid::Form),
        Some(value) if value["peers"].is_array() || value["seeds"].is_array() => read_value(&value, check),
        Some(value) => {
            let mut found = Found::default();
            found.add_all(&[value], check, |one| one.verify(check.pins, check.now));
            found
        }
    }
}

fn in_words(record: &str) -> Option<Value> {
    let mut fields = Map::new();
    for word in record.split(';').map(str::trim).filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let value = if NUMBERS.contains(&name) { value.parse::<u64>().ok()?.into() } else { value.into() };
        if fields.insert(name.into(), value).is_some() {
            return None;
        }
    }
    if fields.remove("v")? != VERSION {
        return None;
    }
    if !fields.contains_key("t") {
        let u = fields.get("u")?.as_str()?;
        let scheme = u.split_once("://")?.0;
        fields.insert("t".into(), scheme.into());
    }
    Some(Value::Object(fields))
}
