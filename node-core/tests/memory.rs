//! The store in memory: it keeps the contract of every store, and the promises of its own to hosts
//! that keep sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support {
    pub mod contract;
    pub mod losses;
    pub mod samples;
    pub mod shelf;
    pub mod words;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pigeonhub_node_core::{Absence, Change, Home, Mail, MailSeq, Memory, Needs, Outlet, Presence, SessionId};
use pigeonhub_protocol::{Frame, Millis, PeerId, limit};

use support::words::{NOW, Nuance, after, here, mail, network, node, peer, there};

mod keeps {
    use crate::support::contract::contract;
    use crate::support::shelf::Shelf;

    contract!(Shelf::default());
}

/// Counts what it hears.
#[derive(Default)]
struct Bell {
    rung: AtomicUsize,
    overflows: AtomicUsize,
}

impl Bell {
    fn rung(&self) -> usize {
        self.rung.swap(0, Ordering::Relaxed)
    }
}

impl Outlet for Bell {
    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::Relaxed);
    }

    fn overflow(&self) {
        self.overflows.fetch_add(1, Ordering::Relaxed);
    }
}

/// A memory of `room` with these presences.
fn room(presences: impl IntoIterator<Item = Presence>) -> Memory {
    let mut memory = Memory::default();
    memory.commit(&network("room"), presences.into_iter().map(|p| Change::Remember(Arc::new(p))).collect());
    memory
}

fn attach(memory: &mut Memory, of: char, session: u64) -> Arc<Bell> {
    let bell = Arc::new(Bell::default());
    memory.attach(&network("room"), peer(of), SessionId(session), bell.clone());
    bell
}

fn commit(memory: &mut Memory, change: Change) {
    memory.commit(&network("room"), vec![change]);
}

fn deliver(from: char, to: char, until: Millis) -> Change {
    Change::Deliver { to: peer(to), mail: mail(from, to, until) }
}

fn tell(to: char, text: String) -> Change {
    Change::Tell { to: vec![peer(to)], frame: text.into() }
}

fn take(memory: &mut Memory, of: char, session: u64, most: usize) -> Vec<Mail> {
    memory.take(&network("room"), peer(of), SessionId(session), most)
}

fn texts(mail: Vec<Mail>) -> Vec<Frame> {
    mail.into_iter().map(|mail| mail.into_frame(NOW)).collect()
}

fn pass(memory: &mut Memory, now: Millis) -> pigeonhub_node_core::Facts {
    memory.load(&Needs { over_at: Some(now), ..Needs::about(network("room"), &[]) })
}

#[test]
fn a_session_hears_of_every_delivery() {
    let mut memory = room([here('a', 1)]);
    let bell = attach(&mut memory, 'a', 1);
    assert_eq!(bell.rung(), 0);
    commit(&mut memory, deliver('b', 'a', after(9)));
    commit(&mut memory, tell('a', "news".into()));
    assert_eq!((bell.rung(), take(&mut memory, 'a', 1, 9).len()), (2, 2));
}

#[test]
fn a_session_that_finds_mail_hears_of_it_at_once() {
    let mut memory = room([here('a', 1).away(false)]);
    commit(&mut memory, deliver('b', 'a', after(9)));
    commit(&mut memory, Change::Remember(Arc::new(here('a', 2))));
    assert_eq!(attach(&mut memory, 'a', 2).rung(), 1);
}

#[test]
fn a_replaced_session_hears_and_takes_nothing() {
    let mut memory = room([here('a', 1)]);
    let old = attach(&mut memory, 'a', 1);
    commit(&mut memory, Change::Remember(Arc::new(here('a', 2))));
    commit(&mut memory, deliver('b', 'a', after(9)));
    assert_eq!((old.rung(), take(&mut memory, 'a', 1, 9).len()), (0, 0));
    assert_eq!(attach(&mut memory, 'a', 1).rung(), 0);
    assert_eq!(take(&mut memory, 'a', 2, 9).len(), 1);
}

