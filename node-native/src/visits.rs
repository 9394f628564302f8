//! Peers that come over plain HTTP: what they post, and the streams on which they get their mail.

mod paces;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, Stream, stream};
use pigeonhub_node_core::rest::{self, Reply};
use pigeonhub_node_core::{Caller, ConverseError, Event, MailSeq, Talk, converse, mail, resume};
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Code, Frame, NodeMessage, Refusal};
use tokio::time::{Instant, sleep_until, timeout_at};

use self::paces::Hearing;
pub use self::paces::Paces;
use crate::clock::now;
use crate::host::Host;
use crate::http::response;
use crate::line::Line;

/// A visit that says nothing and has no stream for this long is over.
const ABSENCE: u64 = 30_000;
/// A stream ends itself after about this time, as serverless nodes' streams do: clients need one way
/// of going on only.
const STREAM: Duration = Duration::from_secs(55);
/// How often a stream renews its visit.
const RENEWAL: Duration = Duration::from_secs(10);
/// Messages in one go.
const HANDFUL: usize = 64;

impl Host {
    /// `POST /signaling/exchange`
    pub fn exchange(self: &Arc<Self>, mut talk: Talk) -> Reply {
        if self.is_draining() {
            return self.elsewhere(Code::Draining);
        }
        // Who begins a session without a ticket could be anybody.
        if talk.ticket.is_none() && talk.peer_id.is_some_and(|peer| self.sessions.is_here(&peer)) {
            return Reply::refuse(Code::AlreadyConnected);
        }
        let at = self.clock.moment();
        let caller = match talk.caller(&self.tickets, at) {
            Ok(caller) => caller,
            Err(code) => return Reply::refuse(code),
        };
        let too_many = match self.paces.hear(caller.session, talk.messages.len(), at.now) {
            Hearing::First(heard) => talk.messages.drain(heard..).count(),
            Hearing::Nothing => return Reply::refuse(Code::RateLimited),
            Hearing::Flood => return self.dismiss(caller),
            Hearing::Full => return self.elsewhere(Code::NodeFull),
        };
        let conversation = converse(&self.node, &self.store.step(), &self.tickets, talk, at).now_or_never();
        let mut conversation = match conversation {
            Some(Ok(conversation)) => conversation,
            Some(Err(ConverseError::Refused(code))) => return Reply::refuse(code),
            Some(Err(ConverseError::Store(never))) => match never {},
            None => unreachable!("the store in memory never waits"),
        };
        // A socket of the same peer that came at this very moment stays; its announce counts.
        if let Err(Code::NodeFull) = self.renew(&conversation.caller) {
            self.happen(Event::Gone(conversation.caller, Departure::Closed));
            return self.elsewhere(Code::NodeFull);
        }
        let refusal = || NodeMessage::Error(Refusal::new(Code::RateLimited, None)).frame(at.now);
        conversation.replies.extend(std::iter::repeat_with(refusal).take(too_many));
        let reply = rest::conversation(&self.node.id, &conversation);
        self.carry_out(conversation.errands);
        reply
    }

    /// The visit is over, as a socket would be closed. Nothing of the request was done, so it may be said
    /// again.
    fn dismiss(self: &Arc<Self>, caller: Caller) -> Reply {
        self.sessions.leave(caller.peer, caller.session);
        self.happen(Event::Gone(caller, Departure::Lost));
        Reply::refuse(Code::RateLimited)
    }

    fn elsewhere(&self, code: Code) -> Reply {
        Reply::elsewhere(code, self.mesh.membership().up().map(|node| node.u.as_str()))
    }

    /// The visit goes on, unless the peer is here in another way or the node is full.
    fn renew(&self, caller: &Caller) -> Result<(), Code> {
        if caller.network.is_none() {
            self.sessions.leave(caller.peer, caller.session);
            return Ok(());
        }
        let most = self.node.settings.connections;
        self.sessions.visit(caller.peer, caller.session, now().plus(ABSENCE), now(), most)
    }

