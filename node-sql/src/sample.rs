//! A choice of live peers: half the nearest, half by dice, without reading the whole network.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_node_core::{Presence, Sample};
use pigeonhub_protocol::{NetworkName, PeerId};

use crate::row::{self, PRESENCE};
use crate::{Database, SqlError, SqlStore, Value};

/// Dice choose so many places in the order of ids; from each, some neighbours are taken.
const PLACES: usize = 8;

impl<D: Database> SqlStore<D> {
    /// The chosen, and whether they are everyone.
    pub(crate) async fn sample(
        &self,
        network: &NetworkName,
        sample: &Sample,
    ) -> Result<(Vec<Arc<Presence>>, bool), SqlError<D::Error>> {
        let most = sample.most;
        let first = self.after(network, sample, PeerId::from_bytes([0; 20]), most + 1).await?;
        if first.len() <= most {
            return Ok((first, true));
        }
        // Peers with the longest common prefix stand next to each other.
        let mut near = self.after(network, sample, sample.near, most).await?;
        near.extend(self.before(network, sample, sample.near, most).await?);
        near.sort_by_key(|presence| presence.peer.distance(&sample.near));
        near.dedup_by_key(|presence| presence.peer);
        let mut chosen: Vec<_> = near.into_iter().take(most.div_ceil(2)).collect();
        for place in places(sample.seed) {
            for presence in self.after(network, sample, place, most.div_ceil(2 * PLACES)).await? {
                if chosen.len() < most && !chosen.iter().any(|other| other.peer == presence.peer) {
                    chosen.push(presence);
                }
            }
        }
        Ok((chosen, false))
    }

    async fn after(
        &self,
        network: &NetworkName,
        sample: &Sample,
        place: PeerId,
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        self.beside(network, sample, place, most, "peer >= ?2", "ASC").await
    }

    async fn before(
        &self,
        network: &NetworkName,
        sample: &Sample,
        place: PeerId,
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        self.beside(network, sample, place, most, "peer < ?2", "DESC").await
    }

    /// Live peers beside a place, each once: at this node, if it is here.
    async fn beside(
        &self,
        network: &NetworkName,
        sample: &Sample,
        place: PeerId,
        most: usize,
        side: &str,
        order: &str,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let homes = if sample.here_only { "home = ''" } else { "1" };
        // Of several homes of a peer SQLite returns the columns of the one that min() chose.
        let sql = format!(
            "SELECT {PRESENCE} FROM (SELECT {PRESENCE}, min(home) FROM presence WHERE network = ?1 AND {side} \
             AND state = 0 AND {homes} AND peer <> ?3 GROUP BY peer ORDER BY peer {order} LIMIT ?4)"
        );
        let parameters: [Value; 4] =
            [network.as_str().into(), place.as_str().into(), sample.near.as_str().into(), most.into()];
        let rows = self.run(&sql, &parameters).await?;
        Ok(rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect())
    }
}

/// Splitmix64, spread over ids.
fn places(mut seed: u64) -> [PeerId; PLACES] {
    core::array::from_fn(|_| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
        PeerId::from_bytes(bytes)
    })
}
