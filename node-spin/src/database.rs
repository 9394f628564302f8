//! Spin's SQLite as a [`Database`]: one connection for the request. Of the two interfaces this is the
//! one that Spin 2 knows, too.

use pigeonhub_node_sql::{Database, Row, Value};
use spin_sdk::sqlite::{Connection, Error, Value as SpinValue};

/// The label in `spin.toml`; a runtime configuration may put libSQL behind it.
const LABEL: &str = "default";

/// An open connection.
pub struct SpinDatabase(Connection);

impl SpinDatabase {
    /// Opens it. What is in it lives for seconds or minutes: losing the last moment in a power cut is
    /// no harm, but waiting for the disk at every commit is. So it is told not to wait; a database
    /// that knows no such thing (libSQL on another machine) goes on as it does.
    pub fn open() -> Result<Self, Error> {
        let connection = Connection::open(LABEL)?;
        let _ = connection.execute("PRAGMA synchronous = NORMAL", &[]);
        Ok(Self(connection))
    }

    /// Says once, for the file as such, that readers and the writer need not wait for each other.
    pub fn prepare(&self) {
        let _ = self.0.execute("PRAGMA journal_mode = WAL", &[]);
    }
}

impl Database for SpinDatabase {
    type Error = Error;

    async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let parameters: Vec<SpinValue> = parameters.iter().map(to_spin).collect();
        let result = self.0.execute(sql, &parameters)?;
        let rows = result.rows.into_iter();
        Ok(rows.map(|row| row.values.into_iter().map(from_spin).collect()).collect())
    }
}

fn to_spin(value: &Value) -> SpinValue {
    match value {
        Value::Null => SpinValue::Null,
        Value::Integer(number) => SpinValue::Integer(*number),
        Value::Text(text) => SpinValue::Text(text.clone()),
    }
}

/// The schema has neither floats nor blobs.
fn from_spin(value: SpinValue) -> Value {
    match value {
        SpinValue::Integer(number) => Value::Integer(number),
        SpinValue::Text(text) => Value::Text(text),
        SpinValue::Null | SpinValue::Real(_) | SpinValue::Blob(_) => Value::Null,
    }
}
