//! SQLite inside the process, as a [`Database`]: a file, or memory.

use std::path::Path;
use std::string::String;
use std::vec::Vec;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ToSql};

use crate::{Database, Row, Value};

/// A connection.
#[derive(Debug)]
pub struct Embedded(Connection);

impl Embedded {
    /// A database that goes with the connection.
    ///
    /// # Errors
    /// SQLite's.
    pub fn in_memory() -> Result<Self, Error> {
        Connection::open_in_memory().map(Self)
    }

    /// The database in a file, which is made if it is not there. What a statement wrote is on disk when
    /// it returns.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open(file: &Path) -> Result<Self, Error> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self(connection))
    }
}

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

impl Database for Embedded {
    type Error = Error;

    async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let parameters = rusqlite::params_from_iter(parameters.iter().map(Parameter));
        let rows = statement.query_map(parameters, |row| {
            let value = |index| {
                Ok(match row.get_ref(index)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Integer(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    other => {
                        return Err(Error::InvalidColumnType(index, String::new(), other.data_type()));
                    }
                })
            };
            (0..columns).map(value).collect()
        })?;
        rows.collect()
    }
}
