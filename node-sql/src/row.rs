//! Rows and what they mean.

use alloc::string::ToString;
use alloc::sync::Arc;

use pigeonhub_node_core::{Home, Mail, Presence, SessionId, State};
use pigeonhub_protocol::{Code, Frame, Millis, NetworkName, NodeId, PeerId, RawJson};

use crate::{Row, Value};

/// The columns of a presence, in the order in which [`presence`] reads them.
pub(crate) const PRESENCE: &str = "peer, home, session, state, until, profile";
/// The columns of mail, in the order in which [`mail`] reads them.
pub(crate) const MAIL: &str = "seq, peer, text, node, code, until";

/// A home as columns: `home` and `session`.
pub(crate) fn place(home: &Home) -> (&str, i64) {
    match home {
        Home::Here(session) => ("", session.0.cast_signed()),
        Home::At(node) => (node.as_str(), 0),
    }
}

/// A time as a column; one that never comes is as late as can be.
pub(crate) fn time(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(crate) const fn state(state: State) -> u64 {
    match state {
        State::Live => 0,
        State::Away { told: false } => 1,
        State::Away { told: true } => 2,
    }
}

/// Reads [`PRESENCE`]; `None` for a row that this version did not write.
pub(crate) fn presence(
    row: &[Value],
    network: &NetworkName,
    own: &NodeId,
    now: Millis,
) -> Option<Arc<Presence>> {
    let [peer, home, session, state, until, profile] = row else { return None };
    let node = text(home)?;
    let (home, node) = if node.is_empty() {
        (Home::Here(SessionId(number(session)?)), own.clone())
    } else {
        let node: NodeId = node.parse().ok()?;
        (Home::At(node.clone()), node)
    };
    let state = match number(state)? {
        0 => State::Live,
        1 => State::Away { told: false },
        _ => State::Away { told: true },
    };
    let profile = RawJson::from(serde_json::value::RawValue::from_string(text(profile)?.to_string()).ok()?);
    let peer = text(peer)?.parse().ok()?;
    let mut presence =
        Presence::live(peer, network.clone(), home, node, profile, now, Millis(number(until)?));
    Arc::make_mut(&mut presence).state = state;
    Some(presence)
}

/// Reads [`MAIL`].
pub(crate) fn mail(row: &Row) -> Option<(u64, PeerId, Mail)> {
    let [seq, peer, text_, by, code, until] = row.as_slice() else { return None };
    let content = text(text_)?;
    let mail = match text(code) {
        None => Mail::News(Frame::from(content.to_string())),
        Some(code) => Mail::Signal {
            signal: serde_json::from_str(content).ok()?,
            by: text(by).and_then(|by| by.parse().ok()),
            until: Millis(number(until)?),
            code: read_code(code)?,
        },
    };
    Some((number(seq)?, text(peer)?.parse().ok()?, mail))
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::Integer(_) => None,
    }
}

pub(crate) const fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => Some(number.cast_unsigned()),
        Value::Null | Value::Text(_) => None,
    }
}

fn read_code(text: &str) -> Option<Code> {
    serde_json::from_value(text.into()).ok()
}
