//! One connection to one SQLite file, opened at its first use as Spin does.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::Value;
use rusqlite::{Batch, Error, Statement, params_from_iter};

/// The columns' names and the rows.
pub(crate) type Answer = (Vec<String>, Vec<Vec<Value>>);

/// What a guest holds; cloning it is cheap and gives the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Opened>);

struct Opened {
    file: PathBuf,
    connection: Mutex<Option<rusqlite::Connection>>,
}

impl Connection {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self(Arc::new(Opened { file, connection: Mutex::new(None) }))
    }

    /// Runs the first statement of the text on a thread that may block; the rest of the text is ignored.
    pub(crate) async fn execute(
        &self,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Result<Answer, Error>, tokio::task::JoinError> {
        let opened = Arc::clone(&self.0);
        let work = move || opened.with(|connection| run(connection, &statement, parameters));
        tokio::task::spawn_blocking(work).await
    }

    pub(crate) fn last_insert_rowid(&self) -> Result<i64, Error> {
        self.0.with(|connection| Ok(connection.last_insert_rowid()))
    }

    pub(crate) fn changes(&self) -> Result<u64, Error> {
        self.0.with(|connection| Ok(connection.changes()))
    }
}

impl Opened {
    fn with<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.connection.lock();
        let connection = match slot.take() {
            Some(connection) => connection,
            // SQLite's and rusqlite's defaults are Spin's: journal_mode=delete, synchronous=FULL, busy
            // for at most 5 s. Tested below, so that a new version cannot change them unseen.
            None => rusqlite::Connection::open(&self.file)?,
        };
        work(slot.insert(connection))
    }
}

fn run(connection: &rusqlite::Connection, text: &str, parameters: Vec<Value>) -> Result<Answer, Error> {
    match connection.prepare_cached(text) {
        Ok(mut statement) => rows(&mut statement, parameters),
        // This rusqlite refuses a text of several statements; the older one in Spin does not look past
        // the first.
        Err(_) => match Batch::new(connection, text).next()? {
            Some(mut statement) => rows(&mut statement, parameters),
            None => Ok((Vec::new(), Vec::new())),
        },
    }
}

fn rows(statement: &mut Statement<'_>, parameters: Vec<Value>) -> Result<Answer, Error> {
    let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let rows = statement
        .query_map(params_from_iter(parameters), |row| (0..width).map(|column| row.get(column)).collect())?
        .collect::<Result<_, _>>()?;
    Ok((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_text(connection: &Connection, text: &str) -> Result<Vec<Vec<Value>>, Error> {
        connection.0.with(|connection| run(connection, text, Vec::new())).map(|(_, rows)| rows)
    }

    #[test]
    fn a_connection_has_the_settings_that_spin_has() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::new(folder.path().join("default.db"));
        for (pragma, expected) in [
            ("journal_mode", Value::Text("delete".into())),
            ("synchronous", Value::Integer(2)),
            ("busy_timeout", Value::Integer(5_000)),
        ] {
            let rows = run_text(&connection, &format!("PRAGMA {pragma}")).unwrap();
            assert_eq!(rows, [[expected]], "{pragma}");
        }
    }

    #[test]
    fn of_several_statements_only_the_first_runs() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::new(folder.path().join("default.db"));
        run_text(&connection, "CREATE TABLE t (x); this is not SQL").unwrap();
        run_text(&connection, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)").unwrap();
        assert_eq!(run_text(&connection, "SELECT x FROM t").unwrap(), [[Value::Integer(1)]]);
        run_text(&connection, "nor is this").unwrap_err();
        run_text(&connection, "-- nothing").unwrap();
    }

    #[test]
    fn connections_of_one_label_share_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("default.db");
        let (one, other) = (Connection::new(file.clone()), Connection::new(file));
        run_text(&one, "CREATE TABLE t (x)").unwrap();
        run_text(&one, "INSERT INTO t VALUES (1), (2) RETURNING x").unwrap();
        assert_eq!(run_text(&other, "SELECT count(*) FROM t").unwrap(), [[Value::Integer(2)]]);
        assert_eq!(one.changes().unwrap(), 2);
        assert_eq!(one.last_insert_rowid().unwrap(), 2);
        assert_eq!(other.changes().unwrap(), 0);
    }
}
