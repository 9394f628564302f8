//! What a host provides: a connection that executes one statement.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::Millis;

use crate::row;

/// A value, in or out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// One row of an answer.
pub type Row = Vec<Value>;

/// A connection to a SQLite database.
#[allow(async_fn_in_trait, reason = "hosts call it with a concrete type, so they know if it is Send")]
pub trait Database {
    /// Why it cannot do it now: busy, out of space, unreachable.
    type Error;
    /// Executes one statement with numbered parameters (`?1`, `?2`, …) and returns its rows.
    async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Self::Error>;
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    /// Numbers keep their bits: above `i64::MAX` they are stored as negative ones.
    fn from(number: u64) -> Self {
        Self::Integer(number.cast_signed())
    }
}

impl From<Millis> for Value {
    fn from(time: Millis) -> Self {
        Self::Integer(row::time(time))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
