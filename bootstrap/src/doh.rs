//! DNS over HTTPS as JSON, as the public resolvers speak it: for hosts that cannot ask DNS itself.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

/// The number of the type TXT.
const TXT: u16 = 16;
/// Records of one answer that are read.
const MOST: usize = 64;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Answer", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    r#type: u16,
    data: String,
}

/// The query that asks for the TXT records of a name. Say `accept: application/dns-json`.
#[must_use]
pub fn query(name: &str) -> String {
    format!("name={}&type=TXT", name.trim_end_matches('.'))
}

/// The TXT records in an answer, the strings of each joined; none if it is no answer.
#[must_use]
pub fn txt_records(answer: &str) -> Vec<String> {
    let answer: Option<Answer> = serde_json::from_str(answer).ok();
    let records = answer.into_iter().flat_map(|answer| answer.records);
    records.filter(|record| record.r#type == TXT).take(MOST).map(|record| joined(&record.data)).collect()
}

/// `"one" "two"` as `onetwo`. Some resolvers leave the quotes out.
fn joined(data: &str) -> String {
    if !data.starts_with('"') {
        return data.into();
    }
    let (mut text, mut is_inside, mut is_escaped) = (String::new(), false, false);
    for c in data.chars() {
        match c {
            _ if is_escaped => {
                text.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => is_inside = !is_inside,
            _ if is_inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_resolvers_write_them() {
        let answer = r#"{"Status":0,"Answer":[
            {"name":"a","type":16,"TTL":60,"data":"\"v=pigeonhub1; \" \"u=wss://a.example\""},
            {"name":"a","type":16,"TTL":60,"data":"v=pigeonhub1; u=wss://b.example"},
            {"name":"a","type":16,"TTL":60,"data":"\"{\\\"t\\\":\\\"ws\\\"}\""},
            {"name":"a","type":5,"TTL":60,"data":"elsewhere."}]}"#;
        assert_eq!(
            txt_records(answer),
            ["v=pigeonhub1; u=wss://a.example", "v=pigeonhub1; u=wss://b.example", r#"{"t":"ws"}"#]
        );
        for nothing in [r#"{"Status":3}"#, "", "[]"] {
            assert!(txt_records(nothing).is_empty());
        }
        assert_eq!(query("_pigeonhub-bootstrap.a.example."), "name=_pigeonhub-bootstrap.a.example&type=TXT");
    }
}
