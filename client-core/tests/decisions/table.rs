//! The table: a client, the time, and actions written as short lines.

use pigeonhub_client_core::{
    Action, Client, Command, ConnectionState, Description, Event, Input, LinkState, NodeUrl, Options,
    RtcCommand, RtcInput, SessionId, SessionInput, Transport,
};
use pigeonhub_protocol::{Frame, Millis, Moment, PeerId, RawJson};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Who is who: an id is one digit, forty times.
pub fn peer(digit: char) -> PeerId {
    digit.to_string().repeat(40).parse().unwrap()
}

pub const OWN: char = '5';

pub struct Table {
    pub client: Client,
    pub now: u64,
    /// When the client wants to be woken.
    pub wake: Option<u64>,
    /// Message ids in the order in which they were first seen.
    ids: Vec<String>,
    pub seed: u64,
}

impl Table {
    /// A client that has not started.
    pub fn new(nodes: &[&str]) -> Self {
        let nodes = nodes.iter().map(|url| NodeUrl((*url).into())).collect();
        Self::with(Options::new(peer(OWN), "room".parse().unwrap(), nodes))
    }

    pub fn with(options: Options) -> Self {
        Self { client: Client::new(options), now: 0, wake: None, ids: Vec::new(), seed: 0 }
    }

    /// A client that is on the nodes `a` (session 1) and `b` (session 2).
    pub fn connected() -> Self {
        let mut table = Self::new(&["a", "b"]);
        table.quietly([command(Command::Start), opened(1), opened(2), hello(1), hello(2)]);
        table
    }

    /// Something happens, and exactly this is to be done.
    #[track_caller]
    pub fn on<const N: usize>(&mut self, input: Input, expected: [&str; N]) {
        let input_text = format!("{input:?}");
        assert_eq!(self.tell(input), expected, "at {} ms, on {input_text}", self.now);
    }

    /// Things happen that this test is not about.
    pub fn quietly<const N: usize>(&mut self, inputs: [Input; N]) {
        inputs.into_iter().for_each(|input| drop(self.tell(input)));
    }

    /// Time passes until the client wants to be woken, and it is.
    pub fn sleep(&mut self) -> Vec<String> {
        self.now = self.now.max(self.wake.expect("a wish to be woken"));
        self.tell(Input::Tick)
    }

    /// Time passes, with a tick whenever the client wants one; everything that it does.
    pub fn pass(&mut self, millis: u64) -> Vec<String> {
        let (until, mut lines) = (self.now + millis, Vec::new());
        while self.wake.is_some_and(|wake| wake <= until) {
            lines.extend(self.sleep());
        }
        self.now = until;
        lines
    }

    /// What the client does, in lines.
    pub fn tell(&mut self, input: Input) -> Vec<String> {
        if matches!(input, Input::Tick) {
            self.wake = None;
        }
        self.seed += 1;
        let actions = self.client.handle(input, Moment { now: Millis(self.now), seed: self.seed });
        let wishes = actions.iter().filter(|action| matches!(action, Action::WakeAt(_))).count();
        assert!(wishes <= 1, "at most one wish");
        let mut lines = Vec::new();
        for action in &actions {
            match action {
                Action::WakeAt(at) => self.wake = Some(at.0),
                action => lines.push(self.line(action)),
            }
        }
        assert!(wishes == 0 || matches!(actions.last(), Some(Action::WakeAt(_))), "and it comes last");
        lines
    }

    fn line(&mut self, action: &Action) -> String {
        match action {
            Action::Dial { session, url, ticket } => {
                let ticket = ticket.as_ref().map(|ticket| format!(" with {ticket}")).unwrap_or_default();
                format!("dial {} {url}{ticket}", session.0)
            }
            Action::Send { session, frame } => format!("{} < {}", session.0, self.sent(frame)),
            Action::Hangup(session) => format!("hangup {}", session.0),
            Action::Rtc { peer, generation, command } => {
                format!("{}/{generation} {}", short(peer.as_str()), rtc_line(command))
            }
            Action::Sign { number, claim } => format!("sign {number} {}", claimed(claim)),
            Action::Verify { number, from, claim, proof } => {
                let from = short(from.as_str());
                format!("verify {number} {from} {} {} {}", claimed(claim), proof.key, proof.signature)
            }
            Action::Emit(event) => format!("! {}", event_line(event)),
            Action::WakeAt(_) => unreachable!("kept apart"),
        }
    }

