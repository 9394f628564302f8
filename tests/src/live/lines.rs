//! The lines to the nodes: one for each session, by WebSocket or over plain HTTP.

use futures_util::{SinkExt, StreamExt};
use pigeonhub_client_core::{
    Input, NodeUrl, Resumption, SessionId, SessionInput, Transport, Visit, VisitAction, VisitInput, Ways,
};
use pigeonhub_protocol::{Frame, Millis, PeerId, Ticket};
use reqwest::Method;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

use super::engine::now;
use super::visit::{listen, post};
use super::{Tell, Told};
use crate::http;

/// The close code of a socket whose other side is gone.
const LOST: u16 = 1006;

/// The lines of one client.
pub(super) struct Lines {
    peer: PeerId,
    tell: Tell,
    ways: Ways,
    lines: Vec<Line>,
}

/// A node, and what shows that a lost session with it was this client's.
pub(super) struct Way {
    pub(super) node: NodeUrl,
    pub(super) ticket: Option<Ticket>,
}

struct Line {
    session: SessionId,
    way: Way,
    carrier: Carrier,
    /// Dropped, they end.
    tasks: JoinSet<()>,
}

enum Carrier {
    /// The node is asked what it offers.
    Asking,
    Socket(UnboundedSender<Frame>),
    Visit {
        core: Box<Visit>,
        wake: Option<Millis>,
        stream: JoinSet<()>,
    },
}

impl Lines {
    pub(super) fn new(peer: PeerId, tell: Tell) -> Self {
        Self { peer, tell, ways: Ways::default(), lines: Vec::new() }
    }

    pub(super) fn dial(&mut self, session: SessionId, way: Way) {
        match self.ways.choice(&way.node) {
            Some(transport) => self.connect(session, way, transport),
            None => self.ask(session, way),
        }
    }

    fn ask(&mut self, session: SessionId, way: Way) {
        let (url, tell) = (of_api(&way.node, "/signaling"), self.tell.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let answer = http::try_send(http::request(Method::GET, url)).await;
            let body = answer.filter(|answer| answer.status == 200).map(|answer| answer.text);
            // The client may be gone, here and below.
            let _ = tell.send(Told::Asked(session, body));
        });
        self.lines.push(Line { session, way, carrier: Carrier::Asking, tasks });
    }

    pub(super) fn asked(&mut self, session: SessionId, answer: Option<&str>) {
        // It may have been hung up meanwhile.
        let Some(line) = self.remove(session) else { return };
        let transport = self.ways.answered(&line.way.node, answer);
        self.connect(session, line.way, transport);
    }

    fn connect(&mut self, session: SessionId, way: Way, transport: Transport) {
        let mut tasks = JoinSet::new();
        match transport {
            Transport::WebSocket => {
                let (say, said) = unbounded_channel();
                tasks.spawn(socket(of_socket(&way, self.peer), session, said, self.tell.clone()));
                self.lines.push(Line { session, way, carrier: Carrier::Socket(say), tasks });
            }
            Transport::Http => {
                let last: Option<Resumption> = self.ways.resumption(&way.node);
                let (core, actions) = Visit::begin(self.peer, last, now());
                let carrier = Carrier::Visit { core: Box::new(core), wake: None, stream: JoinSet::new() };
                self.lines.push(Line { session, way, carrier, tasks });
                self.carry_out(session, actions);
            }
        }
    }

    pub(super) fn opened(&mut self, session: SessionId) {
        if let Some(line) = self.lines.iter().find(|line| line.session == session) {
            self.ways.opened(&line.way.node);
        }
    }

    pub(super) fn send(&mut self, session: SessionId, frame: Frame, now: Millis) {
        let Some(line) = self.lines.iter_mut().find(|line| line.session == session) else { return };
        match &mut line.carrier {
            Carrier::Asking => {}
            // On a socket that is closed it is lost, as on one that breaks.
            Carrier::Socket(say) => drop(say.send(frame)),
            Carrier::Visit { core, .. } => {
                let actions = core.say(frame, now);
                self.carry_out(session, actions);
            }
        }
    }

    /// Something happened to a visit.
    pub(super) fn visit(&mut self, session: SessionId, input: VisitInput, now: Millis) {
        let line = self.lines.iter_mut().find(|line| line.session == session);
        let Some(Carrier::Visit { core, .. }) = line.map(|line| &mut line.carrier) else { return };
        let actions = core.handle(input, now);
        self.carry_out(session, actions);
    }

    fn carry_out(&mut self, session: SessionId, actions: Vec<VisitAction>) {
        let Some(line) = self.lines.iter_mut().find(|line| line.session == session) else { return };
        let Carrier::Visit { wake, stream, .. } = &mut line.carrier else { return };
        for action in actions {
            match action {
                VisitAction::Post(body) => {
                    let url = of_api(&line.way.node, "/signaling/exchange");
                    line.tasks.spawn(post(url, body, session, self.tell.clone()));
                }
                VisitAction::Listen { ticket, cursor } => {
                    let url = of_api(&line.way.node, "/signaling/events");
                    stream.abort_all();
                    stream.spawn(listen(url, ticket, cursor, session, self.tell.clone()));
                }
                VisitAction::Tell(news) => drop(self.tell.send(Told::Input(Input::Session(session, news)))),
                VisitAction::WakeAt(at) => *wake = Some(at),
            }
        }
    }

    /// When a visit wants to be woken.
    pub(super) fn wake(&self) -> Option<Millis> {
        self.lines.iter().filter_map(|line| line.alarm()).min()
    }

    /// Wakes the visits whose time has come.
    pub(super) fn ring(&mut self, now: Millis) {
        let due: Vec<_> = self.lines.iter_mut().filter_map(|line| line.ring(now)).collect();
        due.into_iter().for_each(|session| self.visit(session, VisitInput::Tick, now));
    }

    /// Hangs up, or lets go what was closed.
    pub(super) fn hang_up(&mut self, session: SessionId) {
        let Some(mut line) = self.remove(session) else { return };
        let resumption = match &line.carrier {
            Carrier::Visit { core, .. } => {
                if let Some(words) = core.last_words() {
                    // The line's own tasks end with it.
                    tokio::spawn(post(
                        of_api(&line.way.node, "/signaling/exchange"),
                        words,
                        session,
                        self.tell.clone(),
                    ));
                }
                core.resumption()
            }
            Carrier::Socket(_) => {
                // It ends by itself, when all is said.
                line.tasks.detach_all();
                None
            }
            Carrier::Asking => None,
        };
        self.ways.closed(&line.way.node, resumption);
    }

    /// Hangs up everywhere.
    pub(super) fn close(&mut self) {
        let sessions: Vec<_> = self.lines.iter().map(|line| line.session).collect();
        sessions.into_iter().for_each(|session| self.hang_up(session));
    }

    fn remove(&mut self, session: SessionId) -> Option<Line> {
        let index = self.lines.iter().position(|line| line.session == session)?;
        Some(self.lines.swap_remove(index))
    }
}