#[test]
fn what_could_not_be_sent_goes_back_to_the_front_and_the_next_session_hears_of_it() {
    let mut memory = room([here('a', 1)]);
    commit(&mut memory, deliver('b', 'a', after(9)));
    commit(&mut memory, tell('a', "old news".into()));
    commit(&mut memory, deliver('c', 'a', after(9)));
    let taken = take(&mut memory, 'a', 1, 3);
    commit(&mut memory, deliver('d', 'a', after(9)));
    commit(&mut memory, Change::Remember(Arc::new(here('a', 2))));
    let bell = attach(&mut memory, 'a', 2);
    bell.rung();
    let expected = [&taken[0], &taken[2], &mail('d', 'a', after(9))].map(|mail| mail.clone().into_frame(NOW));
    memory.put_back(&network("room"), peer('a'), taken);
    assert_eq!((bell.rung(), texts(take(&mut memory, 'a', 2, 9))), (1, expected.into()));
}

#[test]
fn what_could_not_be_sent_is_overdue_in_its_time() {
    let mut memory = room([here('a', 1), here('b', 2)]);
    commit(&mut memory, deliver('b', 'a', after(9)));
    let taken = take(&mut memory, 'a', 1, 9);
    commit(&mut memory, Change::Forget { peer: peer('a'), home: Home::Here(SessionId(1)) });
    memory.put_back(&network("room"), peer('a'), taken);
    assert_eq!(pass(&mut memory, after(8)).overdue.len(), 0);
    assert_eq!(pass(&mut memory, after(9)).overdue.len(), 1);
}

#[test]
fn a_slow_reader_overflows_and_its_mailbox_stays_bounded() {
    let mut memory = room([here('a', 1)]);
    let bell = attach(&mut memory, 'a', 1);
    for _ in 0..limit::MAILBOX_MESSAGES + 7 {
        commit(&mut memory, tell('a', "news".into()));
    }
    assert_eq!(bell.overflows.load(Ordering::Relaxed), 7);
    assert_eq!(take(&mut memory, 'a', 1, usize::MAX).len(), limit::MAILBOX_MESSAGES);
    let large = "x".repeat(limit::MESSAGE);
    for _ in 0..10 {
        commit(&mut memory, tell('a', large.clone()));
    }
    assert_eq!(take(&mut memory, 'a', 1, usize::MAX).len(), limit::MAILBOX_BYTES / limit::MESSAGE);
}

/// A session that reads gets its mail at once: only one without an outlet may have stopped reading.
#[test]
fn mail_of_a_session_that_reads_is_never_overdue() {
    let mut memory = room([here('a', 1), here('b', 2)]);
    let _bell = attach(&mut memory, 'a', 1);
    commit(&mut memory, deliver('b', 'a', after(9)));
    assert_eq!(pass(&mut memory, after(10)).overdue.len(), 0);
    assert_eq!(take(&mut memory, 'a', 1, 9).len(), 1);
}

#[test]
fn a_network_is_due_when_something_in_it_may_be_over() {
    let mut memory = room([here('a', 1).until(after(50))]);
    assert_eq!(memory.due(after(49)), []);
    assert_eq!(memory.due(after(50)), [network("room")]);
    commit(
        &mut memory,
        Change::Leave { peer: peer('a'), home: Home::Here(SessionId(1)), until: after(20), told: false },
    );
    assert_eq!(memory.due(after(20)), [network("room")]);
    commit(&mut memory, deliver('b', 'a', after(10)));
    assert_eq!(memory.due(after(10)), [network("room")]);
    assert_eq!(pass(&mut memory, after(10)).overdue.len(), 1);
    assert_eq!(memory.due(after(19)), []);
}

