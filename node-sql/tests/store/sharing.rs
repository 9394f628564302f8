//! Other requests come between the statements of one.

use std::cell::Cell;
use std::rc::Rc;

use pigeonhub_node_core::{Decision, Errand, Event, MailSeq, Mailroom, Node, SessionId, Settings, exchange};
use pigeonhub_node_sql::{Database, Embedded, Row, SqlStore, Value};
use pigeonhub_protocol::{Frame, PeerId};

use super::support::shelf::at_once;
use super::support::words::{NOW, announce, announced, at, network, node, peer, stranger};

/// A connection on which something happens before the first step is written.
struct Interrupted {
    connection: Rc<Embedded>,
    by: Cell<Option<Event>>,
    decided: Rc<Cell<Option<Decision>>>,
}

impl Database for Interrupted {
    type Error = <Embedded as Database>::Error;

    async fn execute(
        &self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Row>, <Embedded as Database>::Error> {
        if ["INSERT INTO step", "INSERT INTO mail"].iter().any(|step| sql.starts_with(step))
            && let Some(event) = self.by.take()
        {
            self.decided.set(Some(happen(&store(&self.connection, None).0, event)));
        }
        self.connection.execute(sql, parameters).await
    }
}

type Interruption = Rc<Cell<Option<Decision>>>;

fn store(connection: &Rc<Embedded>, by: Option<Event>) -> (SqlStore<Interrupted>, Interruption) {
    let decided = Interruption::default();
    let database =
        Interrupted { connection: Rc::clone(connection), by: Cell::new(by), decided: Rc::clone(&decided) };
    (SqlStore::new(database, node("n1"), NOW), decided)
}

fn happen(store: &SqlStore<Interrupted>, event: Event) -> Decision {
    let node = Node { id: node("n1"), settings: Settings::default() };
    at_once(exchange(&node, store, event, at(NOW))).unwrap()
}

/// Two events, the second right before the first writes; what was decided on each, and the store.
fn at_the_same_moment(first: Event, second: Event) -> (Decision, Decision, SqlStore<Interrupted>) {
    at_the_same_moment_after(None, first, second)
}

/// The same after another event.
fn at_the_same_moment_after(
    before: Option<Event>,
    first: Event,
    second: Event,
) -> (Decision, Decision, SqlStore<Interrupted>) {
    let connection = Rc::new(Embedded::in_memory().unwrap());
    let (undisturbed, _) = store(&connection, None);
    at_once(undisturbed.create_tables()).unwrap();
    before.into_iter().for_each(|before| drop(happen(&undisturbed, before)));
    let (store, decided) = store(&connection, Some(second));
    let first = happen(&store, first);
    (first, decided.take().expect("it was interrupted"), store)
}

/// Whom these frames tell of.
fn told<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Vec<PeerId> {
    let peer = |frame: &Frame| {
        let json: serde_json::Value = serde_json::from_str(frame.as_str()).unwrap();
        assert_eq!(json["type"], "peer-discovered");
        json["data"]["peerId"].as_str().unwrap().parse().unwrap()
    };
    frames.into_iter().map(peer).collect()
}

fn mail(store: &SqlStore<Interrupted>, of: char, session: u64) -> Vec<PeerId> {
    let mail = at_once(store.read(&network("room"), peer(of), SessionId(session), MailSeq(0), 99)).unwrap();
    let frames: Vec<_> = mail.into_iter().map(|(_, mail)| mail.into_frame(NOW)).collect();
    told(&frames)
}

#[test]
fn two_who_announce_at_the_same_moment_are_told_of_each_other() {
    let (first, second) = (announce(stranger('a', 1), "{}"), announce(stranger('b', 2), "{}"));
    let (a, b, store) = at_the_same_moment(first, second);
    // Both looked when neither was there; who is remembered last looks again.
    assert_eq!((told(&a.replies), told(&b.replies)), (vec![peer('b')], vec![]));
    assert_eq!((mail(&store, 'a', 1), mail(&store, 'b', 2)), (vec![], vec![peer('a')]));
}

#[test]
fn who_announces_while_another_node_does_is_told_of_its_peer() {
    let (first, second) = (announce(stranger('a', 1), "{}"), announced("n2", 'b', &[]));
    let (a, b, _) = at_the_same_moment_after(Some(announce(stranger('c', 3), "{}")), first, second);
    assert_eq!((told(&a.replies), b.told), (vec![peer('c'), peer('b')], 1));
    let named: Vec<_> = a
        .errands
        .iter()
        .filter_map(|errand| match errand {
            Errand::Announce { tell, .. } => Some(tell.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(named, [(node("n2"), peer('b'))]);
}

/// Of a network without peers here the other node's is not remembered.
#[test]
fn the_first_who_announces_while_another_node_does_makes_it_tell_again() {
    let (first, second) = (announce(stranger('a', 1), "{}"), announced("n2", 'b', &[]));
    let (a, b, _) = at_the_same_moment(first, second);
    assert_eq!((told(&a.replies), b.told), (vec![], 0));
    assert!(matches!(a.errands[0], Errand::Interest { to: None, answer: true, .. }), "{:?}", a.errands);
}

#[test]
fn a_peer_of_another_node_is_told_to_who_announces_at_the_same_moment() {
    let (first, second) = (announced("n2", 'b', &[]), announce(stranger('a', 1), "{}"));
    let (b, a, store) = at_the_same_moment_after(Some(announce(stranger('c', 3), "{}")), first, second);
    assert_eq!((told(&a.replies), b.told), (vec![peer('c')], 2));
    assert_eq!(mail(&store, 'a', 1), [peer('b')]);
}

#[test]
fn nobody_is_told_twice_in_peace() {
    let connection = Rc::new(Embedded::in_memory().unwrap());
    let (store, _) = store(&connection, None);
    at_once(store.create_tables()).unwrap();
    let a = happen(&store, announce(stranger('a', 1), "{}"));
    let b = happen(&store, announce(stranger('b', 2), "{}"));
    assert_eq!((told(&a.replies), told(&b.replies)), (vec![], vec![peer('a')]));
    assert_eq!((mail(&store, 'a', 1), mail(&store, 'b', 2)), (vec![peer('b')], vec![]));
}
