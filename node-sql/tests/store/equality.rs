//! The same events on the store in memory and on the one in SQLite: the same decisions, the same mail.

use std::collections::{BTreeMap, BTreeSet};

use pigeonhub_node_core::{
    Caller, Decision, Errand, Event, MailSeq, Mailroom, Node, SessionId, Settings, exchange,
};
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Frame, Millis, Moment, PeerMessage, SignalKind};
use serde_json::Value as Json;

use super::support::shelf::{Shelf, at_once};
use super::support::words::{
    NOW, announce_in, announced, goodbye, network, node, offer, peer, refreshed, returned, say, signal,
    withdrawn,
};
use super::{SqlStore, store};
use pigeonhub_node_sql::Embedded;

const PEERS: [char; 6] = ['a', 'b', 'c', 'd', 'e', 'f'];
const NETWORKS: [&str; 2] = ["room", "hall"];

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.throw(some.len() as u64) as usize]
    }
}

/// Who calls, as a host would know it.
#[derive(Default)]
struct Callers {
    known: BTreeMap<char, Caller>,
    sessions: u64,
}

impl Callers {
    fn of(&mut self, who: char) -> Caller {
        self.sessions += 1;
        let new = Caller { peer: peer(who), session: SessionId(self.sessions), network: None };
        self.known.entry(who).or_insert(new).clone()
    }
}

