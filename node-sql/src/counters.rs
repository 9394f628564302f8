//! Numbers that a host counts over all its requests.

use crate::{Database, SqlError, SqlStore};

impl<D: Database> SqlStore<D> {
    /// Adds to the number that is kept under a name. Of several requests at once none is forgotten.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(&self, name: &str, more: u64) -> Result<(), SqlError<D::Error>> {
        let sql = "INSERT INTO kept (name, text) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET text = CAST(text AS INTEGER) + ?2";
        self.run(sql, &[name.into(), more.into()]).await.map(drop)
    }
}
