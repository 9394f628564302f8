//! The transport over HTTP: a peer posts what it says and gets the replies, and reads its mail from
//! the answer or from a stream of events.
//!
//! The session model is the socket's: connect, announce, signal, leave. What a socket knows by being
//! open, a [ticket](crate::ticket) tells.

use alloc::string::String;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{
    Code, Frame, Millis, Moment, NetworkName, NodeMessage, PeerId, PeerMessage, RawJson, Refusal, limit,
};
use serde::Deserialize;

use crate::ticket::{self, TicketKey};
use crate::{
    Caller, Decision, Errand, Event, Mail, MailSeq, Needs, Node, SessionId, Store, exchange, exchange_all,
};

/// A store whose mail is read by sessions that acknowledge.
#[allow(async_fn_in_trait, reason = "as for `Store`")]
pub trait Mailroom: Store {
    /// Up to `most` messages of a session after its cursor. They stay until they are acknowledged.
    async fn read(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Result<Vec<(MailSeq, Mail)>, Self::Error>;

    /// A session has got everything up to its cursor.
    async fn acknowledge(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
    ) -> Result<(), Self::Error>;
}

/// The body of `POST /signaling/exchange`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    /// The ticket of the last answer; without one, a session begins.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Who begins it.
    #[serde(default)]
    pub peer_id: Option<PeerId>,
    /// The caller has got its mail up to this cursor.
    #[serde(default)]
    pub heard: Option<u64>,
    /// Whether mail is wanted in the answer (no stream is open).
    #[serde(default)]
    pub poll: bool,
    /// What the peer says, in order: messages as on a socket.
    #[serde(default)]
    pub messages: Vec<RawJson>,
    /// The session is over after that, as if a socket had been closed.
    #[serde(default)]
    pub leave: bool,
}

