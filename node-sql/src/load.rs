//! Facts: a statement for each thing that is asked.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use pigeonhub_node_core::{Facts, Mail, Needs, Target};
use pigeonhub_protocol::{Millis, NetworkName, PeerId, limit};

use crate::row::{self, MAIL, PRESENCE};
use crate::{Database, SqlError, SqlStore, Value};

/// No live presence here of the peer of a mail row.
const NOT_HERE: &str = "NOT EXISTS (SELECT 1 FROM presence p WHERE p.network = mail.network \
                        AND p.peer = mail.peer AND p.home = '' AND p.state = 0)";

impl<D: Database> SqlStore<D> {
    pub(crate) async fn facts(&self, needs: &Needs) -> Result<Facts, SqlError<D::Error>> {
        let network = &needs.network;
        let mut facts =
            Facts { targets: self.targets(network, &needs.targets).await?.into(), ..Facts::default() };
        if needs.nodes {
            facts.nodes = self.nodes.as_slice().into();
        }
        if let Some(sample) = &needs.sample {
            (facts.sample, facts.sample_is_all) = self.sample(network, sample).await?;
        }
        if let Some(peer) = needs.waiting_for {
            let taken = self.waiting_for(network, &[peer]).await?;
            facts.waiting = taken.into_iter().map(|(_, mail)| mail).collect();
        }
        if let Some(now) = needs.over_at {
            self.over(network, now, &mut facts).await?;
        }
        Ok(facts)
    }

    /// Signals that wait for peers which are not here, taken out.
    pub(crate) async fn waiting_for(
        &self,
        network: &NetworkName,
        peers: &[PeerId],
    ) -> Result<Vec<(PeerId, Mail)>, SqlError<D::Error>> {
        let whom = serde_json::to_string(peers).unwrap_or_default();
        let condition =
            format!("peer IN (SELECT value FROM json_each(?2)) AND code IS NOT NULL AND {NOT_HERE}");
        self.take(network, &condition, whom.into()).await
    }

    /// What is known of each peer, in their order.
    pub(crate) async fn targets(
        &self,
        network: &NetworkName,
        peers: &[PeerId],
    ) -> Result<Vec<Target>, SqlError<D::Error>> {
        if peers.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: BTreeMap<PeerId, Target> = BTreeMap::new();
        let whom = serde_json::to_string(peers).unwrap_or_default();
        let parameters = [network.as_str().into(), whom.into()];
        let sql = format!(
            "SELECT {PRESENCE} FROM presence WHERE network = ?1 AND peer IN (SELECT value FROM json_each(?2))"
        );
        for row in self.run(&sql, &parameters).await? {
            if let Some(presence) = row::presence(&row, network, &self.own, self.now) {
                found.entry(presence.peer).or_default().homes.push(presence);
            }
        }
        let sql = "SELECT peer, count(*), sum(length(text)) FROM mail WHERE network = ?1 \
                   AND peer IN (SELECT value FROM json_each(?2)) GROUP BY peer";
        for row in self.run(sql, &parameters).await? {
            let [peer, count, bytes] = row.as_slice() else { continue };
            let Some(peer) = row::text(peer).and_then(|peer| peer.parse().ok()) else { continue };
            let (count, bytes) = (row::number(count).unwrap_or(0), row::number(bytes).unwrap_or(0));
            let target = found.entry(peer).or_default();
            target.waits = count > 0;
            target.full = count >= limit::MAILBOX_MESSAGES as u64
                || bytes + limit::MESSAGE as u64 > limit::MAILBOX_BYTES as u64;
        }
        Ok(peers.iter().map(|peer| found.get(peer).cloned().unwrap_or_default()).collect())
    }

    async fn over(
        &self,
        network: &NetworkName,
        now: Millis,
        facts: &mut Facts,
    ) -> Result<(), SqlError<D::Error>> {
        let sql = format!("SELECT {PRESENCE} FROM presence WHERE network = ?1 AND until <= ?2");
        let rows = self.run(&sql, &[network.as_str().into(), now.into()]).await?;
        let over: Vec<_> =
            rows.iter().filter_map(|row| row::presence(row, network, &self.own, self.now)).collect();
        let peers: Vec<_> = over.iter().map(|presence| presence.peer).collect();
        facts.over = over.into_iter().zip(self.targets(network, &peers).await?).collect();

        // What a stream has got is overdue only when its peer is no longer here.
        let condition = format!("code IS NOT NULL AND until <= ?2 AND (sent <> 1 OR {NOT_HERE})");
        let overdue = self.take(network, &condition, now.into()).await?;
        let senders: Vec<_> = overdue.iter().map(|(_, mail)| sender(mail)).collect();
        let senders = self.targets(network, &senders).await?;
        facts.overdue = overdue.into_iter().map(|(_, mail)| mail).zip(senders).collect();

        let condition = format!(
            "code IS NOT NULL AND {NOT_HERE} AND ?2 AND EXISTS (SELECT 1 FROM presence p \
             WHERE p.network = mail.network AND p.peer = mail.peer AND p.state = 0)"
        );
        let stranded = self.take(network, &condition, 1_u64.into()).await?;
        let peers: Vec<_> = stranded.iter().map(|(peer, _)| *peer).collect();
        let targets = self.targets(network, &peers).await?;
        facts.stranded = stranded.into_iter().map(|(_, mail)| mail).zip(targets).collect();
        Ok(())
    }

    /// Removes mail and returns it in order: each message has one taker.
    async fn take(
        &self,
        network: &NetworkName,
        condition: &str,
        parameter: Value,
    ) -> Result<Vec<(PeerId, Mail)>, SqlError<D::Error>> {
        let sql = format!("DELETE FROM mail WHERE network = ?1 AND {condition} RETURNING {MAIL}");
        let rows = self.run(&sql, &[network.as_str().into(), parameter]).await?;
        let mut taken: Vec<_> = rows.iter().filter_map(row::mail).collect();
        taken.sort_by_key(|(seq, ..)| *seq);
        Ok(taken.into_iter().map(|(_, peer, mail)| (peer, mail)).collect())
    }
}

/// Only signals are ever taken.
fn sender(mail: &Mail) -> PeerId {
    match mail {
        Mail::Signal { signal, .. } => signal.from,
        Mail::News(_) => PeerId::from_bytes([0; 20]),
    }
}
