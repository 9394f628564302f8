//! The changes of a step, as the one statement that applies them (see `schema.sql`).

use alloc::vec::Vec;

use pigeonhub_node_core::{Absence, Change, Mail, State};
use pigeonhub_protocol::{NetworkName, NodeId, limit};
use serde_json::{Value as Json, json};

use crate::row::{place, state, time};
use crate::{Database, SqlError, SqlStore};

/// What the trigger does with signals.
const SIGNALS: &str = "INSERT INTO mail (network, peer, text, node, code, until) \
                       SELECT value ->> 'network', value ->> 'to', value ->> 'text', value ->> 'by', \
                       value ->> 'code', value ->> 'until' FROM json_each(?1) ORDER BY key";

impl<D: Database> SqlStore<D> {
    pub(crate) async fn apply(
        &self,
        changes: &[(NetworkName, Vec<Change>)],
    ) -> Result<(), SqlError<D::Error>> {
        let are_signals = changes.iter().flat_map(|(_, changes)| changes).all(is_signal);
        let in_network = |(network, changes): &(NetworkName, Vec<Change>)| {
            changes.iter().map(|change| written(network, change)).collect::<Vec<_>>()
        };
        let changes: Vec<Json> = changes.iter().flat_map(in_network).collect();
        let text = serde_json::to_string(&changes).unwrap_or_default();
        // Every connection compiles its statements anew, and most steps bring signals and no more: to
        // those the trigger would add nothing but its length.
        let sql = if are_signals { SIGNALS } else { "INSERT INTO step (changes) VALUES (?1)" };
        self.run(sql, &[text.into()]).await.map(drop)
    }

    /// Another node is lost: its presences become absences, longer ones of peers that said that they would
    /// be silent and are nowhere else.
    ///
    /// # Errors
    /// The database's.
    pub async fn node_lost(&self, node: &NodeId, absence: Absence) -> Result<(), SqlError<D::Error>> {
        // Profiles may be deeper than SQLite reads; those say nothing.
        let sql = "UPDATE presence SET state = 1, until = CASE \
                   WHEN CASE WHEN json_valid(profile) THEN json_type(profile, '$.away') END IS NOT 'true' THEN ?2 \
                   WHEN EXISTS (SELECT 1 FROM presence p WHERE p.network = presence.network \
                   AND p.peer = presence.peer AND p.home <> ?1 AND p.state = 0) THEN ?2 \
                   ELSE ?3 END WHERE home = ?1 AND state = 0";
        let Absence { usual, said } = absence;
        self.run(sql, &[node.as_str().into(), usual.into(), said.into()]).await.map(drop)
    }
}

const fn is_signal(change: &Change) -> bool {
    matches!(change, Change::Deliver { mail: Mail::Signal { .. }, .. })
}

/// In the words of the trigger.
fn written(network: &NetworkName, change: &Change) -> Json {
    let most = limit::MAILBOX_MESSAGES;
    let mut written = match change {
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
    };
    written["network"] = network.as_str().into();
    written
}
