//! The changes of a step, as the one statement that applies them (see `schema.sql`).

use alloc::vec::Vec;

use pigeonhub_node_core::{Change, Mail, State};
use pigeonhub_protocol::{Millis, NetworkName, NodeId, limit};
use serde_json::{Value as Json, json};

use crate::row::{place, state, time};
use crate::{Database, SqlError, SqlStore};

impl<D: Database> SqlStore<D> {
    pub(crate) async fn apply(
        &self,
        network: &NetworkName,
        changes: &[Change],
    ) -> Result<(), SqlError<D::Error>> {
        let changes: Vec<Json> = changes.iter().map(written).collect();
        let text = serde_json::to_string(&changes).unwrap_or_default();
        let sql = "INSERT INTO step (network, changes) VALUES (?1, ?2)";
        self.run(sql, &[network.as_str().into(), text.into()]).await.map(drop)
    }

    /// Another node is lost: its presences become absences until `until`.
    ///
    /// # Errors
    /// The database's.
    pub async fn node_lost(&self, node: &NodeId, until: Millis) -> Result<(), SqlError<D::Error>> {
        let sql = "UPDATE presence SET state = 1, until = ?2 WHERE home = ?1 AND state = 0";
        self.run(sql, &[node.as_str().into(), until.into()]).await.map(drop)
    }
}

/// In the words of the trigger.
fn written(change: &Change) -> Json {
    let most = limit::MAILBOX_MESSAGES;
    match change {
        Change::Remember(presence) => {
            let (home, session) = place(&presence.home);
            json!({
                "do": "remember", "peer": presence.peer, "home": home, "session": session,
                "state": state(presence.state), "until": time(presence.until),
                "profile": presence.profile.get(),
            })
        }
        Change::Renew { peer, home, until } => {
            let (home, session) = place(home);
            json!({"do": "renew", "peer": peer, "home": home, "session": session, "until": time(*until)})
        }
        Change::Leave { peer, home, until, told } => {
            let (home, session) = place(home);
            let state = state(State::Away { told: *told });
            json!({
                "do": "leave", "peer": peer, "home": home, "session": session,
                "until": time(*until), "state": state,
            })
        }
        Change::Forget { peer, home } => {
            let (home, session) = place(home);
            json!({"do": "forget", "peer": peer, "home": home, "session": session})
        }
        Change::Deliver { to, mail: Mail::Signal { signal, by, until, code } } => {
            let text = serde_json::to_string(signal).unwrap_or_default();
            json!({
                "do": "signal", "to": to, "text": text, "by": by, "code": code.as_str(),
                "until": time(*until),
            })
        }
        Change::Deliver { to, mail: Mail::News(frame) } => {
            json!({"do": "tell", "to": [to], "text": frame.as_str(), "most": most})
        }
        Change::Tell { to, frame } => {
            json!({"do": "tell", "to": to, "text": frame.as_str(), "most": most})
        }
        Change::TellAll { except, frame } => {
            json!({"do": "tell-all", "except": except, "text": frame.as_str(), "most": most})
        }
    }
}