#[test]
fn a_network_is_due_when_the_peers_of_a_lost_node_are_no_longer_waited_for() {
    let away = there('a', "n2").saying(r#"{"away":true}"#);
    for (lost, until) in [(there('a', "n2"), after(10)), (away, after(300))] {
        let mut memory = room([lost]);
        memory.node_lost(&node("n2"), Absence { usual: after(10), said: after(300) });
        assert_eq!((memory.due(Millis(until.0 - 1)), memory.due(until)), (vec![], vec![network("room")]));
    }
}

#[test]
fn who_was_here_a_moment_ago_counts_unless_all_were_told_that_it_is_gone() {
    let lost = here('b', 2).away(false);
    let (gone, elsewhere) = (here('c', 3).away(true), [here('d', 4).away(true), there('d', "n2")]);
    let memory = room([here('a', 1), lost, gone, there('e', "n2")].into_iter().chain(elsewhere));
    let mut counted: Vec<_> = memory.here_in(&network("room")).iter().map(|known| known.peer).collect();
    counted.sort_unstable();
    assert_eq!(counted, ['a', 'b', 'd'].map(peer));
}

#[test]
fn pages_name_every_live_peer_once() {
    let numbered =
        |n: u8| Presence { peer: PeerId::from_bytes([n.wrapping_mul(151); 20]), ..here('a', n.into()) };
    let memory = room((0..100).map(|n| if n % 10 == 0 { numbered(n).away(true) } else { numbered(n) }));
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = memory.page(&network("room"), cursor, 7);
        let Some(last) = page.last() else { break };
        cursor = Some(last.peer);
        seen.extend(page.iter().map(|known| known.peer));
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    assert_eq!(seen.len(), 90);
    assert!(memory.page(&network("hall"), None, 7).is_empty());
}

#[test]
fn peers_are_counted_and_when_the_last_is_gone_nothing_is_kept() {
    let mut memory = room([here('a', 1), there('b', "n2"), here('c', 3).away(true)]);
    assert_eq!((memory.count(), memory.here().len()), ((1, 1, 2), 1));
    commit(&mut memory, deliver('a', 'c', after(5)));
    for (of, home) in
        [('a', Home::Here(SessionId(1))), ('b', Home::At(node("n2"))), ('c', Home::Here(SessionId(3)))]
    {
        commit(&mut memory, Change::Forget { peer: peer(of), home });
    }
    assert_eq!(memory.count().0, 1, "a signal still waits");
    pass(&mut memory, after(5));
    memory.commit(&network("room"), vec![]);
    assert_eq!(memory.count(), (0, 0, 0));
}

#[test]
fn what_a_stream_was_given_is_overdue_when_its_peer_does_not_come_back_to_say_that_it_got_it() {
    let (mut memory, hall) = (room([here('a', 1).until(after(90_000))]), network("room"));
    let read = |memory: &mut Memory| memory.read(&hall, peer('a'), SessionId(1), MailSeq(0), 9).len();
    let overdue = |memory: &mut Memory, millis| pass(memory, after(millis)).overdue.len();
    let stream: Arc<dyn Outlet> = attach(&mut memory, 'a', 1);
    commit(&mut memory, deliver('b', 'a', after(9)));
    assert_eq!((read(&mut memory), overdue(&mut memory, 20_000)), (1, 0));
    memory.detach(&hall, peer('a'), SessionId(1), &stream);
    // It has a hold from the end of its stream; a newer stream has it, too.
    assert_eq!(overdue(&mut memory, 20_000), 0);
    assert_eq!((overdue(&mut memory, 29_999), read(&mut memory)), (0, 1));
    let newer: Arc<dyn Outlet> = attach(&mut memory, 'a', 1);
    assert_eq!(overdue(&mut memory, 60_000), 0);
    memory.detach(&hall, peer('a'), SessionId(1), &newer);
    assert_eq!((overdue(&mut memory, 60_000), overdue(&mut memory, 70_000)), (0, 1));
    assert_eq!(read(&mut memory), 0);
}
