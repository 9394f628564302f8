//! What a node tells of itself: lists and counts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_node_core::Presence;
use pigeonhub_protocol::{NetworkName, NodeId, PeerId};

use crate::load::json;
use crate::row::{self, PRESENCE};
use crate::{Database, SqlError, SqlStore, Value};

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

    /// All peers of a network that are at this node, or were a moment ago and of which nobody was told that
    /// they are gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn here_in(&self, network: &NetworkName) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let sql = alloc::format!(
            "SELECT {PRESENCE} FROM presence WHERE network = ?1 AND home = '' AND (state < 2 OR EXISTS \
             (SELECT 1 FROM presence p WHERE p.network = presence.network AND p.peer = presence.peer \
             AND p.state = 0)) ORDER BY peer"
        );
        let rows = self.run(&sql, &[network.as_str().into()]).await?;
        Ok(rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect())
    }

    /// The networks in which somebody is here, or was a moment ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn inhabited(&self) -> Result<Vec<NetworkName>, SqlError<D::Error>> {
        let sql = "SELECT DISTINCT network FROM presence WHERE home = ''";
        let rows = self.run(sql, &[]).await?;
        Ok(rows.iter().filter_map(|row| row::text(row.first()?)?.parse().ok()).collect())
    }

    /// Whether somebody is here in a network, or was a moment ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_inhabited(&self, network: &NetworkName) -> Result<bool, SqlError<D::Error>> {
        let sql = "SELECT 1 FROM presence WHERE network = ?1 AND home = '' LIMIT 1";
        Ok(!self.run(sql, &[network.as_str().into()]).await?.is_empty())
    }

    /// Whether somebody else is live here in a network.
    pub(crate) async fn has_others(
        &self,
        network: &NetworkName,
        peer: Option<PeerId>,
    ) -> Result<bool, SqlError<D::Error>> {
        let sql = "SELECT 1 FROM presence \
                   WHERE network = ?1 AND home = '' AND state = 0 AND peer <> ?2 LIMIT 1";
        let peer = peer.as_ref().map_or("", PeerId::as_str);
        Ok(!self.run(sql, &[network.as_str().into(), peer.into()]).await?.is_empty())
    }

    /// The nodes that have peers in these networks, or had some a moment ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn abroad(
        &self,
        networks: &BTreeSet<NetworkName>,
    ) -> Result<BTreeMap<NetworkName, Vec<NodeId>>, SqlError<D::Error>> {
        let mut abroad: BTreeMap<NetworkName, Vec<NodeId>> = BTreeMap::new();
        if networks.is_empty() {
            return Ok(abroad);
        }
        // (CROSS JOIN keeps the order of the tables.)
        let sql = "SELECT DISTINCT network, home FROM json_each(?1) CROSS JOIN presence \
                   WHERE network = value AND home > ''";
        for row in self.run(sql, &[json(networks)]).await? {
            let text = |index: usize| row.get(index).and_then(row::text);
            let (network, node) = (text(0).map(str::parse), text(1).map(str::parse));
            if let (Some(Ok(network)), Some(Ok(node))) = (network, node) {
                abroad.entry(network).or_default().push(node);
            }
        }
        Ok(abroad)
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
