//! Records, in tables.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_node_core::records::{Archive, Kept, Limits, Place};
use pigeonhub_protocol::{Code, Record};

use crate::row;
use crate::{Database, Row, SqlError, SqlStore, Value};

/// Of one record: it is found.
const IS_LIVE: &str = "text <> '' AND deleted = 0 AND expires_at > ";

impl<D: Database> SqlStore<D> {
    /// Makes the tables of records that are not there yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_record_tables(&self) -> Result<(), SqlError<D::Error>> {
        self.run_script(include_str!("records.sql")).await
    }

    /// Drops what nobody finds any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_records(&self) -> Result<(), SqlError<D::Error>> {
        self.run("DELETE FROM record WHERE kept_until <= ?1", &[self.now.into()]).await?;
        let sql = "UPDATE record SET text = '' WHERE expires_at <= ?1 AND text <> '' AND deleted = 0";
        self.run(sql, &[self.now.into()]).await.map(drop)
    }

    /// How many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_records(&self) -> Result<usize, SqlError<D::Error>> {
        let sql = format!("SELECT count(*) FROM record WHERE {IS_LIVE} ?1");
        let rows = self.run(&sql, &[self.now.into()]).await?;
        let count = rows.first().and_then(|row| row::number(row.first()?)).unwrap_or_default();
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

impl<D: Database> Archive for SqlStore<D> {
    type Error = SqlError<D::Error>;

    async fn keep_record(&self, record: &Record) -> Result<Result<Kept, Code>, Self::Error> {
        self.sweep_records().await?;
        let Limits { per_topic, per_publisher, in_all, bytes } = self.limits;
        // What is over already is kept as a mark: it may have replaced what is not over.
        let is_over = record.expires_at() <= self.now && !record.deleted;
        let text = if is_over { String::new() } else { serde_json::to_string(record).unwrap_or_default() };
        let sql = format!(
            "INSERT INTO record (id, topic, publisher, seq, version, text, timestamp, expires_at, \
             kept_until, deleted, on_behalf) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 \
             WHERE (EXISTS (SELECT 1 FROM record WHERE id = ?1) OR ( \
               (SELECT count(*) FROM record WHERE topic = ?2 AND {IS_LIVE} ?12) < ?13 \
               AND (?11 = 1 OR (SELECT count(*) FROM record WHERE publisher = ?3 AND {IS_LIVE} ?12) < ?14) \
               AND (SELECT count FROM record_sum) < ?15)) \
             AND (SELECT bytes FROM record_sum) + length(CAST(?6 AS BLOB)) <= ?16 \
             ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, version = excluded.version, \
             text = excluded.text, timestamp = excluded.timestamp, expires_at = excluded.expires_at, \
             kept_until = max(kept_until, excluded.kept_until), deleted = excluded.deleted \
             WHERE (excluded.seq, excluded.version) > (seq, version) RETURNING 1"
        );
        let parameters: [Value; 16] = [
            record.id().into(),
            record.topic.as_str().into(),
            record.publisher.as_str().into(),
            record.seq.into(),
            record.version().into(),
            text.into(),
            record.timestamp.into(),
            record.expires_at().into(),
            record.kept_until().into(),
            u64::from(record.deleted).into(),
            u64::from(record.node_id.is_some()).into(),
            self.now.into(),
            per_topic.into(),
            per_publisher.into(),
            in_all.into(),
            bytes.into(),
        ];
        if !self.run(&sql, &parameters).await?.is_empty() {
            return Ok(Ok(Kept::New));
        }
        let rows = self.run("SELECT seq, version FROM record WHERE id = ?1", &[record.id().into()]).await?;
        let known = rows.first().and_then(|row| Some((row::number(row.first()?)?, row::text(row.get(1)?)?)));
        let (seq, version) = record.rank();
        Ok(match known {
            Some((known, same)) if known == seq && same == version => Ok(Kept::Known),
            Some((known, other)) if (known, other) > (seq, version.as_str()) => Err(Code::RecordStale),
            _ => Err(Code::QuotaExceeded),
        })
    }

    async fn records_of(
        &self,
        topic: &str,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Vec<Record>, Self::Error> {
        let sql = format!(
            "SELECT text FROM record WHERE topic = ?1 AND {IS_LIVE} ?2 \
             AND (timestamp < ?3 OR (timestamp = ?3 AND id > ?4)) ORDER BY timestamp DESC, id LIMIT ?5"
        );
        let (time, id) = after.map_or((Value::Integer(i64::MAX), ""), |place| (place.0.0.into(), &place.1));
        let rows = self.run(&sql, &[topic.into(), self.now.into(), time, id.into(), most.into()]).await?;
        Ok(rows.iter().filter_map(record).collect())
    }

    async fn record_versions(&self) -> Result<Vec<(String, String)>, Self::Error> {
        let sql = "SELECT topic, version FROM record WHERE text <> '' AND expires_at > ?1 OR deleted = 1";
        let rows = self.run(sql, &[self.now.into()]).await?;
        let pair = |row: &Row| Some((row::text(row.first()?)?.into(), row::text(row.get(1)?)?.into()));
        Ok(rows.iter().filter_map(pair).collect())
    }

    async fn fetch_records(&self, versions: &[String]) -> Result<Vec<Record>, Self::Error> {
        let sql = "SELECT text FROM record WHERE text <> '' AND version IN (SELECT value FROM json_each(?1))";
        let list = serde_json::to_string(versions).unwrap_or_default();
        let rows = self.run(sql, &[list.into()]).await?;
        Ok(rows.iter().filter_map(record).collect())
    }
}

fn record(row: &Row) -> Option<Record> {
    serde_json::from_str(row::text(row.first()?)?).ok()
}
