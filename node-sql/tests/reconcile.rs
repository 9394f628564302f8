//! Nodes that compare end with the same records, whatever each of them missed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ed25519_dalek::SigningKey;
use pigeonhub_node_core::records::{
    Archive, Colleagues, REPLICAS, Stored, Wanted, answer, find, publish, reconcile, replicate, responsible,
    wanted,
};
use pigeonhub_node_core::rest::{self, Call, Reply, Request, route};
use pigeonhub_node_sql::{Embedded, SqlStore};
use pigeonhub_protocol::{Code, Millis, NodeId, Record, raw_json};

const NOW: Millis = Millis(1_790_000_000_000);

/// Nothing here waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// Nodes that reach each other by calls.
#[derive(Default)]
struct Town {
    nodes: RefCell<BTreeMap<NodeId, SqlStore<Embedded>>>,
    /// Bodies that were sent, and what a cut node hears.
    bytes: Cell<usize>,
    cut: RefCell<Option<NodeId>>,
}

/// The town as one of its nodes sees it.
struct View {
    town: Rc<Town>,
    own: NodeId,
}

impl Town {
    fn of(count: usize) -> Vec<View> {
        let town = Rc::new(Self::default());
        (0..count).map(|number| View::joins(&town, &format!("n{number}"))).collect()
    }
}

impl View {
    fn joins(town: &Rc<Town>, name: &str) -> Self {
        let own: NodeId = name.parse().unwrap();
        let store = SqlStore::new(Embedded::in_memory().unwrap(), own.clone(), NOW);
        at_once(store.create_record_tables()).unwrap();
        town.nodes.borrow_mut().insert(own.clone(), store);
        Self { town: Rc::clone(town), own }
    }

    fn with<T>(&self, node: &NodeId, act: impl FnOnce(&SqlStore<Embedded>) -> T) -> T {
        act(&self.town.nodes.borrow()[node])
    }

    fn publish(&self, record: &Record, wanted: Wanted) -> Result<Stored, Code> {
        self.with(&self.own, |store| at_once(publish(store, self, record, wanted, NOW)).unwrap())
    }

    fn find(&self, topic: &str) -> Vec<String> {
        let found = self.with(&self.own, |store| at_once(find(store, self, topic, None, 100, NOW)).unwrap());
        found.iter().map(|record| serde_json::from_str(record.data.get()).unwrap()).collect()
    }

    fn reconcile(&self, other: &Self) -> (usize, usize) {
        self.with(&self.own, |store| at_once(reconcile(store, self, &other.own, NOW)).unwrap())
    }

    fn versions(&self) -> Vec<(String, String)> {
        let mut versions = self.with(&self.own, |store| at_once(store.record_versions()).unwrap());
        versions.sort();
        versions
    }

    fn hears(&self, from: &NodeId, path: &str, body: &[u8]) -> Reply {
        let request = Request { method: "POST", path, query: "", body, node: Some(from) };
        let call = route(&request).unwrap_or_else(|reply| panic!("{path}: {}", reply.body));
        self.with(&self.own, |store| match call {
            Call::Replicate(given) => {
                let kept = at_once(replicate(store, &given.records, NOW)).unwrap();
                rest::replicated(&given.records, &kept)
            }
            Call::Records(query) => rest::records(at_once(wanted(store, query)).unwrap().unwrap()),
            Call::Reconcile(node, theirs) => {
                rest::difference(&at_once(answer(store, self, &node, &theirs)).unwrap())
            }
            call => panic!("{call:?}"),
        })
    }
}

impl Colleagues for View {
    fn own(&self) -> &NodeId {
        &self.own
    }

    fn up(&self) -> Vec<NodeId> {
        let nodes = self.town.nodes.borrow();
        nodes.keys().filter(|node| **node != self.own).cloned().collect()
    }

    async fn ask(&self, nodes: &[NodeId], path: &'static str, body: Vec<u8>) -> Vec<Option<Vec<u8>>> {
        let ask = |node: &NodeId| {
            let cut = self.town.cut.borrow();
            if cut.as_ref().is_some_and(|cut| cut == node || *cut == self.own) {
                return None;
            }
            let other = Self { town: Rc::clone(&self.town), own: node.clone() };
            self.town.bytes.set(self.town.bytes.get() + body.len());
            Some(other.hears(&self.own, path, &body).body.into_bytes())
        };
        nodes.iter().map(ask).collect()
    }

    async fn gather(
        &self,
        nodes: &[NodeId],
        path: &'static str,
        body: Vec<u8>,
        is_good: fn(&[u8]) -> bool,
        _: usize,
    ) -> usize {
        let answers = self.ask(nodes, path, body).await;
        answers.iter().flatten().filter(|answer| is_good(answer)).count()
    }
}

fn record(topic: &str, publisher: u8, seq: u64, text: &str) -> Record {
    Record::unsigned(topic.into(), raw_json(text), seq, 60, NOW)
        .signed(&SigningKey::from_bytes(&[publisher; 32]))
}

