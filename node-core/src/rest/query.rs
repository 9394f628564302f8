//! Percent-encoded texts of a URL.

use alloc::borrow::Cow;
use alloc::string::String;

use percent_encoding::percent_decode_str;

/// The text behind a percent-encoded piece of a path; `None` if it is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// The value of a query's parameter, as forms write it: `+` is a space. The first one counts; `None`
/// if it is missing, empty or not UTF-8.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    decode(&value.replace('+', " ")).filter(|value| !value.is_empty())
}
