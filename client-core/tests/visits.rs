//! A visit to a node, over a network that loses requests, answers and streams, by dice: mail is taken
//! once and in order, words arrive in order.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use pigeonhub_client_core::{SessionInput, Visit, VisitAction, VisitInput};
use pigeonhub_protocol::{Millis, PeerId};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A node that keeps a peer's mail until it is acknowledged, and knows no other peer.
#[derive(Default)]
struct Node {
    mail: Vec<(u64, String)>,
    last: u64,
    announced: bool,
    /// What was said, repeats included.
    said: Vec<u64>,
}

impl Node {
    fn exchange(&mut self, body: &str) -> VisitInput {
        let body: Value = serde_json::from_str(body).unwrap();
        let heard = body["heard"].as_u64().unwrap_or(0);
        self.mail.retain(|(id, _)| *id > heard);
        for message in body["messages"].as_array().into_iter().flatten() {
            match message.as_u64() {
                Some(word) => self.said.push(word),
                None => self.announced = true,
            }
        }
        let mail = self.mail.iter().filter(|_| body["poll"] == true);
        let mail: Vec<Value> = mail.map(|(id, text)| json!({"id": id, "message": text})).collect();
        let body = json!({"ticket": "t", "announced": self.announced, "messages": [], "mail": mail});
        VisitInput::Answered { status: 200, body: body.to_string() }
    }

    fn deliver(&mut self) {
        self.last += 1;
        self.mail.push((self.last, format!("m{}", self.last)));
    }

    /// The next event of a stream that is at `place`.
    fn event_after(&self, place: u64) -> Option<(u64, String)> {
        self.mail.iter().find(|(id, _)| *id > place).cloned()
    }
}

/// A stream: where it is, and whether the visitor knows that it is open.
struct Stream {
    place: u64,
    is_open: bool,
}

struct World {
    node: Node,
    visit: Visit,
    now: u64,
    wake: Option<u64>,
    post: Option<String>,
    stream: Option<Stream>,
    taken: Vec<String>,
    words: u64,
}

impl World {
    fn new() -> Self {
        let (visit, actions) = Visit::begin(PeerId::from_bytes([5; 20]), None, Millis(0));
        let mut world = Self {
            node: Node::default(),
            visit,
            now: 0,
            wake: None,
            post: None,
            stream: None,
            taken: Vec::new(),
            words: 0,
        };
        world.carry_out(actions);
        world
    }

    fn carry_out(&mut self, actions: Vec<VisitAction>) {
        for action in actions {
            match action {
                VisitAction::Post(body) => assert!(self.post.replace(body).is_none(), "one at a time"),
                VisitAction::Listen { ticket, cursor } => {
                    assert_eq!(ticket, "t");
                    self.stream = Some(Stream { place: cursor, is_open: false });
                }
                VisitAction::WakeAt(at) => self.wake = Some(at.0),
                VisitAction::Tell(SessionInput::Opened(_)) => self.say("\"announce\"".into()),
                VisitAction::Tell(SessionInput::Frame(text)) => self.taken.push(text.replace('"', "")),
                VisitAction::Tell(SessionInput::Closed { .. }) => {
                    (self.post, self.stream, self.wake) = (None, None, None);
                    let last = self.visit.resumption();
                    let (visit, actions) = Visit::begin(PeerId::from_bytes([5; 20]), last, Millis(self.now));
                    self.visit = visit;
                    return self.carry_out(actions);
                }
            }
        }
    }

    fn say(&mut self, frame: String) {
        let actions = self.visit.say(frame.into(), Millis(self.now));
        self.carry_out(actions);
    }

    fn happen(&mut self, input: VisitInput) {
        let actions = self.visit.handle(input, Millis(self.now));
        self.carry_out(actions);
    }

    /// One thing happens, if it can.
    fn step(&mut self, dice: u8) {
        match dice {
            0..=4 => self.answer(),
            5 if self.post.take().is_some() => self.happen(VisitInput::Unanswered),
            6 => {
                if let Some(body) = self.post.take() {
                    self.node.exchange(&body);
                    self.happen(VisitInput::Unanswered);
                }
            }
            7 if self.post.take().is_some() => {
                self.happen(VisitInput::Answered { status: 503, body: "{}".into() });
            }
            8..=10 => self.node.deliver(),
            11..=15 => self.flow(),
            16 if self.stream.take().is_some() => self.happen(VisitInput::Deaf),
            17 => {
                self.words += 1;
                self.say(self.words.to_string());
            }
            18 => self.wake(),
            19 => self.now += 5_000,
            _ => {}
        }
    }

    fn answer(&mut self) {
        if let Some(body) = self.post.take() {
            let answer = self.node.exchange(&body);
            self.happen(answer);
        }
    }

    fn flow(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        if !std::mem::replace(&mut stream.is_open, true) {
            return self.happen(VisitInput::Listening);
        }
        if let Some((id, text)) = self.node.event_after(stream.place) {
            stream.place = id;
            self.happen(VisitInput::Event { id: id.to_string(), text });
        }
    }

    fn wake(&mut self) {
        if let Some(at) = self.wake.take() {
            self.now = self.now.max(at);
            self.happen(VisitInput::Tick);
        }
    }
}

proptest! {
    #[test]
    fn mail_is_taken_once_and_in_order_and_words_arrive_in_order(dice in prop::collection::vec(0..20_u8, 0..400)) {
        let mut world = World::new();
        dice.into_iter().for_each(|dice| world.step(dice));
        // The storm is over.
        for _ in 0..2_000 {
            world.answer();
            world.flow();
            world.wake();
        }
        let all: Vec<String> = (1..=world.node.last).map(|number| format!("m{number}")).collect();
        prop_assert_eq!(&world.taken, &all);
        let mut known = BTreeSet::new();
        let first_times: Vec<u64> = world.node.said.iter().copied().filter(|word| known.insert(*word)).collect();
        prop_assert!(first_times.is_sorted(), "{:?}", first_times);
        prop_assert!(world.stream.is_some_and(|stream| stream.is_open), "and it listens");
    }
}
