//! Canonical JSON (RFC 8785) of what JavaScript has: the one text of a value that is signed.
//!
//! RFC 8785 is made of what JavaScript writes, so the browser writes names and leaves. What it would
//! not do is order: it puts names that look like numbers first.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Values that are nested deeper than this have no canonical text, as nodes do not read them either.
const DEEPEST: usize = 127;

/// The canonical text of a value that came as JSON; none if it is nested too deep.
pub(crate) fn canonical(value: &JsValue) -> Option<String> {
    let mut text = String::new();
    write(value, DEEPEST, &mut text)?;
    Some(text)
}

fn write(value: &JsValue, depth: usize, out: &mut String) -> Option<()> {
    if !value.is_object() {
        out.push_str(&String::from(JSON::stringify(value).ok()?));
        return Some(());
    }
    let is_list = Array::is_array(value);
    let names = Object::keys(value.unchecked_ref::<Object>());
    out.push(if is_list { '[' } else { '{' });
    // Names are sorted by UTF-16 code units, as RFC 8785 wants; indices stay as they are.
    let names = if is_list { names } else { names.sort() };
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if !is_list {
            write(&name, depth, out)?;
            out.push(':');
        }
        write(&Reflect::get(value, &name).ok()?, depth.checked_sub(1)?, out)?;
    }
    out.push(if is_list { ']' } else { '}' });
    Some(())
}
