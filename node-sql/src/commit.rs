//! Changes: one statement each (and one more where news have lost their reader).

use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_node_core::{Change, Home, Mail, Presence};
use pigeonhub_protocol::{Frame, Millis, NetworkName, PeerId, limit};

use crate::row::{home as home_of, state};
use crate::{Database, SqlError, SqlStore, Value};

/// News for the peers of this node that a condition on `p` chooses. A reader that is far behind
/// misses news, never signals.
macro_rules! tell {
    ($condition:literal) => {
        concat!(
            "INSERT INTO mail (network, peer, text, until) ",
            "SELECT p.network, p.peer, ?2, 0 FROM presence p ",
            "WHERE p.network = ?1 AND p.home = '' AND p.state = 0 AND ",
            $condition,
            " AND (SELECT count(*) FROM mail m WHERE m.network = p.network AND m.peer = p.peer) < ?4"
        )
    };
}

impl<D: Database> SqlStore<D> {
    pub(crate) async fn apply(
        &self,
        network: &NetworkName,
        change: Change,
    ) -> Result<(), SqlError<D::Error>> {
        match change {
            Change::Remember(presence) => self.remember(&presence).await,
            Change::Renew { peer, home, until } => {
                let set = "UPDATE presence SET until = ?5";
                self.at_home(set, network, peer, &home, vec![until.0.into()]).await
            }
            Change::Leave { peer, home, until, told } => {
                let state = state(pigeonhub_node_core::State::Away { told });
                let set = "UPDATE presence SET until = ?5, state = ?6";
                self.at_home(set, network, peer, &home, vec![until.0.into(), state.into()]).await?;
                self.drop_news(network, peer).await
            }
            Change::Forget { peer, home } => {
                self.at_home("DELETE FROM presence", network, peer, &home, vec![]).await?;
                self.drop_news(network, peer).await
            }
            Change::Deliver { to, mail: Mail::News(frame) } => self.tell(network, &[to], &frame).await,
            Change::Deliver { to, mail: Mail::Signal { signal, until, code } } => {
                let text = serde_json::to_string(&signal).unwrap_or_default();
                let sql = "INSERT INTO mail (network, peer, text, code, until) VALUES (?1, ?2, ?3, ?4, ?5)";
                let parameters = [
                    network.as_str().into(),
                    to.as_str().into(),
                    text.into(),
                    code.as_str().into(),
                    until.0.into(),
                ];
                self.run(sql, &parameters).await.map(drop)
            }
            Change::Tell { to, .. } if to.is_empty() => Ok(()),
            Change::Tell { to, frame } => self.tell(network, &to, &frame).await,
            Change::TellAll { except, frame } => {
                let parameters = news(network, &frame, except.as_str().into());
                self.run(tell!("p.peer <> ?3"), &parameters).await.map(drop)
            }
        }
    }

    async fn remember(&self, presence: &Presence) -> Result<(), SqlError<D::Error>> {
        let (home, session) = home_of(&presence.home);
        let sql = "INSERT INTO presence (network, peer, home, session, state, until, profile) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (network, peer, home) \
                   DO UPDATE SET session = ?4, state = ?5, until = ?6, profile = ?7";
        let parameters = [
            presence.network.as_str().into(),
            presence.peer.as_str().into(),
            home,
            session,
            state(presence.state).into(),
            presence.until.0.into(),
            presence.profile.get().into(),
        ];
        self.run(sql, &parameters).await.map(drop)
    }

    /// A statement on the presence of a peer at a home, if its session is still the same.
    async fn at_home(
        &self,
        statement: &str,
        network: &NetworkName,
        peer: PeerId,
        home: &Home,
        more: Vec<Value>,
    ) -> Result<(), SqlError<D::Error>> {
        let (home, session) = home_of(home);
        let mut parameters = vec![network.as_str().into(), peer.as_str().into(), home, session];
        parameters.extend(more);
        let sql =
            alloc::format!("{statement} WHERE network = ?1 AND peer = ?2 AND home = ?3 AND session = ?4");
        self.run(&sql, &parameters).await.map(drop)
    }

    async fn tell(
        &self,
        network: &NetworkName,
        to: &[PeerId],
        frame: &Frame,
    ) -> Result<(), SqlError<D::Error>> {
        let to = serde_json::to_string(to).unwrap_or_default();
        let parameters = news(network, frame, to.into());
        self.run(tell!("p.peer IN (SELECT value FROM json_each(?3))"), &parameters).await.map(drop)
    }

    /// News are of no use to a peer that is not here.
    async fn drop_news(&self, network: &NetworkName, peer: PeerId) -> Result<(), SqlError<D::Error>> {
        let sql = "DELETE FROM mail WHERE network = ?1 AND peer = ?2 AND code IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM presence WHERE network = ?1 AND peer = ?2 AND home = '' AND state = 0)";
        self.run(sql, &[network.as_str().into(), peer.as_str().into()]).await.map(drop)
    }

    /// Another node is lost: its presences become absences until `until`.
    ///
    /// # Errors
    /// The database's.
    pub async fn node_lost(
        &self,
        node: &pigeonhub_protocol::NodeId,
        until: Millis,
    ) -> Result<(), SqlError<D::Error>> {
        let sql = "UPDATE presence SET state = 1, until = ?2 WHERE home = ?1 AND state = 0";
        self.run(sql, &[node.as_str().into(), until.0.into()]).await.map(drop)
    }
}

fn news(network: &NetworkName, frame: &Frame, whom: Value) -> [Value; 4] {
    [network.as_str().into(), frame.as_str().into(), whom, limit::MAILBOX_MESSAGES.into()]
}
