//! A choice of live peers: half the nearest, half by dice, without reading the whole network.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_node_core::dice::{STEP, stir};
use pigeonhub_node_core::{Presence, Sample};
use pigeonhub_protocol::{NetworkName, PeerId};

use crate::row::{self, PRESENCE};
use crate::{Database, SqlError, SqlStore, Value};

/// Dice choose so many places in the order of ids; from each, some neighbours are taken.
const PLACES: usize = 8;

/// Digits of a peer id.
const DIGITS: usize = 40;

impl<D: Database> SqlStore<D> {
    /// The chosen, where they are not everyone.
    pub(crate) async fn some(
        &self,
        network: &NetworkName,
        sample: &Sample,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let most = sample.most;
        let mut chosen = self.nearest(network, sample, most.div_ceil(2)).await?;
        for place in places(sample.seed) {
            let (from, few) = ((place.as_str(), "g"), most.div_ceil(2 * PLACES));
            for presence in self.range(network, sample.here_only, sample.near.as_str(), from, few).await? {
                if chosen.len() < most && !chosen.iter().any(|other| other.peer == presence.peer) {
                    chosen.push(presence);
                }
            }
        }
        Ok(chosen)
    }

    /// Every live peer, if a sample near one of them would be everyone else.
    pub(crate) async fn everyone(
        &self,
        network: &NetworkName,
        sample: &Sample,
    ) -> Result<Option<Vec<Arc<Presence>>>, SqlError<D::Error>> {
        // One of them is the one that the others are near to.
        let all = self.range(network, sample.here_only, "", ("", "g"), sample.most + 2).await?;
        Ok((all.len() <= sample.most + 1).then_some(all))
    }

    /// The nearest by XOR distance: of the ids that begin alike, few are sorted and many are split by
    /// their next digit, whose nearest value comes first. (Ids in upper case stand elsewhere in the
    /// order of texts, and may be passed over.)
    async fn nearest(
        &self,
        network: &NetworkName,
        sample: &Sample,
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let few = sample.most;
        let mut found: Vec<Arc<Presence>> = Vec::new();
        let mut beginnings = vec![String::new()];
        while let Some(beginning) = beginnings.pop() {
            let mut some = self.alike(network, sample, &beginning, few + 1).await?;
            if some.len() <= few || beginning.len() == DIGITS {
                some.sort_by_key(|presence| presence.peer.distance(&sample.near));
                found.extend(some);
                if found.len() >= most {
                    break;
                }
                continue;
            }
            let byte = sample.near.to_bytes()[beginning.len() / 2];
            let digit = if beginning.len() % 2 == 0 { byte >> 4 } else { byte & 15 };
            // The last one pushed is looked at first.
            beginnings.extend((0..16).rev().map(|other| format!("{beginning}{:x}", digit ^ other)));
        }
        found.truncate(most);
        Ok(found)
    }

    /// Live peers whose ids begin so.
    async fn alike(
        &self,
        network: &NetworkName,
        sample: &Sample,
        beginning: &str,
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        // No digit is beyond `f`.
        let end = beginning.to_string() + "g";
        self.range(network, sample.here_only, sample.near.as_str(), (beginning, &end), most).await
    }

    /// Live peers from a place in the order of ids on, and before another, but one; each once: at this
    /// node, if it is here.
    async fn range(
        &self,
        network: &NetworkName,
        here_only: bool,
        except: &str,
        (place, end): (&str, &str),
        most: usize,
    ) -> Result<Vec<Arc<Presence>>, SqlError<D::Error>> {
        let homes = if here_only { "home = ''" } else { "1" };
        // Of several homes of a peer SQLite returns the columns of the one that min() chose.
        let sql = format!(
            "SELECT {PRESENCE} FROM (SELECT {PRESENCE}, min(home) FROM presence \
             WHERE network = ?1 AND peer >= ?2 AND peer < ?3 AND peer <> ?4 \
             AND state = 0 AND {homes} GROUP BY peer ORDER BY peer LIMIT ?5)"
        );
        let parameters: [Value; 5] =
            [network.as_str().into(), place.into(), end.into(), except.into(), most.into()];
        let rows = self.run(&sql, &parameters).await?;
        Ok(rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect())
    }
}

/// Dice, spread over ids.
fn places(mut seed: u64) -> [PeerId; PLACES] {
    core::array::from_fn(|_| {
        seed = seed.wrapping_add(STEP);
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&stir(seed).to_be_bytes());
        PeerId::from_bytes(bytes)
    })
}