impl Line {
    const fn alarm(&self) -> Option<Millis> {
        match &self.carrier {
            Carrier::Visit { wake, .. } => *wake,
            Carrier::Asking | Carrier::Socket(_) => None,
        }
    }

    fn ring(&mut self, now: Millis) -> Option<SessionId> {
        let Carrier::Visit { wake, .. } = &mut self.carrier else { return None };
        wake.take_if(|at| *at <= now).map(|_| self.session)
    }
}

/// A WebSocket from its dial to its end, which comes at the latest when its line is let go.
async fn socket(url: String, session: SessionId, mut said: UnboundedReceiver<Frame>, tell: Tell) {
    let report = |news| tell.send(Told::Input(Input::Session(session, news)));
    let closed = |code, reason: &str| SessionInput::Closed { code, reason: reason.into() };
    let Ok((mut socket, _)) = connect_async(url).await else {
        let _ = report(closed(LOST, ""));
        return;
    };
    let mut open = report(SessionInput::Opened(Transport::WebSocket));
    while open.is_ok() {
        tokio::select! {
            frame = said.recv() => {
                let Some(frame) = frame else {
                    // All is said. Whether the node hears the farewell is its own concern.
                    let _ = socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await;
                    return;
                };
                if socket.send(Message::text(frame.as_str())).await.is_err() {
                    let _ = report(closed(LOST, ""));
                    return;
                }
            }
            came = socket.next() => match came {
                Some(Ok(Message::Text(text))) => open = report(SessionInput::Frame(text.as_str().into())),
                Some(Ok(Message::Close(frame))) => {
                    let CloseFrame { code, reason } =
                        frame.unwrap_or(CloseFrame { code: CloseCode::Status, reason: "".into() });
                    let _ = report(closed(code.into(), &reason));
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    let _ = report(closed(LOST, ""));
                    return;
                }
            },
        }
    }
}

fn of_api(node: &NodeUrl, path: &str) -> String {
    let base = node.0.trim_end_matches('/');
    let base = base.strip_prefix("ws").map_or_else(|| base.to_owned(), |rest| format!("http{rest}"));
    format!("{base}{path}")
}

fn of_socket(way: &Way, peer: PeerId) -> String {
    let base = way.node.0.trim_end_matches('/');
    let base = base.strip_prefix("http").map_or_else(|| base.to_owned(), |rest| format!("ws{rest}"));
    // It may have any character of base64url, none of which needs escaping.
    let ticket = way.ticket.as_ref().map(Ticket::as_str).unwrap_or_default();
    format!("{base}/?peerId={}&resume={ticket}", peer.as_str())
}
