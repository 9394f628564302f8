//! Whatever happens, in whatever order: the client never panics, and stays small.

use pigeonhub_client_core::{
    Client, Command, ConnectionState, Description, Input, NodeUrl, Options, RtcInput, SessionId,
    SessionInput, Transport,
};
use pigeonhub_protocol::{Millis, Moment, NetworkName, PeerId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fate::Fate;

/// What the client may weigh, as its `Debug` text, after any number of inputs from few peers.
const WEIGHT: usize = 400_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_does_no_harm(seed: u64) {
        let mut fate = Fate::new(seed);
        let nodes = (0..3).map(|node| NodeUrl(node.to_string())).collect();
        let mut options = Options::new(peer(5), NetworkName::default(), nodes);
        options.key = fate.percent(50).then(|| "key".into());
        options.require_verified = fate.percent(20);
        let mut client = Client::new(options);
        let mut now = fate.roll() >> fate.below(60);
        for _ in 0..2_000 {
            now = match fate.below(200) {
                0 => fate.roll() >> fate.below(64),
                1..20 => now.saturating_add(fate.below(40_000)),
                _ => now.saturating_add(fate.below(300)),
            };
            let input = input(&mut fate);
            let actions = client.handle(input, Moment { now: Millis(now), seed: fate.roll() });
            prop_assert!(actions.len() < 1_000, "{} actions at once", actions.len());
        }
        let weight = format!("{client:?}").len();
        prop_assert!(weight < WEIGHT, "{weight} bytes of state");
    }

    #[test]
    fn frames_of_noise_do_no_harm(texts: Vec<String>) {
        let mut client = Client::new(Options::new(peer(5), NetworkName::default(), vec![NodeUrl("n".into())]));
        let at = Moment { now: Millis(0), seed: 0 };
        client.handle(Input::Command(Command::Start), at);
        client.handle(Input::Session(SessionId(1), SessionInput::Opened(Transport::WebSocket)), at);
        for text in texts {
            let in_band = RtcInput::InBand(text.clone());
            client.handle(Input::Rtc { peer: peer(1), generation: 1, input: in_band }, at);
            client.handle(Input::Session(SessionId(1), SessionInput::Frame(text)), at);
        }
    }
}

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes([number; 20])
}

fn input(fate: &mut Fate) -> Input {
    match fate.below(15) {
        0 => Input::Command(command(fate)),
        1..6 => Input::Session(SessionId(fate.below(12) as u32), session(fate)),
        6..9 => {
            let (peer, generation) = (somebody(fate), fate.below(12) as u32);
            Input::Rtc { peer, generation, input: rtc(fate) }
        }
        9 => Input::Resume,
        10 => Input::Freeze,
        11 => {
            let (number, signature) = (fate.below(40) as u32, fate.percent(90).then(|| "s".into()));
            Input::Signed { number, signature }
        }
        12 => Input::Verified { number: fate.below(40) as u32, holds: fate.percent(70) },
        _ => Input::Tick,
    }
}

/// Five of the peers are others, one is the client itself.
fn somebody(fate: &mut Fate) -> PeerId {
    peer(fate.between(3, 8) as u8)
}

fn command(fate: &mut Fate) -> Command {
    match fate.below(14) {
        0..3 => Command::Start,
        3..9 => Command::Dial(somebody(fate)),
        9 => Command::Hangup(somebody(fate)),
        10 => Command::SetProfile(serde_json::from_str("{}").unwrap()),
        11 => Command::AddNode(NodeUrl(fate.below(5).to_string())),
        12 => Command::RemoveNode(NodeUrl(fate.below(5).to_string())),
        _ => {
            if fate.percent(1) {
                Command::Close
            } else {
                Command::Start
            }
        }
    }
}

fn session(fate: &mut Fate) -> SessionInput {
    match fate.below(8) {
        0..3 => SessionInput::Opened([Transport::WebSocket, Transport::Http][fate.below(2) as usize]),
        3 => SessionInput::Closed {
            code: [1000, 1006, 1008, 4001][fate.below(4) as usize],
            reason: String::new(),
        },
        _ => SessionInput::Frame(frame(fate).to_string()),
    }
}

fn frame(fate: &mut Fate) -> Value {
    let kinds = [
        "connected",
        "peer-discovered",
        "peer-disconnected",
        "goodbye",
        "error",
        "pong",
        "offer",
        "offer",
        "answer",
        "answer",
        "ice-candidate",
        "ice-candidate",
        "renegotiation-offer",
        "renegotiation-answer",
        "other",
    ];
    let kind = kinds[fate.below(kinds.len() as u64) as usize];
    let mut data = payload(fate);
    data["peerId"] = json!(somebody(fate));
    let mut frame = json!({"type": kind, "data": data.clone(), "fromPeerId": somebody(fate), "targetPeerId": peer(5), "networkName": "global"});
    if fate.percent(40) {
        let timestamp = fate.roll() >> fate.below(64);
        data["proof"] = json!({"key": "key", "timestamp": timestamp, "signature": "s"});
        frame["data"] = data;
    }
    if fate.percent(50) {
        frame["id"] = json!(fate.below(500).to_string());
    }
    if kind == "error" {
        frame["error"] = json!("no");
        frame["code"] = json!("peer-unavailable");
        frame["targetPeerId"] = json!(somebody(fate));
    }
    frame
}

fn payload(fate: &mut Fate) -> Value {
    let kind = if fate.percent(50) { "offer" } else { "answer" };
    let mut data = json!({"type": kind, "sdp": sdp(fate), "candidate": "c", "timestamp": fate.below(9)});
    if fate.percent(70) {
        data["negotiation"] = json!(fate.roll() >> fate.below(64));
    }
    if fate.percent(30) {
        data["answers"] = json!(fate.roll() >> fate.below(64));
    }
    data
}

fn sdp(fate: &mut Fate) -> String {
    format!("v=0\r\no=- {} 1", fate.below(4))
}

fn rtc(fate: &mut Fate) -> RtcInput {
    let states = [
        ConnectionState::New,
        ConnectionState::Connecting,
        ConnectionState::Connected,
        ConnectionState::Disconnected,
        ConnectionState::Failed,
        ConnectionState::Closed,
    ];
    match fate.below(20) {
        0..2 => RtcInput::NegotiationNeeded,
        2..8 => RtcInput::Described(Description { is_offer: fate.percent(50), sdp: sdp(fate) }),
        8..11 => RtcInput::Candidate(serde_json::from_str(&payload(fate).to_string()).unwrap()),
        11..14 => RtcInput::Applied,
        14 => RtcInput::Refused(String::new()),
        15..17 => RtcInput::State(states[fate.below(6) as usize]),
        17 => RtcInput::ChannelOpened,
        18 => {
            if fate.percent(20) {
                RtcInput::ChannelClosed
            } else {
                RtcInput::ChannelOpened
            }
        }
        _ => {
            let data = json!({"type": "renegotiation-offer", "data": payload(fate)});
            RtcInput::InBand(data.to_string())
        }
    }
}