    /// `GET /signaling/events`
    pub fn events(self: &Arc<Self>, ticket: &str, cursor: MailSeq) -> Response {
        let resumed = resume(&self.store.step(), &self.tickets, ticket, cursor, now()).now_or_never();
        let caller = match resumed {
            Some(Ok(caller)) => caller,
            Some(Err(ConverseError::Refused(code))) => return response(Reply::refuse(code)),
            Some(Err(ConverseError::Store(never))) => match never {},
            None => unreachable!("the store in memory never waits"),
        };
        let Some(network) = caller.network.clone() else {
            return response(Reply::refuse(Code::NotAnnounced));
        };
        match self.renew(&caller) {
            Ok(()) => {}
            Err(code @ Code::NodeFull) => return response(self.elsewhere(code)),
            Err(code) => return response(Reply::refuse(code)),
        }
        let line = Arc::new(Line::default());
        let outlet = Arc::clone(&line) as Arc<dyn pigeonhub_node_core::Outlet>;
        self.store.attach(&network, caller.peer, caller.session, outlet);
        line.ring_first();
        let jitter = Duration::from_millis(self.clock.dice() % 5_000);
        let end = Instant::now() + STREAM + jitter;
        let visit = Visit { host: Arc::clone(self), caller, line, cursor, end, renewal: Instant::now() };
        let events = stream::unfold(visit, |mut visit| async {
            let events = visit.next().await?;
            Some((stream::iter(events.into_iter().map(Ok::<_, Infallible>)), visit))
        });
        let keep_alive = KeepAlive::new().interval(Duration::from_secs(10));
        Sse::new(flat(events)).keep_alive(keep_alive).into_response()
    }
}

fn flat<S: Stream>(events: S) -> impl Stream<Item = <S::Item as Stream>::Item>
where
    S::Item: Stream,
{
    futures_util::StreamExt::flatten(events)
}

/// An open stream.
struct Visit {
    host: Arc<Host>,
    caller: Caller,
    line: Arc<Line>,
    cursor: MailSeq,
    end: Instant,
    renewal: Instant,
}

impl Visit {
    /// The next events; `None` when the stream is over.
    async fn next(&mut self) -> Option<Vec<SseEvent>> {
        loop {
            if Instant::now() >= self.renewal {
                self.renewal = Instant::now() + RENEWAL;
                let here = self.host.step(Event::StillHere(self.caller.clone()), self.host.clock.moment());
                self.host.carry_out(here.errands);
                if here.left || self.host.renew(&self.caller).is_err() {
                    return None;
                }
            }
            let mail = self.mail();
            if let Some((last, _)) = mail.last() {
                self.cursor = *last;
                let event = |(seq, frame): (MailSeq, Frame)| {
                    SseEvent::default().id(seq.0.to_string()).data(frame.as_str())
                };
                return Some(mail.into_iter().map(event).collect());
            }
            if self.line.closing().is_some() || self.host.is_draining() || Instant::now() >= self.end {
                return None;
            }
            let wait = self.end.min(self.renewal);
            tokio::select! {
                _ = timeout_at(wait, self.line.signs()) => {}
                () = self.host.drains() => return None,
                () = sleep_until(wait) => {}
            }
        }
    }

    fn mail(&self) -> Vec<(MailSeq, Frame)> {
        let mail = mail(&self.host.store.step(), &self.caller, self.cursor, HANDFUL, now()).now_or_never();
        match mail {
            Some(Ok(mail)) => mail,
            Some(Err(never)) => match never {},
            None => unreachable!("the store in memory never waits"),
        }
    }
}

impl Drop for Visit {
    /// From now on what nobody reads in time goes back to its sender.
    fn drop(&mut self) {
        if let Some(network) = &self.caller.network {
            let line = Arc::clone(&self.line) as Arc<dyn pigeonhub_node_core::Outlet>;
            self.host.store.detach(network, self.caller.peer, self.caller.session, &line);
        }
    }
}
