//! One session: a WebSocket, its peer, and its mail. One task.

mod ending;
mod output;
mod rhythm;

use std::sync::Arc;

use futures_util::StreamExt;
use pigeonhub_node_core::{Caller, Event, Outlet};
use pigeonhub_protocol::{Close, CloseCode, Code, Frame, NetworkName, NodeMessage, PeerMessage, Refusal};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use self::ending::Ending;
use self::output::{answer_close, farewell};
use self::rhythm::{Beat, Rhythm};
use crate::clock::now;
use crate::host::Host;
use crate::line::Signs;
use crate::metrics::Metrics;
use crate::pace::{Pace, Verdict};
use crate::sessions::Seat;

type Socket = WebSocketStream<TcpStream>;

/// Messages that are taken from the mailbox at a time.
const HANDFUL: usize = 64;
/// So many messages per second that nobody needs them.
const FLOOD: Close = Close { code: CloseCode::Policy, reason: "Too many messages" };

/// Serves a socket until it ends.
pub async fn serve(mut socket: Socket, host: Arc<Host>, asked: Option<String>) {
    // Boxed: of use for a moment, and larger than all that a session keeps.
    let seat = Box::pin(host.sessions.enter(&host.node, asked.as_deref())).await;
    let seat = match seat {
        Ok(seat) => seat,
        Err(close) => {
            Metrics::add(&host.metrics.refused, 1);
            tracing::debug!(peer = asked, reason = close.reason, "refused");
            return Box::pin(farewell(&mut socket, close)).await;
        }
    };
    if host.is_stopping() {
        return Box::pin(farewell(&mut socket, Close::RESTART)).await;
    }
    let mut session = Session::new(&host, seat, socket);
    let ending = session.run().await;
    session.end(&ending);
    let Session { mut socket, seat, .. } = session;
    // The place is free before the farewell, which may take a moment; unless the node waits for its
    // last sessions.
    let _seat = host.is_stopping().then_some(seat);
    match ending.close() {
        Some(close) => Box::pin(farewell(&mut socket, close)).await,
        None => answer_close(&mut socket).await,
    }
}

struct Session {
    host: Arc<Host>,
    seat: Seat,
    socket: Socket,
    network: Option<NetworkName>,
    pace: Option<Pace>,
    rhythm: Rhythm,
    probed: bool,
    frames_in: u32,
    frames_out: u32,
}

impl Session {
    fn new(host: &Arc<Host>, seat: Seat, socket: Socket) -> Self {
        let at = host.clock.moment();
        Self {
            seat,
            socket,
            network: None,
            pace: Pace::new(host.rate_limit, at.now),
            rhythm: Rhythm::new(host.node.settings.lease, at),
            probed: false,
            frames_in: 0,
            frames_out: 0,
            host: Arc::clone(host),
        }
    }

    /// Runs until the session ends, and says how it did.
    async fn run(&mut self) -> Ending {
        let greeting = NodeMessage::Connected { peer: self.seat.peer, node: self.host.node.id.clone() };
        let mut frames = vec![greeting.frame(now())];
        let line = Arc::clone(&self.seat.line);
        loop {
            if let Err(ending) = self.write(frames).await {
                return ending;
            }
            let next = tokio::select! {
                signs = line.signs() => self.heed(signs).await,
                message = self.socket.next() => self.hear(message),
                () = self.rhythm.rest() => self.beat().await,
            };
            frames = match next {
                Ok(frames) => frames,
                Err(ending) => return ending,
            };
        }
    }

    /// Somebody rang.
    async fn heed(&mut self, signs: Signs) -> Result<Vec<Frame>, Ending> {
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
        Ok(Vec::new())
    }

