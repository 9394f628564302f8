//! Canonical JSON (RFC 8785): the one text of a value that is signed.
//!
//! Written here because the libraries for it need the standard library; the tests hold it against
//! one of them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Number, Value};

/// The canonical text of a value.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Number(number) => write_number(number, out),
        // Strings, too, are written here as everywhere: serde_json escapes what RFC 8785 escapes, no more.
        Value::String(_) | Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

/// As JavaScript writes it, so it is a 64-bit float whatever it was.
fn write_number(number: &Number, out: &mut String) {
    let float = number.as_f64().unwrap_or_default();
    out.push_str(ryu_js::Buffer::new().format(float));
}
