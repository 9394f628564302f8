//! Reading request bodies: one object, or a list of them.

use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::limit;
use pigeonhub_protocol::mesh::{OneOrMany, Routing};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reply;

/// One object.
pub(super) fn one<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Reply> {
    serde_json::from_slice(body).map_err(|error| Reply::malformed(&error))
}

/// One object or a list, in kind. (Serde's untagged enums cannot hold raw JSON, so the kind is
/// looked up first.)
pub(super) fn one_or_many<T>(
    body: &[u8],
    read: fn(&str) -> serde_json::Result<T>,
) -> Result<OneOrMany<T>, Reply> {
    let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let items: Vec<&RawValue> = if is_list { one(body)? } else { vec![one(body)?] };
    if items.len() > limit::BATCH {
        return Err(Reply::invalid("too many items in one request"));
    }
    let items = items.into_iter().map(|item| read(item.get())).collect::<Result<Vec<_>, _>>();
    let mut items = items.map_err(|error| Reply::malformed(&error))?;
    Ok(match items.pop() {
        Some(only) if !is_list => OneOrMany::One(only),
        last => {
            items.extend(last);
            OneOrMany::Many(items)
        }
    })
}

/// A signal, or the refusal of one on its way back.
pub(super) fn routing(item: &str) -> serde_json::Result<Routing> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind<'a> {
        #[serde(borrow, default)]
        return_to: Option<&'a RawValue>,
    }
    let kind: Kind<'_> = serde_json::from_str(item)?;
    if kind.return_to.is_some() {
        serde_json::from_str(item).map(Routing::Return)
    } else {
        serde_json::from_str(item).map(Routing::Signal)
    }
}
