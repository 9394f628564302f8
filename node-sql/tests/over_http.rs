//! Two peers meet and signal over plain HTTP, with a fresh connection to a real SQLite file for every
//! request: nothing is kept between requests but the file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use pigeonhub_node_core::ticket::TicketKey;
use pigeonhub_node_core::{
    Conversation, ConverseError, Event, MailSeq, Node, Settings, Talk, converse, exchange, mail,
};
use pigeonhub_node_sql::{Embedded, SqlStore};
use pigeonhub_protocol::{Code, Millis, Moment, PeerId};

/// The futures of a store that never waits are ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a local database does not wait"),
    }
}

/// A node that keeps everything in one file.
struct House {
    node: Node,
    key: TicketKey,
    path: PathBuf,
    time: u64,
}

impl House {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let node = Node { id: "node-1".parse().unwrap(), settings: Settings::default() };
        let house = Self { node, key: TicketKey::from_secret(&[1; 32]), path, time: 1_000_000 };
        now(house.store().create_tables()).unwrap();
        house
    }

    fn store(&self) -> SqlStore<Embedded> {
        SqlStore::new(Embedded::open(&self.path).unwrap(), self.node.id.clone(), Millis(self.time))
    }

    fn moment(&mut self) -> Moment {
        self.time += 1;
        Moment { now: Millis(self.time), seed: self.time.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    fn post(&mut self, body: &str) -> Result<Conversation, Code> {
        let talk: Talk = serde_json::from_str(body).unwrap();
        let at = self.moment();
        now(converse(&self.node, &self.store(), &self.key, talk, at)).map_err(|error| match error {
            ConverseError::Refused(code) => code,
            ConverseError::Store(error) => panic!("{error:?}"),
        })
    }

    /// Begins a session and announces.
    fn join(&mut self, peer: PeerId, network: &str) -> Conversation {
        let body = format!(
            r#"{{"peerId":"{peer}","messages":[{{"type":"announce","networkName":"{network}","data":{{"n":1}}}}]}}"#
        );
        self.post(&body).unwrap()
    }

    fn say(&mut self, ticket: &str, message: &str) -> Vec<String> {
        let said = self.post(&format!(r#"{{"ticket":"{ticket}","messages":[{message}]}}"#)).unwrap();
        said.replies.iter().map(|frame| kind(frame.as_str())).collect()
    }

    fn read(&mut self, conversation: &Conversation, cursor: u64) -> Vec<(u64, String)> {
        let mail =
            now(mail(&self.store(), &conversation.caller, MailSeq(cursor), 100, Millis(self.time))).unwrap();
        mail.into_iter().map(|(seq, frame)| (seq.0, kind(frame.as_str()))).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn kind(frame: &str) -> String {
    let frame: BTreeMap<String, serde_json::Value> = serde_json::from_str(frame).unwrap();
    let code = frame.get("code").and_then(|code| code.as_str()).map(|code| format!(" {code}"));
    format!("{}{}", frame["type"].as_str().unwrap(), code.unwrap_or_default())
}

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes([number; 20])
}

fn offer(to: PeerId) -> String {
    format!(r#"{{"type":"offer","targetPeerId":"{to}","data":{{"sdp":"v=0"}}}}"#)
}

#[test]
fn peers_meet_and_signal() {
    let mut house = House::new("meet");
    let a = house.join(peer(1), "room");
    let b = house.join(peer(2), "room");
    let greeting: Vec<_> = b.replies.iter().map(|frame| kind(frame.as_str())).collect();
    assert_eq!(greeting, ["connected", "peer-discovered"]);
    assert_eq!(house.say(&b.ticket, &offer(peer(1))), Vec::<String>::new());
    let mail = house.read(&a, 0);
    assert_eq!(mail.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["peer-discovered", "offer"]);
}

#[test]
fn mail_stays_until_it_is_acknowledged() {
    let mut house = House::new("stays");
    let (a, b) = (house.join(peer(1), "room"), house.join(peer(2), "room"));
    house.say(&b.ticket, &offer(peer(1)));
    let first = house.read(&a, 0);
    assert_eq!(house.read(&a, 0), first, "a stream that was cut reads the same again");
    assert_eq!(house.read(&a, first[0].0), first[1..], "and one that resumes reads on from its cursor");
    house.post(&format!(r#"{{"ticket":"{}","heard":{}}}"#, a.ticket, first[0].0)).unwrap();
    assert_eq!(house.read(&a, 0), first[1..]);
}

#[test]
fn nobody_reads_or_speaks_for_another() {
    let mut house = House::new("another");
    let a = house.join(peer(1), "room");
    let second =
        format!(r#"{{"peerId":"{}","messages":[{{"type":"announce","networkName":"room"}}]}}"#, peer(1));
    assert_eq!(house.post(&second).unwrap_err(), Code::AlreadyConnected);
    assert_eq!(house.post(r#"{"ticket":"forged.ticket"}"#).unwrap_err(), Code::TicketInvalid);
    assert_eq!(house.post("{}").unwrap_err(), Code::TicketInvalid);
    house.time += pigeonhub_node_core::ticket::TICKET;
    assert_eq!(house.post(&format!(r#"{{"ticket":"{}"}}"#, a.ticket)).unwrap_err(), Code::TicketExpired);
}

#[test]
fn a_signal_that_nobody_reads_comes_back() {
    let mut house = House::new("back");
    let (_a, b) = (house.join(peer(1), "room"), house.join(peer(2), "room"));
    house.say(&b.ticket, &offer(peer(1)));
    assert!(house.read(&b, 0).is_empty());
    house.time += house.node.settings.hold;
    let at = house.moment();
    let network = "room".parse().unwrap();
    now(exchange(&house.node, &house.store(), Event::Passed(network), at)).unwrap();
    assert_eq!(
        house.read(&b, 0).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>(),
        ["error peer-unavailable"]
    );
}

#[test]
fn a_signal_that_a_stream_was_given_is_not_overdue() {
    let mut house = House::new("given");
    let (a, b) = (house.join(peer(1), "room"), house.join(peer(2), "room"));
    house.say(&b.ticket, &offer(peer(1)));
    assert_eq!(house.read(&a, 0).len(), 2);
    house.time += house.node.settings.hold;
    let at = house.moment();
    now(exchange(&house.node, &house.store(), Event::Passed("room".parse().unwrap()), at)).unwrap();
    assert!(house.read(&b, 0).is_empty());
    assert_eq!(house.read(&a, 0).len(), 2);
}

#[test]
fn networks_are_apart_and_goodbye_ends_the_presence() {
    let mut house = House::new("apart");
    let (a, b, c) = (house.join(peer(1), "room"), house.join(peer(2), "room"), house.join(peer(3), "other"));
    assert_eq!(house.say(&c.ticket, &offer(peer(1))), ["error peer-unavailable"]);
    house.say(&a.ticket, r#"{"type":"goodbye","data":{}}"#);
    let told: Vec<_> = house.read(&b, 0).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(told, ["goodbye", "peer-disconnected"]);
    assert_eq!(house.say(&b.ticket, &offer(peer(1))), ["error peer-unavailable"]);
    assert!(house.read(&c, 0).is_empty());
}
