//! rusqlite as a [`Database`].

use pigeonhub_node_sql::{Database, Row, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

/// A connection to a real SQLite.
pub struct Rusqlite(pub Connection);

struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Database for Rusqlite {
    type Error = rusqlite::Error;

    async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, rusqlite::Error> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let parameters = rusqlite::params_from_iter(parameters.iter().map(Parameter));
        let rows = statement.query_map(parameters, |row| {
            (0..columns)
                .map(|index| {
                    Ok(match row.get_ref(index)? {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(number) => Value::Integer(number),
                        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                        other => panic!("no column is a {:?}", other.data_type()),
                    })
                })
                .collect()
        })?;
        rows.collect()
    }
}