#[test]
fn what_is_published_is_at_all_nodes_and_whoever_wants_more_hears_so() {
    let nodes = Town::of(3);
    let stored = nodes[0].publish(&record("t", 1, 1, "a"), Wanted::One);
    assert_eq!(stored, Ok(Stored { by: 3, of: 3, wanted: 1 }));
    nodes.iter().for_each(|node| assert_eq!(node.find("t"), ["a"]));
    let majority = serde_json::from_str(r#""majority""#).unwrap();
    *nodes[0].town.cut.borrow_mut() = Some(nodes[2].own.clone());
    let stored = nodes[0].publish(&record("t", 1, 2, "b"), majority);
    assert_eq!(stored, Ok(Stored { by: 2, of: 3, wanted: 2 }));
    *nodes[0].town.cut.borrow_mut() = Some(nodes[0].own.clone());
    let stored = nodes[0].publish(&record("t", 1, 3, "c"), majority);
    assert_eq!(stored, Ok(Stored { by: 1, of: 3, wanted: 2 }));
    assert_eq!(nodes[0].publish(&record("t", 1, 2, "b"), Wanted::One), Err(Code::RecordStale));
}

#[test]
fn what_a_node_missed_it_gets_and_what_others_missed_it_gives() {
    let nodes = Town::of(2);
    let [a, b] = nodes.as_slice() else { panic!() };
    let cut = |node: Option<&View>| *a.town.cut.borrow_mut() = node.map(|node| node.own.clone());
    a.publish(&record("t", 1, 1, "old"), Wanted::One).unwrap();
    cut(Some(b));
    a.publish(&record("t", 1, 2, "new"), Wanted::One).unwrap();
    a.publish(&record("u", 2, 1, "more"), Wanted::One).unwrap();
    b.publish(&record("t", 3, 1, "other"), Wanted::One).unwrap();
    let deleted = Record { deleted: true, data: raw_json(&()), ..record("v", 4, 2, "") };
    a.publish(&record("v", 4, 1, "gone"), Wanted::One).unwrap();
    b.publish(&deleted.signed(&SigningKey::from_bytes(&[4; 32])), Wanted::One).unwrap();
    assert_eq!(b.reconcile(a), (0, 0), "nobody answers");
    cut(None);
    assert_eq!(b.reconcile(a), (2, 2));
    assert_eq!(a.versions(), b.versions());
    assert_eq!((a.find("u"), a.find("v")), (vec!["more".into()], vec![]));
    let before = a.town.bytes.get();
    assert_eq!((a.reconcile(b), b.reconcile(a)), ((0, 0), (0, 0)));
    assert!(a.town.bytes.get() - before < 4096, "who holds the same says so in short");
}

#[test]
fn more_than_fits_into_one_answer_comes_all_the_same() {
    let nodes = Town::of(1);
    let large = "x".repeat(60_000);
    for number in 0..50u8 {
        nodes[0].publish(&record("t", number, 1, &large), Wanted::One).unwrap();
    }
    let late = View::joins(&nodes[0].town, "late");
    assert_eq!(late.reconcile(&nodes[0]).0, 50);
    let later = View::joins(&nodes[0].town, "later");
    assert_eq!(late.reconcile(&later).1, 50);
}

#[test]
fn in_a_large_mesh_some_keep_a_topic_and_all_find_it() {
    let nodes = Town::of(12);
    let others: Vec<NodeId> = nodes[1..].iter().map(|node| node.own.clone()).collect();
    // Topics that the first node does not keep.
    let is_theirs = |topic: &String| !responsible(topic, &nodes[0].own, &others).contains(&nodes[0].own);
    let topics: Vec<String> = (0..50).map(|n: u32| n.to_string()).filter(is_theirs).take(5).collect();
    assert_eq!(topics.len(), 5);
    for (number, topic) in (1..).zip(&topics) {
        let stored = nodes[0].publish(&record(topic, number, 1, "x"), Wanted::One).unwrap();
        assert_eq!((stored.by, stored.of), (1 + REPLICAS, 1 + REPLICAS), "here, and where it belongs");
        nodes.iter().for_each(|node| assert_eq!(node.find(topic), ["x"], "{} {topic}", node.own));
    }
    // All that keep it were away: the first node has it still, and gives it.
    *nodes[0].town.cut.borrow_mut() = Some(nodes[0].own.clone());
    nodes[0].publish(&record(&topics[0], 1, 2, "y"), Wanted::One).unwrap();
    *nodes[0].town.cut.borrow_mut() = None;
    let keepers = responsible(&topics[0], &nodes[0].own, &others);
    let keeper = nodes.iter().find(|node| keepers.contains(&node.own)).unwrap();
    assert_eq!(keeper.find(&topics[0]), ["x"]);
    assert_eq!(nodes[0].reconcile(keeper), (0, 1));
    assert_eq!(keeper.find(&topics[0]), ["y"]);
}
