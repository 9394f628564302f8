//! A peer reads its mail: after a cursor, and says later how far it got.

use alloc::format;
use alloc::vec::Vec;

use pigeonhub_node_core::{Mail, MailSeq, Mailroom, SessionId};
use pigeonhub_protocol::{NetworkName, PeerId};

use crate::row::{self, MAIL};
use crate::{Database, SqlError, SqlStore};

/// The session is the peer's live one here.
const IS_SESSION: &str = "EXISTS (SELECT 1 FROM presence p WHERE p.network = ?1 AND p.peer = ?2 \
                          AND p.home = '' AND p.state = 0 AND p.session = ?3)";

impl<D: Database> Mailroom for SqlStore<D> {
    async fn read(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Result<Vec<(MailSeq, Mail)>, SqlError<D::Error>> {
        let sql = format!(
            "SELECT {MAIL} FROM mail WHERE network = ?1 AND peer = ?2 AND seq > ?4 AND {IS_SESSION} \
             ORDER BY seq LIMIT ?5"
        );
        let (network, peer) = (network.as_str(), peer.as_str());
        let parameters = [network.into(), peer.into(), session.0.into(), cursor.0.into(), most.into()];
        let rows = self.run(&sql, &parameters).await?;
        let mail: Vec<_> =
            rows.iter().filter_map(row::mail).map(|(seq, _, mail)| (MailSeq(seq), mail)).collect();
        if let Some((last, _)) = mail.last() {
            let sql = "UPDATE mail SET sent = 1 WHERE network = ?1 AND peer = ?2 AND seq <= ?3 AND sent <> 1";
            self.run(sql, &[network.into(), peer.into(), last.0.into()]).await?;
        }
        Ok(mail)
    }

    async fn acknowledge(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
    ) -> Result<(), SqlError<D::Error>> {
        let sql = format!(
            "DELETE FROM mail WHERE network = ?1 AND peer = ?2 AND seq <= ?4 AND sent > 0 AND {IS_SESSION}"
        );
        let parameters = [network.as_str().into(), peer.as_str().into(), session.0.into(), cursor.0.into()];
        self.run(&sql, &parameters).await.map(drop)
    }
}
