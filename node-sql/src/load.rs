//! Facts: a statement for each thing that is asked.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use pigeonhub_node_core::{Facts, Mail, Target};
use pigeonhub_protocol::{Millis, NetworkName, PeerId, limit};
use serde::Serialize;

use crate::row::{self, MAIL, PRESENCE};
use crate::{Database, SqlError, SqlStore, Value};

/// No live presence here of the peer of a mail row.
const NOT_HERE: &str = "NOT EXISTS (SELECT 1 FROM presence p WHERE p.network = mail.network \
                        AND p.peer = mail.peer AND p.home = '' AND p.state = 0)";

impl<D: Database> SqlStore<D> {
    /// Signals that wait for peers which are not here, taken out.
    pub(crate) async fn waiting_for(
        &self,
        whom: &[(&NetworkName, PeerId)],
    ) -> Result<Vec<(PeerId, Mail)>, SqlError<D::Error>> {
        let condition = format!(
            "(network, peer) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) \
             AND code IS NOT NULL AND {NOT_HERE}"
        );
        self.take(&condition, &[json(whom)]).await
    }

    /// What is known of each peer.
    pub(crate) async fn targets(
        &self,
        whom: &BTreeSet<(&NetworkName, PeerId)>,
    ) -> Result<BTreeMap<(NetworkName, PeerId), Target>, SqlError<D::Error>> {
        let mut found: BTreeMap<_, Target> = BTreeMap::new();
        if whom.is_empty() {
            return Ok(found);
        }
        // Presences, and for each mailbox a row without a home: how many messages, how many characters.
        // (CROSS JOIN keeps the order of the tables.)
        let sql = format!(
            "SELECT network, {PRESENCE} FROM json_each(?1) CROSS JOIN presence \
             WHERE network = value ->> 0 AND peer = value ->> 1 \
             UNION ALL SELECT network, peer, NULL, count(*), sum(length(text)), NULL, NULL \
             FROM json_each(?1) CROSS JOIN mail \
             WHERE network = value ->> 0 AND peer = value ->> 1 GROUP BY network, peer"
        );
        for row in self.run(&sql, &[json(whom)]).await? {
            let Some((network, columns)) = row.split_first() else { continue };
            let Some(network) = row::text(network).and_then(|name| name.parse().ok()) else { continue };
            if let [peer, Value::Null, count, bytes, ..] = columns {
                let Some(peer) = row::text(peer).and_then(|peer| peer.parse().ok()) else { continue };
                let (count, bytes) = (row::number(count).unwrap_or(0), row::number(bytes).unwrap_or(0));
                let target = found.entry((network, peer)).or_default();
                target.waits = count > 0;
                target.full = count >= limit::MAILBOX_MESSAGES as u64
                    || bytes + limit::MESSAGE as u64 > limit::MAILBOX_BYTES as u64;
            } else if let Some(presence) = row::presence(columns, &network, &self.own, self.now) {
                found.entry((network, presence.peer)).or_default().homes.push(presence);
            }
        }
        Ok(found)
    }

    /// The same for each of these, in their order.
    async fn targets_of(
        &self,
        network: &NetworkName,
        peers: impl Iterator<Item = PeerId>,
    ) -> Result<Vec<Target>, SqlError<D::Error>> {
        let whom: Vec<_> = peers.map(|peer| (network, peer)).collect();
        let found = self.targets(&whom.iter().copied().collect()).await?;
        let target = |(network, peer): &(&NetworkName, PeerId)| found.get(&((*network).clone(), *peer));
        Ok(whom.iter().map(|one| target(one).cloned().unwrap_or_default()).collect())
    }

    /// What is over in a network.
    pub(crate) async fn over(
        &self,
        network: &NetworkName,
        now: Millis,
        facts: &mut Facts,
    ) -> Result<(), SqlError<D::Error>> {
        let sql = format!("SELECT {PRESENCE} FROM presence WHERE network = ?1 AND until <= ?2");
        let rows = self.run(&sql, &[network.as_str().into(), now.into()]).await?;
        let over: Vec<_> =
            rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect();
        let targets = self.targets_of(network, over.iter().map(|presence| presence.peer)).await?;
        facts.over = over.into_iter().zip(targets).collect();

        // What a stream has got is overdue only when its peer is no longer here.
        let condition =
            format!("network = ?1 AND code IS NOT NULL AND until <= ?2 AND (sent <> 1 OR {NOT_HERE})");
        let overdue = self.take(&condition, &[network.as_str().into(), now.into()]).await?;
        let senders = self.targets_of(network, overdue.iter().map(|(_, mail)| sender(mail))).await?;
        facts.overdue = overdue.into_iter().map(|(_, mail)| mail).zip(senders).collect();

        let condition = format!(
            "network = ?1 AND code IS NOT NULL AND {NOT_HERE} AND EXISTS (SELECT 1 FROM presence p \
             WHERE p.network = mail.network AND p.peer = mail.peer AND p.state = 0)"
        );
        let stranded = self.take(&condition, &[network.as_str().into()]).await?;
        let targets = self.targets_of(network, stranded.iter().map(|(peer, _)| *peer)).await?;
        facts.stranded = stranded.into_iter().map(|(_, mail)| mail).zip(targets).collect();
        Ok(())
    }

    /// Removes mail and returns it in order: each message has one taker.
    async fn take(
        &self,
        condition: &str,
        parameters: &[Value],
    ) -> Result<Vec<(PeerId, Mail)>, SqlError<D::Error>> {
        let sql = format!("DELETE FROM mail WHERE {condition} RETURNING {MAIL}");
        let rows = self.run(&sql, parameters).await?;
        let mut taken: Vec<_> = rows.iter().filter_map(row::mail).collect();
        taken.sort_by_key(|(seq, ..)| *seq);
        Ok(taken.into_iter().map(|(_, peer, mail)| (peer, mail)).collect())
    }
}

/// A list as SQL reads it: `json_each`.
pub(crate) fn json(list: impl Serialize) -> Value {
    serde_json::to_string(&list).unwrap_or_default().into()
}

/// Only signals are ever taken.
fn sender(mail: &Mail) -> PeerId {
    match mail {
        Mail::Signal { signal, .. } => signal.from,
        Mail::News(_) => PeerId::from_bytes([0; 20]),
    }
}
