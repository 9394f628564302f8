//! Published records, and what a node tells of itself: lists and counts.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_node_core::record::{IN_ALL, PER_TOPIC};
use pigeonhub_node_core::{Presence, Record};
use pigeonhub_protocol::{Code, Millis, NetworkName, PeerId};

use crate::row::{self, PRESENCE};
use crate::{Database, Row, SqlError, SqlStore, Value};

impl<D: Database> SqlStore<D> {
    /// Keeps a record; one with the same id is replaced.
    ///
    /// # Errors
    /// The database's. `Ok(Err(_))`: there are too many already.
    pub async fn keep_record(&self, record: &Record) -> Result<Result<(), Code>, SqlError<D::Error>> {
        self.run("DELETE FROM record WHERE expires_at <= ?1", &[self.now.into()]).await?;
        let sql = "INSERT INTO record (id, topic, data, node, timestamp, expires_at, replicated) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 \
                   WHERE (SELECT count(*) FROM record WHERE topic = ?2) < ?8 \
                   AND (SELECT count(*) FROM record) < ?9 \
                   ON CONFLICT (id) DO UPDATE SET data = ?3, timestamp = ?5, expires_at = ?6 RETURNING 1";
        let parameters: [Value; 9] = [
            record.id.as_str().into(),
            record.topic.as_str().into(),
            record.data.get().into(),
            record.node_id.as_str().into(),
            record.timestamp.into(),
            record.expires_at.into(),
            u64::from(record.replicated).into(),
            PER_TOPIC.into(),
            IN_ALL.into(),
        ];
        let kept = !self.run(sql, &parameters).await?.is_empty();
        Ok(kept.then_some(()).ok_or(Code::Unavailable))
    }

    /// The live records of a topic, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_records(&self, topic: &str) -> Result<Vec<Record>, SqlError<D::Error>> {
        let sql = "SELECT id, topic, data, node, timestamp, expires_at, replicated FROM record \
                   WHERE topic = ?1 AND expires_at > ?2 ORDER BY timestamp, id";
        let rows = self.run(sql, &[topic.into(), self.now.into()]).await?;
        Ok(rows.iter().filter_map(record).collect())
    }

    /// A page of live peers of a network in the order of their ids, after `cursor`.
    ///
    /// # Errors
    /// The database's.
    pub async fn page(
        &self,
        network: &NetworkName,
        cursor: Option<PeerId>,
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let sql = alloc::format!(
            "SELECT {PRESENCE} FROM (SELECT {PRESENCE}, min(home) FROM presence \
             WHERE network = ?1 AND peer > ?2 AND state = 0 GROUP BY peer ORDER BY peer LIMIT ?3)"
        );
        let after = cursor.map_or_else(|| Value::from(""), |peer| peer.as_str().into());
        let rows = self.run(&sql, &[network.as_str().into(), after, most.into()]).await?;
        Ok(rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect())
    }

    /// All live presences of this node: a node that joins is told of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn here(&self) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let sql = alloc::format!("SELECT network, {PRESENCE} FROM presence WHERE home = '' AND state = 0");
        let rows = self.run(&sql, &[]).await?;
        let presence = |row: &Row| {
            let (network, columns) = row.split_first()?;
            let network = row::text(network)?.parse().ok()?;
            row::presence(&columns.to_vec(), &network, &self.own, self.now)
        };
        Ok(rows.iter().filter_map(presence).collect())
    }

    /// How many networks there are, and how many live peers: here and in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&self) -> Result<(usize, usize, usize), SqlError<D::Error>> {
        let sql = "SELECT count(DISTINCT network), count(*) FILTER (WHERE home = ''), \
                   count(DISTINCT network || ' ' || peer) FROM presence WHERE state = 0";
        let rows = self.run(sql, &[]).await?;
        let count = |index: usize| {
            let value = rows.first().and_then(|row| row.get(index)).and_then(row::number);
            usize::try_from(value.unwrap_or(0)).unwrap_or(usize::MAX)
        };
        Ok((count(0), count(1), count(2)))
    }

    /// The networks in which something may be over.
    ///
    /// # Errors
    /// The database's.
    pub async fn due(&self) -> Result<Vec<NetworkName>, SqlError<D::Error>> {
        let sql = "SELECT DISTINCT network FROM presence WHERE until <= ?1 \
                   UNION SELECT DISTINCT network FROM mail WHERE code IS NOT NULL AND until <= ?1 AND sent <> 1";
        let rows = self.run(sql, &[self.now.into()]).await?;
        Ok(rows.iter().filter_map(|row| row::text(row.first()?)?.parse().ok()).collect())
    }
}

fn record(row: &Row) -> Option<Record> {
    let [id, topic, data, node, timestamp, expires_at, replicated] = row.as_slice() else { return None };
    Some(Record {
        id: row::text(id)?.to_string(),
        topic: row::text(topic)?.to_string(),
        data: serde_json::value::RawValue::from_string(row::text(data)?.to_string()).ok()?,
        node_id: row::text(node)?.parse().ok()?,
        timestamp: Millis(row::number(timestamp)?),
        expires_at: Millis(row::number(expires_at)?),
        replicated: row::number(replicated)? != 0,
    })
}
