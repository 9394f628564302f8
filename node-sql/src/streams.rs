//! Streams of events that are open, on all instances together: a bounded number, one for each session.

use pigeonhub_node_core::{Caller, SessionId};
use pigeonhub_protocol::Millis;

use crate::row;
use crate::{Database, SqlError, SqlStore};

impl<D: Database> SqlStore<D> {
    /// Opens a stream that ends itself by `until`; an older one of the session is to end. Gives how
    /// many there are now, or `None` if there are `most` of others already.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_stream(
        &self,
        session: SessionId,
        name: &str,
        until: Millis,
        most: usize,
    ) -> Result<Option<usize>, SqlError<D::Error>> {
        let sql = "INSERT INTO stream (session, name, until) SELECT ?1, ?2, ?3 WHERE \
                   (SELECT count(*) FROM stream WHERE session <> ?1 AND until > ?4) < ?5 \
                   ON CONFLICT (session) DO UPDATE SET name = ?2, until = ?3 RETURNING 1";
        let parameters = [session.0.into(), name.into(), until.into(), self.now.into(), most.into()];
        let opened = !self.run(sql, &parameters).await?.is_empty();
        if !opened {
            return Ok(None);
        }
        // If a newer one came at this very moment, this one will find that out in its time.
        Ok(Some(self.streams(session, name).await?.unwrap_or(most)))
    }

    /// How many streams there are; `None` if this one is to end, for its session has a newer one.
    ///
    /// # Errors
    /// The database's.
    pub async fn streams(&self, session: SessionId, name: &str) -> Result<Option<usize>, SqlError<D::Error>> {
        let sql = "SELECT (SELECT count(*) FROM stream WHERE until > ?3) FROM stream \
                   WHERE session = ?1 AND name = ?2";
        let rows = self.run(sql, &[session.0.into(), name.into(), self.now.into()]).await?;
        let count = rows.first().and_then(|row| row.first()).and_then(row::number);
        Ok(count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// A stream gives its place back. Those that could not do so lose theirs.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_stream(&self, session: SessionId, name: &str) -> Result<(), SqlError<D::Error>> {
        let sql = "DELETE FROM stream WHERE (session = ?1 AND name = ?2) OR until <= ?3";
        self.run(sql, &[session.0.into(), name.into(), self.now.into()]).await.map(drop)
    }

    /// A stream of mail is over. If the session has no newer one, it has
    /// until `until` to say what it got: then what it did not is overdue.
    ///
    /// # Errors
    /// The database's.
    pub async fn close_stream(
        &self,
        caller: &Caller,
        name: &str,
        until: Millis,
    ) -> Result<(), SqlError<D::Error>> {
        self.end_stream(caller.session, name).await?;
        let Some(network) = &caller.network else { return Ok(()) };
        let sql = "UPDATE mail SET sent = 2, until = max(until, ?4) WHERE network = ?1 AND peer = ?2 \
                   AND sent = 1 AND code IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stream WHERE session = ?3)";
        let (network, peer) = (network.as_str(), caller.peer.as_str());
        self.run(sql, &[network.into(), peer.into(), caller.session.0.into(), until.into()]).await.map(drop)
    }
}