    /// Writes what is in the mailbox. What could not be written goes back.
    async fn deliver(&mut self) -> Result<(), Ending> {
        let Some(network) = self.network.clone() else { return Ok(()) };
        let (peer, session) = (self.seat.peer, self.seat.session);
        let mut mail = self.host.store.take(&network, peer, session, HANDFUL).into_iter();
        if mail.len() == HANDFUL {
            // There may be more. First let the peer speak, too.
            self.seat.line.ring();
        }
        let now = now();
        let mut frames = mail.by_ref().map(|mail| mail.into_frame(now));
        let written = self.write_all(&mut frames).await;
        if written.is_err() {
            self.host.store.put_back(&network, peer, mail.collect());
        }
        written
    }

    /// The peer said something.
    fn hear(&mut self, message: Option<tungstenite::Result<Message>>) -> Result<Vec<Frame>, Ending> {
        let message = message.ok_or(Ending::Lost)?.map_err(|error| Ending::of_error(&error))?;
        self.rhythm.heard(now());
        match message {
            Message::Text(text) => {
                self.frames_in += 1;
                self.admit()?.map_or_else(|| Ok(self.said(&text)), |refusal| Ok(vec![refusal]))
            }
            Message::Binary(_) => Ok(vec![error(Refusal::new(Code::BinaryFrame, None))]),
            Message::Pong(_) => {
                if std::mem::take(&mut self.probed) {
                    self.seat.line.answer();
                }
                self.still_here();
                Ok(Vec::new())
            }
            Message::Close(frame) => Err(Ending::of_close(frame.as_ref())),
            // Answered by the library with the next write or read.
            Message::Ping(_) | Message::Frame(_) => Ok(Vec::new()),
        }
    }

    /// Whether a message is in time: nothing, or the refusal that is to be sent.
    fn admit(&mut self) -> Result<Option<Frame>, Ending> {
        match self.pace.as_mut().map_or(Verdict::Pass, |pace| pace.count(now())) {
            Verdict::Pass => Ok(None),
            Verdict::Refuse => Ok(Some(error(Refusal::new(Code::RateLimited, None)))),
            Verdict::Expel => Err(Ending::Dismissed(FLOOD)),
        }
    }

    fn said(&mut self, text: &str) -> Vec<Frame> {
        match PeerMessage::parse(text) {
            Ok(message) => self.happen(Event::Said(self.caller(), message)),
            Err(refused) => vec![error(Refusal::new(refused.code, refused.original_type))],
        }
    }

    /// Something happened to this session: decided, carried out, and the replies.
    fn happen(&mut self, event: Event) -> Vec<Frame> {
        let decision = self.host.step(event, self.host.clock.moment());
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

    fn still_here(&mut self) {
        if self.network.is_some() && self.rhythm.renews(now()) {
            self.happen(Event::StillHere(self.caller()));
        }
    }

    /// Some time passed.
    async fn beat(&mut self) -> Result<Vec<Frame>, Ending> {
        self.add_up();
        match self.rhythm.beat(self.host.clock.moment()) {
            Beat::Rest => Ok(Vec::new()),
            Beat::Ping => self.ping().await.map(|()| Vec::new()),
            Beat::Silence => Err(Ending::Silent),
            // Existing clients forget after five minutes whom they were told of.
            Beat::Discover if self.network.is_some() => {
                Ok(self.happen(Event::Said(self.caller(), PeerMessage::Discover)))
            }
            Beat::Discover => Ok(Vec::new()),
        }
    }

    /// The others hear of it, unless the whole node goes: then other nodes know already.
    fn end(&mut self, ending: &Ending) {
        self.add_up();
        tracing::debug!(peer = %self.seat.peer, ?ending, "session over");
        if self.network.is_some() && !self.host.is_stopping() {
            self.happen(Event::Gone(self.caller(), ending.departure()));
        }
    }

    fn add_up(&mut self) {
        let metrics = &self.host.metrics;
        Metrics::add(&metrics.frames_in, std::mem::take(&mut self.frames_in).into());
        Metrics::add(&metrics.frames_out, std::mem::take(&mut self.frames_out).into());
    }
}

fn error(refusal: Refusal) -> Frame {
    NodeMessage::Error(refusal).frame(now())
}