fn event(dice: &mut Dice, callers: &mut Callers, who: char) -> Event {
    let (caller, to) = (callers.of(who), dice.of(&PEERS));
    // At one other node each: which of several is named, stores may choose.
    let (other, any) = (if to < 'd' { "n2" } else { "n3" }, dice.of(&["n2", "n3"]));
    match dice.throw(17) {
        0..4 => announce_in(dice.of(&NETWORKS), caller, dice.of(&["{}", r#"{"n":1}"#])),
        4..7 => offer(caller, to),
        7 => say(caller, SignalKind::IceCandidate, to),
        8 => goodbye(caller),
        9 => Event::StillHere(caller),
        10 => {
            callers.known.remove(&who);
            Event::Gone(caller, dice.of(&[Departure::Closed, Departure::Lost]))
        }
        11 => announced(other, to, &[who]),
        12 => refreshed(other, to),
        13 => withdrawn(other, to, dice.of(&[Departure::Closed, Departure::Lost, Departure::Goodbye])),
        14 => Event::Routed(node(any), signal(to, who)),
        15 => returned(any, pigeonhub_protocol::Code::PeerUnavailable, who, to),
        _ => Event::Said(caller, PeerMessage::Discover),
    }
}

/// What a decision says, but for times (a frame is stamped when it is read) and the order of equals.
fn said(decision: &Decision) -> Vec<String> {
    let mut said: Vec<String> = decision.replies.iter().map(unstamped).collect();
    said.sort();
    let mut errands: Vec<String> = decision.errands.iter().map(errand).collect();
    errands.sort();
    said.extend(errands);
    let rest = (decision.joined.clone(), decision.left, decision.told, &decision.routed);
    said.push(format!("{rest:?}"));
    said
}

fn errand(errand: &Errand) -> String {
    match errand {
        Errand::Announce { presence, tell, refresh } => {
            let mut tell = tell.clone();
            tell.sort();
            format!("announce {} {} {tell:?} {refresh}", presence.peer, presence.profile.get())
        }
        Errand::Route(route) => {
            let mut nodes = route.nodes.clone();
            nodes.sort();
            format!("route {nodes:?} {} {:?} {:?}", route.ask_all, route.signal, route.deadline)
        }
        other => format!("{other:?}"),
    }
}

fn unstamped(frame: &Frame) -> String {
    let mut json: Json = serde_json::from_str(frame.as_str()).unwrap();
    json.as_object_mut().unwrap().remove("timestamp");
    json.to_string()
}

/// All mail of a peer, and where it ends.
fn mail<S: Mailroom<Error: std::fmt::Debug>>(store: &S, caller: &Caller, acknowledge: bool) -> Vec<String> {
    let Some(network) = &caller.network else { return Vec::new() };
    let mail = at_once(store.read(network, caller.peer, caller.session, MailSeq(0), 999)).unwrap();
    if let Some((last, _)) = mail.last().filter(|_| acknowledge) {
        at_once(store.acknowledge(network, caller.peer, caller.session, *last)).unwrap();
    }
    mail.into_iter().map(|(_, mail)| unstamped(&mail.into_frame(NOW))).collect()
}

/// Which nodes hear of a network, and of whom.
fn wanted(shelf: &Shelf, name: &str) -> String {
    let (memory, network) = (shelf.memory.borrow(), network(name));
    let (mut abroad, mut here) = (memory.abroad(&network), memory.here_in(&network));
    abroad.sort();
    here.sort_by_key(|presence| presence.peer);
    let here: Vec<_> = here.iter().map(|presence| (presence.peer, &presence.home)).collect();
    let is_inhabited = (memory.is_inhabited(&network), memory.inhabited().contains(&network));
    format!("{abroad:?} {here:?} {is_inhabited:?}")
}

fn wanted_sql(sql: &SqlStore<Embedded>, name: &str) -> String {
    let network = network(name);
    let mut abroad = at_once(sql.abroad(&BTreeSet::from([network.clone()]))).unwrap();
    let mut abroad = abroad.remove(&network).unwrap_or_default();
    abroad.sort();
    let here = at_once(sql.here_in(&network)).unwrap();
    let here: Vec<_> = here.iter().map(|presence| (presence.peer, &presence.home)).collect();
    let inhabited = at_once(sql.inhabited()).unwrap();
    let is_inhabited = (at_once(sql.is_inhabited(&network)).unwrap(), inhabited.contains(&network));
    format!("{abroad:?} {here:?} {is_inhabited:?}")
}

fn play(seed: u64) {
    let settings = Settings::default();
    let the_node = Node { id: node("n1"), settings };
    let shelf = Shelf::default();
    *shelf.nodes.borrow_mut() = vec![node("n2"), node("n3")];
    let mut sql: SqlStore<Embedded> = store();
    sql.with_nodes(vec![node("n2"), node("n3")]);
    let (mut dice, mut callers, mut now) = (Dice(seed), Callers::default(), NOW);
    for step in 0..150 {
        let who = dice.of(&PEERS);
        now = Millis(now.0 + dice.throw(4) * dice.throw(2_000));
        sql.at(now);
        let at = Moment { now, seed: step };
        let event = event(&mut dice, &mut callers, who);
        let happened = format!("seed {seed}, step {step}: {event:?}");
        let in_memory = at_once(exchange(&the_node, &shelf, event.clone(), at)).unwrap();
        let in_sql = at_once(exchange(&the_node, &sql, event, at)).unwrap();
        assert_eq!(said(&in_sql), said(&in_memory), "{happened}");
        if let Some(caller) = callers.known.get_mut(&who) {
            if in_memory.left {
                caller.network = None;
            }
            if in_memory.joined.is_some() {
                caller.network = in_memory.joined;
            }
        }
        for name in NETWORKS {
            let at = Moment { now, seed: step };
            let passed = || Event::Passed(network(name));
            let in_memory = at_once(exchange(&the_node, &shelf, passed(), at)).unwrap();
            let in_sql = at_once(exchange(&the_node, &sql, passed(), at)).unwrap();
            assert_eq!(said(&in_sql), said(&in_memory), "{happened}, then time passed");
            assert_eq!(wanted_sql(&sql, name), wanted(&shelf, name), "{happened}; who hears of {name}");
        }
        let acknowledge = dice.throw(2) == 0;
        for caller in callers.known.values() {
            let (in_memory, in_sql) = (mail(&shelf, caller, acknowledge), mail(&sql, caller, acknowledge));
            assert_eq!(in_sql, in_memory, "{happened}; the mail of {}", caller.peer);
        }
    }
}

#[test]
fn any_sequence_of_events_is_decided_alike() {
    for seed in 0..12 {
        play(seed);
    }
}
