//! Who is connected: at most one session for each peer.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pigeonhub_node_core::ticket::TicketKey;
use pigeonhub_node_core::{Admission, Knock, Node, SessionId};
use pigeonhub_protocol::{Close, Code, Millis, PeerId};
use tokio::time::timeout;

use crate::clock::now;
use crate::line::Line;

/// How long the old socket of a peer has to answer when a new one comes.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The sessions of this node.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<PeerId, (SessionId, Arc<Line>)>>,
    /// Peers that come over plain HTTP, and until when they count as here.
    visits: Mutex<HashMap<PeerId, (SessionId, Millis)>>,
    last: AtomicU64,
}

/// A session's place among the others; given back when it is dropped.
pub struct Seat {
    /// The peer.
    pub peer: PeerId,
    /// The session.
    pub session: SessionId,
    /// The line to it.
    pub line: Arc<Line>,
    sessions: Arc<Sessions>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({} {})", self.peer, self.session.0)
    }
}

impl Sessions {
    /// A place for the peer that knocks, or why there is none. An older session of the same peer makes
    /// way for who holds its ticket; else it is asked whether it is still there.
    pub async fn enter(self: &Arc<Self>, node: &Node, key: &TicketKey, knock: &Knock) -> Result<Seat, Close> {
        let (peer, old) = match self.admit(node, key, knock) {
            Ok(seat) => return Ok(seat),
            Err((Admission::TakeOver(peer), Some(old))) => {
                old.close(Close::TAKEN_OVER);
                return self.replace(peer, &old);
            }
            Err((Admission::Probe(peer), Some(old))) => (peer, old),
            Err((Admission::Refuse(close), _)) => return Err(close),
            Err(_) => return Err(Close::ALREADY_CONNECTED),
        };
        // Whoever answers is alive, unless it is over by now: then its place is free again.
        if timeout(PROBE_LIMIT, old.probe()).await.is_err() {
            old.close(Close::SILENT);
            self.replace(peer, &old)
        } else {
            self.admit(node, key, knock).map_err(|_| Close::ALREADY_CONNECTED)
        }
    }

    fn admit(
        self: &Arc<Self>,
        node: &Node,
        key: &TicketKey,
        knock: &Knock,
    ) -> Result<Seat, (Admission, Option<Arc<Line>>)> {
        let mut open = self.open.lock();
        let session_of =
            |peer: &PeerId| open.get(peer).map(|(session, _)| *session).or_else(|| self.visiting(peer));
        match node.admit(knock, session_of, open.len(), key) {
            Admission::Welcome(peer) => Ok(self.seat(&mut open, peer)),
            admission @ (Admission::Probe(peer) | Admission::TakeOver(peer)) => {
                Err((admission, open.get(&peer).map(|(_, line)| Arc::clone(line))))
            }
            admission @ Admission::Refuse(_) => Err((admission, None)),
        }
    }

    /// Takes the place of a session that is dead, unless somebody else was faster.
    fn replace(self: &Arc<Self>, peer: PeerId, old: &Arc<Line>) -> Result<Seat, Close> {
        let mut open = self.open.lock();
        match open.get(&peer) {
            Some((_, line)) if !Arc::ptr_eq(line, old) => Err(Close::ALREADY_CONNECTED),
            _ => Ok(self.seat(&mut open, peer)),
        }
    }

    fn seat(self: &Arc<Self>, open: &mut HashMap<PeerId, (SessionId, Arc<Line>)>, peer: PeerId) -> Seat {
        let session = SessionId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let line = Arc::new(Line::default());
        open.insert(peer, (session, Arc::clone(&line)));
        Seat { peer, session, line, sessions: Arc::clone(self) }
    }

    /// A peer is here over plain HTTP until then.
    ///
    /// # Errors
    /// [`Code::AlreadyConnected`]: it is here in another way. [`Code::NodeFull`]: there are `most`
    /// visitors.
    pub fn visit(
        &self,
        peer: PeerId,
        session: SessionId,
        until: Millis,
        now: Millis,
        most: usize,
    ) -> Result<(), Code> {
        if self.open.lock().contains_key(&peer) {
            return Err(Code::AlreadyConnected);
        }
        let mut visits = self.visits.lock();
        if visits.len() >= most {
            visits.retain(|_, (_, until)| *until > now);
        }
        match visits.get(&peer) {
            Some((other, until)) if *other != session && *until > now => return Err(Code::AlreadyConnected),
            None if visits.len() >= most => return Err(Code::NodeFull),
            Some(_) | None => visits.insert(peer, (session, until)),
        };
        Ok(())
    }

    /// A visit is over.
    pub fn leave(&self, peer: PeerId, session: SessionId) {
        let mut visits = self.visits.lock();
        if visits.get(&peer).is_some_and(|(known, _)| *known == session) {
            visits.remove(&peer);
        }
    }

    /// Whether a peer is here, by a socket or over plain HTTP.
    pub fn is_here(&self, peer: &PeerId) -> bool {
        self.open.lock().contains_key(peer) || self.visiting(peer).is_some()
    }

    fn visiting(&self, peer: &PeerId) -> Option<SessionId> {
        self.visits.lock().get(peer).filter(|(_, until)| *until > now()).map(|(session, _)| *session)
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.lock().len()
    }

    /// How many there ever were.
    pub fn count_ever(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// All are to end.
    pub fn close_all(&self, close: Close) {
        self.open.lock().values().for_each(|(_, line)| line.close(close));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.sessions.open.lock();
        if open.get(&self.peer).is_some_and(|(session, _)| *session == self.session) {
            open.remove(&self.peer);
        }
        drop(open);
        self.line.answer();
    }
}