impl Talk {
    /// Who speaks. A session that begins gets its id from the dice.
    ///
    /// # Errors
    /// [`Code::TicketInvalid`], [`Code::TicketExpired`].
    pub fn caller(&self, key: &TicketKey, at: Moment) -> Result<Caller, Code> {
        match (&self.ticket, self.peer_id) {
            (Some(ticket), _) => ticket::open(ticket, key, at.now),
            (None, Some(peer)) => Ok(Caller { peer, session: SessionId(at.seed), network: None }),
            (None, None) => Err(Code::TicketInvalid),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Conversation {
    /// The caller, as it is now.
    pub caller: Caller,
    /// A ticket for it.
    pub ticket: String,
    /// Replies to what was said, in order.
    pub replies: Vec<Frame>,
    /// Mail, if it was asked for.
    pub mail: Vec<(MailSeq, Frame)>,
    /// For the host, in order.
    pub errands: Vec<Errand>,
}

/// Why there is none.
#[derive(Debug)]
pub enum ConverseError<E> {
    /// The caller's fault: 400, 401, 409 or 413.
    Refused(Code),
    /// The store cannot do it now; what was said may be said again whole.
    Store(E),
}

impl<E> From<E> for ConverseError<E> {
    fn from(error: E) -> Self {
        Self::Store(error)
    }
}

/// One `POST /signaling/exchange`.
///
/// # Errors
/// [`ConverseError`].
pub async fn converse<S: Mailroom>(
    node: &Node,
    store: &S,
    key: &TicketKey,
    talk: Talk,
    at: Moment,
) -> Result<Conversation, ConverseError<S::Error>> {
    if talk.messages.len() > limit::BATCH {
        return Err(ConverseError::Refused(Code::MessageTooLarge));
    }
    let mut caller = talk.caller(key, at).map_err(ConverseError::Refused)?;
    let mut replies = Vec::new();
    let mut errands = Vec::new();
    if talk.ticket.is_none() {
        replies.push(
            NodeMessage::Connected { peer: caller.peer, node: node.id.clone(), ticket: None }.frame(at.now),
        );
    }
    if let (Some(network), Some(heard)) = (&caller.network, talk.heard) {
        store.acknowledge(network, caller.peer, caller.session, MailSeq(heard)).await?;
    }
    let mut said = talk.messages.iter().map(|message| PeerMessage::parse(message.get())).zip(0..).peekable();
    while let Some((message, turn)) = said.next() {
        let at = Moment { seed: at.seed.wrapping_add(turn), ..at };
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                let refusal = Refusal::new(error.code, error.original_type);
                replies.push(NodeMessage::Error(refusal).frame(at.now));
                continue;
            }
        };
        if let PeerMessage::Announce { network, .. } = &message {
            refuse_second(store, network, &caller).await?;
        }
        let mut run = alloc::vec![Event::Said(caller.clone(), message)];
        // Signals come in crowds: a description and its candidates.
        while is_signal(run.last())
            && let Some((Ok(signal), _)) =
                said.next_if(|(next, _)| matches!(next, Ok(PeerMessage::Signal { .. })))
        {
            run.push(Event::Said(caller.clone(), signal));
        }
        for decision in exchange_all(node, store, run, at).await? {
            follow(&mut caller, decision, &mut replies, &mut errands);
        }
    }
    let last = if talk.leave {
        Event::Gone(caller.clone(), Departure::Closed)
    } else {
        Event::StillHere(caller.clone())
    };
    let decision = exchange(node, store, last, at).await?;
    follow(&mut caller, decision, &mut replies, &mut errands);
    let cursor = MailSeq(talk.heard.unwrap_or(0));
    let mail = if talk.poll { mail(store, &caller, cursor, limit::BATCH, at.now).await? } else { Vec::new() };
    Ok(Conversation { ticket: ticket::seal(&caller, key, at.now), caller, replies, mail, errands })
}

/// `GET /signaling/events` begins, or goes on: whose mail is read from here on. It has its mail up to
/// the cursor.
///
/// # Errors
/// [`ConverseError`]. [`Code::NotAnnounced`]: the session is over, or has announced nothing yet.
pub async fn resume<S: Mailroom>(
    store: &S,
    key: &TicketKey,
    ticket: &str,
    cursor: MailSeq,
    now: Millis,
) -> Result<Caller, ConverseError<S::Error>> {
    let caller = ticket::open(ticket, key, now).map_err(ConverseError::Refused)?;
    let Some(network) = &caller.network else { return Err(ConverseError::Refused(Code::NotAnnounced)) };
    let facts = store.load(&Needs::about(network.clone(), &[caller.peer])).await?;
    let here = facts.targets.first().and_then(|target| target.here());
    if !here.is_some_and(|here| here.is_live() && here.is_session(caller.session)) {
        return Err(ConverseError::Refused(Code::NotAnnounced));
    }
    store.acknowledge(network, caller.peer, caller.session, cursor).await?;
    Ok(caller)
}

/// A caller's mail after its cursor, as frames: for an answer, or for the next events of a stream.
///
/// # Errors
/// The store's.
pub async fn mail<S: Mailroom>(
    store: &S,
    caller: &Caller,
    cursor: MailSeq,
    most: usize,
    now: Millis,
) -> Result<Vec<(MailSeq, Frame)>, S::Error> {
    let Some(network) = &caller.network else { return Ok(Vec::new()) };
    let mail = store.read(network, caller.peer, caller.session, cursor, most).await?;
    Ok(mail.into_iter().map(|(seq, mail)| (seq, mail.into_frame(now))).collect())
}

/// A peer that is live here in another session keeps it: who claims its id without its ticket could
/// be anybody.
async fn refuse_second<S: Store>(
    store: &S,
    network: &NetworkName,
    caller: &Caller,
) -> Result<(), ConverseError<S::Error>> {
    let facts = store.load(&Needs::about(network.clone(), &[caller.peer])).await?;
    let known = facts.targets.first().and_then(|target| target.here());
    match known {
        Some(known) if known.is_live() && !known.is_session(caller.session) => {
            Err(ConverseError::Refused(Code::AlreadyConnected))
        }
        _ => Ok(()),
    }
}

const fn is_signal(event: Option<&Event>) -> bool {
    matches!(event, Some(Event::Said(_, PeerMessage::Signal { .. })))
}

fn follow(caller: &mut Caller, decision: Decision, replies: &mut Vec<Frame>, errands: &mut Vec<Errand>) {
    replies.extend(decision.replies);
    errands.extend(decision.errands);
    if decision.left {
        caller.network = None;
    }
    if decision.joined.is_some() {
        caller.network = decision.joined;
    }
}