    /// `offer 9 #1 n7 SDP`: kind, target, message, number, content.
    fn sent(&mut self, frame: &Frame) -> String {
        let frame: Value = serde_json::from_str(frame.as_str()).unwrap();
        let mut line = vec![text(&frame["type"])];
        if !frame["targetPeerId"].is_null() {
            line.push(short(&text(&frame["targetPeerId"])).into());
        }
        if let Some(id) = frame["id"].as_str() {
            let known = self.ids.iter().position(|known| known == id);
            line.push(format!("#{}", known.unwrap_or(self.ids.len()) + 1));
            if known.is_none() {
                self.ids.push(id.into());
            }
        }
        line.push(content(&frame["data"]));
        line.join(" ").trim_end().into()
    }

    /// The id of the message that lines call `#number`.
    pub fn id(&self, number: usize) -> String {
        self.ids[number - 1].clone()
    }
}

/// `n7 a3 SDP`: the number of a description, what it answers, and what it says.
fn content(data: &Value) -> String {
    let number = |name, prefix| data[name].as_u64().map(|number| format!("{prefix}{number}"));
    let words = [
        number("negotiation", "n"),
        number("answers", "a"),
        data["sdp"].as_str().map(Into::into),
        data["candidate"].as_str().map(Into::into),
        data["name"].as_str().map(Into::into),
        data["proof"]["signature"].as_str().map(Into::into),
        data["away"].as_bool().map(|away| format!("away {away}")),
    ];
    words.into_iter().flatten().collect::<Vec<String>>().join(" ")
}

/// `offer 9 #1 @7 SDP`, likewise.
fn claimed(claim: &RawValue) -> String {
    let claim: Value = serde_json::from_str(claim.get()).unwrap();
    assert_eq!(claim["network"], "room");
    let to = claim["target"].as_str().map(|target| format!(" to {}", short(target))).unwrap_or_default();
    let line = format!("{}{to} @{} {}", text(&claim["type"]), claim["timestamp"], content(&claim["data"]));
    line.trim_end().into()
}

fn rtc_line(command: &RtcCommand) -> String {
    match command {
        RtcCommand::Create { open_channel: true } => "create with channel".into(),
        RtcCommand::Create { open_channel: false } => "create".into(),
        RtcCommand::Offer { ice_restart: true } => "offer with restart".into(),
        RtcCommand::Offer { ice_restart: false } => "offer".into(),
        RtcCommand::Apply(Description { is_offer: true, sdp }) => format!("apply offer {sdp}"),
        RtcCommand::Apply(Description { is_offer: false, sdp }) => format!("apply answer {sdp}"),
        RtcCommand::AddCandidate(candidate) => {
            let candidate: Value = serde_json::from_str(candidate.get()).unwrap();
            format!("add {}", text(&candidate["candidate"]))
        }
        RtcCommand::SendInBand(sent) => {
            let sent: Value = serde_json::from_str(sent).unwrap();
            assert_eq!(sent["type"], "signaling");
            format!("in-band {} {}", text(&sent["data"]["type"]), content(&sent["data"]["data"]))
        }
        RtcCommand::Close => "close".into(),
    }
}

