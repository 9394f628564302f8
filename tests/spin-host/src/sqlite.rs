//! Spin's SQLite, both versions of the interface: labels, connections, one statement per call.

mod database;

use std::path::PathBuf;

use rusqlite::types::Value;
use wasmtime::component::Resource;

use crate::bindings::{fermyon::spin::sqlite as v2, spin::sqlite::sqlite as v3};
use crate::instance::Instance;

pub use database::Connection;

/// Spin's limit of open connections of one instance.
const CONNECTIONS: usize = 256;

/// The databases a component may open: those that its manifest lists.
pub(crate) struct Databases {
    labels: Vec<String>,
    folder: PathBuf,
    /// Removes the folder with its last owner, when nobody named one.
    _temporary: Option<tempfile::TempDir>,
}

/// What `open` can refuse with, before it has one of the two interfaces' types.
enum Refusal {
    AccessDenied,
    Io(String),
}

impl Databases {
    pub(crate) fn new(labels: Vec<String>, folder: Option<PathBuf>) -> std::io::Result<Self> {
        // Without a folder a temporary one, never `:memory:`: in memory, locks behave differently.
        let (folder, temporary) = match folder {
            Some(folder) => (folder, None),
            None => {
                let temporary = tempfile::tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        std::fs::create_dir_all(&folder)?;
        Ok(Self { labels, folder, _temporary: temporary })
    }

    fn connection(&self, label: &str) -> Result<Connection, Refusal> {
        if !self.labels.iter().any(|known| known == label) {
            return Err(Refusal::AccessDenied);
        }
        Ok(Connection::new(self.folder.join(format!("{label}.db"))))
    }
}

impl Instance {
    fn open_connection(&mut self, label: &str) -> wasmtime::Result<Result<Resource<Connection>, Refusal>> {
        let connection = match self.app.databases.connection(label) {
            Ok(connection) => connection,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if self.connections == CONNECTIONS {
            return Ok(Err(Refusal::Io("too many connections opened".to_owned())));
        }
        self.connections += 1;
        Ok(Ok(self.table.push(connection)?))
    }

    fn close_connection(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.connections -= 1;
        Ok(())
    }
}

/// The two interfaces differ in name and in two functions of the newer; one text serves both.
macro_rules! serve {
    ($words:ident { $($newer:item)* }) => {
        impl $words::Host for Instance {}

        impl $words::HostConnection for Instance {
            async fn open(
                &mut self,
                database: String,
            ) -> wasmtime::Result<Result<Resource<Connection>, $words::Error>> {
                Ok(self.open_connection(&database)?.map_err(|refusal| match refusal {
                    Refusal::AccessDenied => $words::Error::AccessDenied,
                    Refusal::Io(text) => $words::Error::Io(text),
                }))
            }

            async fn execute(
                &mut self,
                connection: Resource<Connection>,
                statement: String,
                parameters: Vec<$words::Value>,
            ) -> wasmtime::Result<Result<$words::QueryResult, $words::Error>> {
                let connection = self.table.get(&connection)?.clone();
                let parameters = parameters.into_iter().map(Value::from).collect();
                let answer = connection.execute(statement, parameters).await?;
                Ok(answer
                    .map(|(columns, rows)| {
                        let row = |row: Vec<Value>| $words::RowResult {
                            values: row.into_iter().map($words::Value::from).collect(),
                        };
                        $words::QueryResult { columns, rows: rows.into_iter().map(row).collect() }
                    })
                    .map_err(|error| $words::Error::Io(error.to_string())))
            }

            $($newer)*

            async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
                self.close_connection(connection)
            }
        }

        impl From<$words::Value> for Value {
            fn from(value: $words::Value) -> Self {
                match value {
                    $words::Value::Integer(integer) => Value::Integer(integer),
                    $words::Value::Real(real) => Value::Real(real),
                    $words::Value::Text(text) => Value::Text(text),
                    $words::Value::Blob(blob) => Value::Blob(blob),
                    $words::Value::Null => Value::Null,
                }
            }
        }

        impl From<Value> for $words::Value {
            fn from(value: Value) -> Self {
                match value {
                    Value::Integer(integer) => $words::Value::Integer(integer),
                    Value::Real(real) => $words::Value::Real(real),
                    Value::Text(text) => $words::Value::Text(text),
                    Value::Blob(blob) => $words::Value::Blob(blob),
                    Value::Null => $words::Value::Null,
                }
            }
        }
    };
}

serve!(v2 {});

serve!(v3 {
    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.table.get(&connection)?.last_insert_rowid()?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&connection)?.changes()?)
    }
});
