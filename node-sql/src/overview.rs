//! What a node tells of itself: lists and counts.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_node_core::Presence;
use pigeonhub_protocol::{NetworkName, PeerId};

use crate::row::{self, PRESENCE};
use crate::{Database, Row, SqlError, SqlStore, Value};

impl<D: Database> SqlStore<D> {
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
            row::presence(columns, &network, &self.own, self.now)
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
