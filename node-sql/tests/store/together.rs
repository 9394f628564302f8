//! Several events at once are decided as one after the other, and written once.

use std::cell::Cell;
use std::rc::Rc;

use pigeonhub_node_core::{
    Decision, Event, MailSeq, Mailroom, Node, SessionId, Settings, exchange, exchange_all,
};
use pigeonhub_node_sql::{Database, Embedded, Row, SqlStore, Value};
use pigeonhub_protocol::SignalKind;
use pigeonhub_protocol::mesh::{Departure, PeerAnnouncement, PeerWithdrawal};

use super::support::shelf::at_once;
use super::support::words::{
    NOW, announce, announce_in, announced, at, caller, network, node, offer, peer, say, signal, stranger,
    withdrawn,
};

/// Counts the steps that are written.
struct Counted(Embedded, Rc<Cell<u32>>);

impl Database for Counted {
    type Error = <Embedded as Database>::Error;

    async fn execute(
        &self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Row>, <Embedded as Database>::Error> {
        if ["INSERT INTO step", "INSERT INTO mail"].iter().any(|step| sql.starts_with(step)) {
            self.1.set(self.1.get() + 1);
        }
        self.0.execute(sql, parameters).await
    }
}

/// Three peers are in the room, one in another network; what the mail of two of them is after the events, and how often was written.
fn after(events: Vec<Event>, together: bool) -> (Vec<Decision>, [Vec<String>; 2], u32) {
    let the_node = Node { id: node("n1"), settings: Settings::default() };
    let steps = Rc::new(Cell::new(0));
    let mut store =
        SqlStore::new(Counted(Embedded::in_memory().unwrap(), Rc::clone(&steps)), node("n1"), NOW);
    at_once(store.create_tables()).unwrap();
    store.with_nodes(vec![node("n2")]);
    let one = |event| at_once(exchange(&the_node, &store, event, at(NOW))).unwrap();
    one(announce(stranger('a', 1), "{}"));
    one(announce(stranger('b', 2), "{}"));
    one(announced("n2", 'c', &[]));
    // Of a network without peers here nothing would be written.
    one(announce_in("elsewhere", stranger('f', 3), "{}"));
    one(elsewhere(announced("n2", 'c', &[])));
    // A signal that waits for a peer which turns up elsewhere.
    one(Event::Gone(caller('b', 2), Departure::Lost));
    one(offer(caller('a', 1), 'b'));
    steps.set(0);
    let decisions = if together {
        at_once(exchange_all(&the_node, &store, events, at(NOW))).unwrap()
    } else {
        events.into_iter().map(one).collect()
    };
    let mail = [('a', 1), ('b', 2)].map(|(of, session)| {
        let mail = at_once(store.read(&network("room"), peer(of), SessionId(session), MailSeq(0), 99));
        mail.unwrap().into_iter().map(|(_, mail)| mail.into_frame(NOW).as_str().to_owned()).collect()
    });
    (decisions, mail, steps.get())
}

/// The same in another network.
fn elsewhere(event: Event) -> Event {
    let network_name = network("elsewhere");
    match event {
        Event::Announced(node, announcement) => {
            Event::Announced(node, PeerAnnouncement { network_name, ..announcement })
        }
        Event::Withdrawn(node, withdrawal) => {
            Event::Withdrawn(node, PeerWithdrawal { network_name, ..withdrawal })
        }
        other => other,
    }
}

/// Plays the events both ways; gives how often was written when they came together.
fn alike(events: impl Fn() -> Vec<Event>) -> u32 {
    let (one, mail_of_one, _) = after(events(), false);
    let (all, mail_of_all, steps) = after(events(), true);
    assert_eq!(format!("{all:?}"), format!("{one:?}"));
    assert_eq!(mail_of_all, mail_of_one);
    steps
}

#[test]
fn news_of_many_peers_are_written_once_and_what_waits_goes_after_its_peer() {
    let many = || vec![announced("n2", 'd', &['a']), announced("n2", 'e', &['a']), announced("n2", 'b', &[])];
    assert_eq!(alike(many), 1);
    let (decisions, [mail, _], _) = after(many(), true);
    assert_eq!((decisions[2].errands.len(), mail.len() >= 3), (1, true), "{decisions:?}");
}

#[test]
fn news_of_the_same_peer_count_for_those_that_come_after() {
    let twice = || {
        vec![
            announced("n2", 'd', &['a']),
            withdrawn("n2", 'd', Departure::Closed),
            withdrawn("n2", 'c', Departure::Closed),
            announced("n2", 'd', &['a']),
            announced("n2", 'd', &['a']),
        ]
    };
    assert_eq!(alike(twice), 4);
}

#[test]
fn signals_are_written_once_in_order() {
    let some = || {
        let routed =
            |kind| Event::Routed(node("n2"), pigeonhub_protocol::Signal { kind, ..signal('c', 'a') });
        vec![routed(SignalKind::Offer), routed(SignalKind::IceCandidate), routed(SignalKind::Answer)]
    };
    assert_eq!(alike(some), 1);
    let said = || {
        let say = |kind, to| say(caller('a', 1), kind, to);
        vec![
            say(SignalKind::Offer, 'b'),
            say(SignalKind::IceCandidate, 'b'),
            say(SignalKind::Offer, 'c'),
            say(SignalKind::Offer, 'a'),
        ]
    };
    assert_eq!(alike(said), 1);
    let replies = after(said(), true).0.remove(3).replies;
    assert!(replies[0].as_str().contains("error"), "a refusal stays with its message: {replies:?}");
}

#[test]
fn networks_do_not_wait_for_each_other() {
    let mixed = || {
        vec![
            announced("n2", 'd', &['a']),
            elsewhere(announced("n2", 'd', &['a'])),
            announced("n2", 'b', &[]),
            elsewhere(announced("n2", 'b', &[])),
        ]
    };
    assert_eq!(alike(mixed), 1);
    let (decisions, [mail, _], _) = after(mixed(), true);
    let told = |of: &str| mail.iter().filter(|frame| frame.contains(of)).count();
    assert_eq!((told("elsewhere"), told(peer('d').as_str())), (0, 1), "only the peers of the room: {mail:?}");
    assert_eq!(decisions[2].errands.len(), 1, "what waited there goes after its peer");
    assert!(decisions[3].errands.is_empty(), "and not into another network");

    // Within one, news of a peer count for those that come after.
    let twice = || {
        vec![
            elsewhere(announced("n2", 'e', &[])),
            announced("n2", 'e', &[]),
            elsewhere(withdrawn("n2", 'e', Departure::Closed)),
        ]
    };
    assert_eq!(alike(twice), 2);
}