fn event_line(event: &Event) -> String {
    match event {
        Event::Ready => "ready".into(),
        Event::Peer(view) => {
            let away = if view.is_away { " away" } else { "" };
            let verified = if view.is_verified { " verified" } else { "" };
            format!("peer {} at {} {}{verified}{away}", short(view.peer.as_str()), view.node, view.profile)
        }
        Event::PeerGone(peer) => format!("gone {}", short(peer.as_str())),
        Event::Node(view) => {
            let id = view.node.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            format!("node {}{id} {:?}", view.url, view.state)
        }
        Event::Incoming(peer) => format!("incoming {}", short(peer.as_str())),
        Event::Link { peer, state: LinkState::Failed(failure) } => {
            format!("link {} failed {}", short(peer.as_str()), failure.code())
        }
        Event::Link { peer, state } => format!("link {} {state:?}", short(peer.as_str())),
        Event::Path { peer, via: Some(via) } => format!("path {} {via}", short(peer.as_str())),
        Event::Path { peer, via: None } => format!("path {} in-band", short(peer.as_str())),
        Event::Refused(refusal) => format!("refused {}", refusal.text),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

fn short(id: &str) -> &str {
    &id[..1]
}

pub fn command(command: Command) -> Input {
    Input::Command(command)
}

pub fn dial(digit: char) -> Input {
    command(Command::Dial(peer(digit)))
}

pub fn opened(session: u32) -> Input {
    Input::Session(SessionId(session), SessionInput::Opened(Transport::WebSocket))
}

/// A session over plain HTTP.
pub fn visiting(session: u32) -> Input {
    Input::Session(SessionId(session), SessionInput::Opened(Transport::Http))
}

pub fn closed(session: u32, code: u16) -> Input {
    Input::Session(SessionId(session), SessionInput::Closed { code, reason: "why".into() })
}

pub fn frame(session: u32, frame: &Value) -> Input {
    Input::Session(SessionId(session), SessionInput::Frame(frame.to_string()))
}

/// The greeting of the node `node-<session>`.
pub fn hello(session: u32) -> Input {
    let data = json!({"peerId": peer(OWN), "nodeId": format!("node-{session}")});
    frame(session, &json!({"type": "connected", "data": data}))
}

/// A node answers a ping.
pub fn pong(session: u32) -> Input {
    frame(session, &json!({"type": "pong", "targetPeerId": peer(OWN), "timestamp": 1}))
}

pub fn discovered(session: u32, digit: char) -> Input {
    let data = json!({"peerId": peer(digit), "nodeId": "n", "isHub": false, "name": "x"});
    frame(session, &json!({"type": "peer-discovered", "networkName": "room", "data": data}))
}

pub fn departed(session: u32, digit: char) -> Input {
    let data = json!({"peerId": peer(digit)});
    frame(session, &json!({"type": "peer-disconnected", "networkName": "room", "data": data}))
}

pub fn goodbye(session: u32, digit: char, timestamp: u64) -> Input {
    let data = json!({"peerId": peer(digit), "timestamp": timestamp});
    frame(
        session,
        &json!({"type": "goodbye", "networkName": "room", "fromPeerId": peer(digit), "data": data}),
    )
}

/// A signal from a peer; `id` may be `Null`.
pub fn signal(session: u32, from: char, kind: &str, id: impl Into<Value>, data: &Value) -> Input {
    let mut signal = json!({
        "type": kind, "fromPeerId": peer(from), "targetPeerId": peer(OWN), "networkName": "room", "data": data,
    });
    let id = id.into();
    if !id.is_null() {
        signal["id"] = id;
    }
    frame(session, &signal)
}

pub fn offer(session: u32, from: char, number: u64, sdp: &str) -> Input {
    let data = json!({"type": "offer", "sdp": sdp, "negotiation": number});
    signal(session, from, "offer", format!("{from}-{number}"), &data)
}

pub fn answer(session: u32, from: char, number: u64, answers: u64, sdp: &str) -> Input {
    let data = &json!({"type": "answer", "sdp": sdp, "negotiation": number, "answers": answers});
    signal(session, from, "answer", format!("{from}-{number}"), data)
}

pub fn remote_candidate(session: u32, from: char, number: u64, candidate: &str) -> Input {
    let data = &json!({"candidate": candidate, "negotiation": number});
    signal(session, from, "ice-candidate", format!("{from}-{number}-{candidate}"), data)
}

/// A node refuses a signal.
pub fn refused(session: u32, target: char, id: &str, code: &str) -> Input {
    frame(
        session,
        &json!({"type": "error", "code": code, "error": "no", "originalType": "offer", "targetPeerId": peer(target), "id": id}),
    )
}

pub fn rtc(digit: char, generation: u32, input: RtcInput) -> Input {
    Input::Rtc { peer: peer(digit), generation, input }
}

pub fn described_offer(digit: char, generation: u32, sdp: &str) -> Input {
    rtc(digit, generation, RtcInput::Described(Description { is_offer: true, sdp: sdp.into() }))
}

pub fn described_answer(digit: char, generation: u32, sdp: &str) -> Input {
    rtc(digit, generation, RtcInput::Described(Description { is_offer: false, sdp: sdp.into() }))
}

pub fn applied(digit: char, generation: u32) -> Input {
    rtc(digit, generation, RtcInput::Applied)
}

pub fn candidate(digit: char, generation: u32, candidate: &str) -> Input {
    rtc(digit, generation, RtcInput::Candidate(raw(&json!({ "candidate": candidate }))))
}

pub fn channel_opened(digit: char, generation: u32) -> Input {
    rtc(digit, generation, RtcInput::ChannelOpened)
}

pub fn state(digit: char, generation: u32, state: ConnectionState) -> Input {
    rtc(digit, generation, RtcInput::State(state))
}

pub fn raw(value: &Value) -> RawJson {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// A client with a connected link, on generation 1. This side offered (numbers 1 and 100).
pub fn linked(digit: char) -> Table {
    let mut table = Table::connected();
    table.quietly([
        discovered(1, digit),
        discovered(2, digit),
        dial(digit),
        described_offer(digit, 1, "o=- own 1"),
        answer(1, digit, 100, 1, "o=- other 1"),
        applied(digit, 1),
        state(digit, 1, ConnectionState::Connected),
        channel_opened(digit, 1),
    ]);
    table
}
