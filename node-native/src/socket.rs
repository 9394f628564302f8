//! One session: a WebSocket, its peer, and its mail. One task.

mod ending;
mod output;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use pigeonhub_node_core::{Beat, Caller, Event, Knock, Outlet, Rhythm, ticket};
use pigeonhub_protocol::{
    Close, CloseCode, Code, Frame, Millis, Moment, NetworkName, NodeMessage, PeerMessage, Refusal,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use self::ending::Ending;
use self::output::{answer_close, farewell};
use crate::clock::now;
use crate::host::Host;
use crate::line::Signs;
use crate::metrics::Metrics;
use crate::pace::{Pace, Verdict};
use crate::sessions::Seat;

type Socket = WebSocketStream<TcpStream>;
/// What comes out of a socket.
type Heard = Option<tungstenite::Result<Message>>;

/// Messages that are taken from the mailbox, or from the socket, at a time.
const HANDFUL: usize = 64;
/// So many messages per second that nobody needs them.
const FLOOD: Close = Close { code: CloseCode::Policy, reason: "Too many messages" };

/// One peer and its socket.
pub struct Session {
    host: Arc<Host>,
    seat: Seat,
    socket: Socket,
    network: Option<NetworkName>,
    pace: Option<Pace>,
    rhythm: Rhythm,
    /// Rings when it may be time for something.
    alarm: Pin<Box<Sleep>>,
    wants_ticket: bool,
    probed: bool,
    frames_in: u32,
    frames_out: u32,
}

impl Session {
    /// Gives a socket its place, or says on it why there is none.
    pub async fn enter(mut socket: Socket, host: Arc<Host>, knock: &Knock) -> Option<Box<Self>> {
        let refused = match host.sessions.enter(&host.node, &host.tickets, knock).await {
            Ok(_) if host.is_draining() => Close::RESTART,
            Ok(seat) => return Some(Box::new(Self::new(&host, seat, socket, knock.wants_ticket))),
            Err(close) => {
                Metrics::add(&host.metrics.refused, 1);
                tracing::debug!(peer = ?knock.peer, reason = close.reason, "refused");
                close
            }
        };
        farewell(&mut socket, refused, &host.reason(refused)).await;
        None
    }

    /// Serves the socket until it ends.
    pub async fn serve(mut self: Box<Self>) {
        let Err(ending) = self.run().await;
        // Boxed: what is needed only at the end takes no room in ten thousand tasks.
        Box::pin(self.leave(ending)).await;
    }

    async fn leave(mut self: Box<Self>, ending: Ending) {
        if ending == Ending::Dismissed(Close::RESTART) {
            self.part().await;
        }
        self.end(&ending);
        let Self { host, mut socket, seat, .. } = *self;
        // The place is free before the farewell, which may take a moment; unless the node waits for
        // its last sessions.
        let _seat = host.is_draining().then_some(seat);
        match ending.close() {
            Some(close) => farewell(&mut socket, close, &host.reason(close)).await,
            None => answer_close(&mut socket).await,
        }
    }

    fn new(host: &Arc<Host>, seat: Seat, socket: Socket, wants_ticket: bool) -> Self {
        let at = host.clock.moment();
        let rhythm = Rhythm::new(host.node.settings.lease, at);
        Self {
            seat,
            socket,
            network: None,
            pace: Pace::new(host.rate_limit, at.now),
            rhythm,
            alarm: Box::pin(sleep(Duration::from_millis(rhythm.pause(at.now)))),
            wants_ticket,
            probed: false,
            frames_in: 0,
            frames_out: 0,
            host: Arc::clone(host),
        }
    }

    /// Runs until the session ends, and says how it did.
    async fn run(&mut self) -> Result<Infallible, Ending> {
        let Seat { peer, session, .. } = self.seat;
        let ticket = self.wants_ticket.then(|| ticket::of_socket(&peer, session, &self.host.tickets));
        let greeting = NodeMessage::Connected { peer, node: self.host.node.id.clone(), ticket };
        self.write(vec![greeting.frame(now())]).await?;
        let line = Arc::clone(&self.seat.line);
        loop {
            let mut replies = Vec::new();
            let next = tokio::select! {
                signs = line.signs() => self.heed(signs).await,
                message = self.socket.next() => self.hear_all(message, &mut replies),
                () = self.alarm.as_mut() => self.beat(&mut replies).await,
            };
            self.write(replies).await?;
            next?;
        }
    }

    /// Somebody rang.
    async fn heed(&mut self, signs: Signs) -> Result<(), Ending> {
        if let Some(close) = self.seat.line.closing() {
            return Err(Ending::Dismissed(close));
        }
        if signs.probe() {
            self.probed = true;
            self.ping().await?;
        }
        if signs.mail() {
            self.deliver().await?;
        }
        Ok(())
    }

    /// Writes what is in the mailbox. What could not be written goes back.
    async fn deliver(&mut self) -> Result<(), Ending> {
        let Some(network) = &self.network else { return Ok(()) };
        let (peer, session) = (self.seat.peer, self.seat.session);
        let mut mail = self.host.store.take(network, peer, session, HANDFUL).into_iter();
        if mail.len() == HANDFUL {
            // There may be more. First let the peer speak, too.
            self.seat.line.ring();
        }
        let now = now();
        let mut frames = mail.by_ref().map(|mail| mail.into_frame(now));
        let written = self.write_all(&mut frames, output::MAIL).await;
        if let (Err(_), Some(network)) = (&written, &self.network) {
            self.host.store.put_back(network, peer, mail.collect());
        }
        written
    }

    /// The peer said something, and perhaps more that came with it: all at this moment.
    fn hear_all(&mut self, first: Heard, replies: &mut Vec<Frame>) -> Result<(), Ending> {
        let now = now();
        self.hear(first, now, replies)?;
        for _ in 1..HANDFUL {
            let Some(next) = self.socket.next().now_or_never() else { break };
            self.hear(next, now, replies)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: Heard, now: Millis, replies: &mut Vec<Frame>) -> Result<(), Ending> {
        let message = message.ok_or(Ending::Lost)?.map_err(|error| Ending::of_error(&error))?;
        let at = Moment { now, seed: self.host.clock.dice() };
        self.rhythm.heard(at.now);
        if self.network.is_some() && self.rhythm.renews(at.now) {
            self.happen(Event::StillHere(self.caller()), at);
        }
        match message {
            Message::Text(text) => {
                self.frames_in += 1;
                match self.pace.as_mut().map_or(Verdict::Pass, |pace| pace.count(at.now)) {
                    Verdict::Pass => replies.append(&mut self.said(&text, at)),
                    Verdict::Refuse => replies.push(error(Refusal::new(Code::RateLimited, None), at.now)),
                    Verdict::Expel => return Err(Ending::Dismissed(FLOOD)),
                }
            }
            Message::Binary(_) => replies.push(error(Refusal::new(Code::BinaryFrame, None), at.now)),
            Message::Pong(_) => {
                if std::mem::take(&mut self.probed) {
                    self.seat.line.answer();
                }
            }
            Message::Close(frame) => return Err(Ending::of_close(frame.as_ref())),
            // Answered by the library with the next write or read.
            Message::Ping(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    fn said(&mut self, text: &str, at: Moment) -> Vec<Frame> {
        match PeerMessage::parse(text) {
            Ok(message) => self.happen(Event::Said(self.caller(), message), at),
            Err(refused) => vec![error(Refusal::new(refused.code, refused.original_type), at.now)],
        }
    }

    /// Something happened to this session: decided, carried out, and the replies.
    fn happen(&mut self, event: Event, at: Moment) -> Vec<Frame> {
        let decision = self.host.step(event, at);
        if decision.left {
            self.network = None;
        }
        if let Some(network) = decision.joined {
            let line = Arc::clone(&self.seat.line);
            self.host.store.attach(&network, self.seat.peer, self.seat.session, line);
            self.network = Some(network);
        }
        self.host.carry_out(decision.errands);
        decision.replies
    }

    fn caller(&self) -> Caller {
        Caller { peer: self.seat.peer, session: self.seat.session, network: self.network.clone() }
    }

    /// Some time passed.
    async fn beat(&mut self, replies: &mut Vec<Frame>) -> Result<(), Ending> {
        self.add_up();
        let at = self.host.clock.moment();
        match self.beat_of(at) {
            Beat::Ping => self.ping().await,
            Beat::Silence => Err(Ending::Silent),
            // Existing clients forget after five minutes whom they were told of.
            Beat::Discover if self.network.is_some() => {
                replies.append(&mut self.happen(Event::Said(self.caller(), PeerMessage::Discover), at));
                Ok(())
            }
            Beat::Rest | Beat::Discover => Ok(()),
        }
    }

    /// What it is time for; sets the alarm for what comes next.
    fn beat_of(&mut self, at: Moment) -> Beat {
        let beat = self.rhythm.beat(at);
        self.alarm.as_mut().reset(Instant::now() + Duration::from_millis(self.rhythm.pause(at.now)));
        beat
    }

    /// The others hear of it.
    fn end(&mut self, ending: &Ending) {
        self.add_up();
        tracing::debug!(peer = %self.seat.peer, ?ending, "session over");
        if self.network.is_some() {
            self.happen(Event::Gone(self.caller(), ending.departure()), self.host.clock.moment());
        }
    }

    fn add_up(&mut self) {
        let metrics = &self.host.metrics;
        Metrics::add(&metrics.frames_in, std::mem::take(&mut self.frames_in).into());
        Metrics::add(&metrics.frames_out, std::mem::take(&mut self.frames_out).into());
    }
}

fn error(refusal: Refusal, now: Millis) -> Frame {
    NodeMessage::Error(refusal).frame(now)
}
