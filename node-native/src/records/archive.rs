//! Where records are kept: SQLite, in `DATA_DIR` or in memory.

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use parking_lot::Mutex;
use pigeonhub_node_core::records::{Archive, Kept, Place};
use pigeonhub_node_sql::{Database, Embedded, SqlError, SqlStore};
use pigeonhub_protocol::{Code, NodeId, Record};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::Error;
use crate::clock::wall;

/// Its name in `DATA_DIR`.
const NAME: &str = "records.db";

/// Why the database cannot do it now.
pub type ArchiveError = SqlError<<Embedded as Database>::Error>;

/// The records of this node. Each call is made by a thread that may wait for the disk.
#[derive(Debug)]
pub struct SqliteArchive {
    store: Arc<Mutex<SqlStore<Embedded>>>,
    /// How many records have come since the start.
    news: watch::Sender<u64>,
}

impl SqliteArchive {
    /// The archive in a folder, or in memory.
    ///
    /// # Errors
    /// [`Error::Option`]: the folder cannot be used.
    pub fn open(folder: Option<&Path>, node: NodeId) -> Result<Self, Error> {
        let failed = |error: String| Error::Option { option: "DATA_DIR", reason: error };
        let database = match folder {
            Some(folder) => std::fs::create_dir_all(folder)
                .map_err(|error| failed(format!("{}: {error}", folder.display())))
                .and_then(|()| {
                    Embedded::open(&folder.join(NAME)).map_err(|error| failed(error.to_string()))
                })?,
            None => Embedded::in_memory().map_err(|error| failed(error.to_string()))?,
        };
        let store = SqlStore::new(database, node, wall());
        at_once(store.create_record_tables()).map_err(|error| failed(error.to_string()))?;
        Ok(Self { store: Arc::new(Mutex::new(store)), news: watch::Sender::new(0) })
    }

    /// Tells when records come.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Drops what is over.
    pub async fn sweep(&self) -> Result<(), ArchiveError> {
        self.with(|store| at_once(store.sweep_records())).await
    }

    /// How many there are.
    pub async fn count(&self) -> Result<usize, ArchiveError> {
        self.with(|store| at_once(store.count_records())).await
    }

    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&SqlStore<Embedded>) -> T + Send + 'static,
    ) -> T {
        let store = Arc::clone(&self.store);
        let acted = spawn_blocking(move || {
            let mut store = store.lock();
            store.at(wall());
            act(&store)
        });
        match acted.await {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// The embedded database is done when it returns.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap_or_else(|| unreachable!("the embedded database never waits"))
}

impl Archive for SqliteArchive {
    type Error = ArchiveError;

    async fn keep_record(&self, record: &Record) -> Result<Result<Kept, Code>, ArchiveError> {
        let record = record.clone();
        let kept = self.with(move |store| at_once(store.keep_record(&record))).await;
        if matches!(kept, Ok(Ok(Kept::New))) {
            self.news.send_modify(|count| *count += 1);
        }
        kept
    }

    async fn records_of(
        &self,
        topic: &str,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Vec<Record>, ArchiveError> {
        let (topic, after) = (topic.to_owned(), after.cloned());
        self.with(move |store| at_once(store.records_of(&topic, after.as_ref(), most))).await
    }

    async fn record_versions(&self) -> Result<Vec<(String, String)>, ArchiveError> {
        self.with(|store| at_once(store.record_versions())).await
    }

    async fn fetch_records(&self, versions: &[String]) -> Result<Vec<Record>, ArchiveError> {
        let versions = versions.to_vec();
        self.with(move |store| at_once(store.fetch_records(&versions))).await
    }
}
