//! What every store promises, as questions to any of them: [`contract!`] makes a test of each.
//!
//! A store is given its changes one by one, asked for facts, and read like a session reads its mail.

use std::fmt::Debug;
use std::sync::Arc;

use pigeonhub_node_core::{
    Change, Facts, Home, Mail, MailSeq, Mailroom, Needs, Presence, Sample, SessionId, State,
};
use pigeonhub_protocol::{Code, Frame, Millis, NodeMessage, limit};

use super::shelf::at_once;
use super::words::{NOW, Nuance, after, here, mail, network, node, peer, raw, there};

/// One test for each promise, on the store that the expression makes.
macro_rules! contract {
    ($store:expr; $($promise:ident)*) => {
        $(#[test] fn $promise() { crate::support::contract::$promise(&$store); })*
    };
    ($store:expr) => {
        contract!($store;
            a_presence_replaces_the_one_at_the_same_place_only
            a_lease_is_renewed_only_for_its_own_session
            whoever_leaves_is_away_unless_a_newer_session_is_here
            whoever_is_forgotten_is_gone_unless_a_newer_session_is_here
            changes_may_be_repeated
            networks_know_nothing_of_each_other
            ids_that_differ_in_case_are_two_peers
            mail_is_read_in_order_and_stays_until_acknowledged
            numbers_of_mail_never_go_back
            only_the_session_that_is_here_reads
            signals_wait_for_the_return_of_a_peer_and_news_do_not
            news_reach_only_those_who_are_here
            what_waits_is_said_and_a_full_mailbox_too
            waiting_signals_are_handed_out_once
            nothing_is_handed_out_while_the_peer_is_here
            what_is_over_is_told_with_all_other_homes
            a_lost_node_takes_its_peers_away_and_only_those
            who_said_that_it_is_away_is_kept_longer_when_its_node_is_lost
            who_is_elsewhere_as_well_is_not_kept_longer_when_a_node_is_lost
            overdue_mail_comes_out_once_with_its_sender
            stranded_mail_comes_out_with_its_target
            a_sample_is_everyone_while_there_are_few
            a_sample_is_bounded_and_holds_the_nearest
            a_sample_names_only_live_others
        );
    };
}

pub(crate) use contract;

pub use super::losses::*;
pub use super::samples::*;

pub(super) fn commit<S: Mailroom<Error: Debug>>(store: &S, changes: Vec<Change>) {
    at_once(store.commit(&network("room"), changes)).unwrap();
}

pub(super) fn remember<S: Mailroom<Error: Debug>>(store: &S, presences: impl IntoIterator<Item = Presence>) {
    commit(store, presences.into_iter().map(|presence| Change::Remember(Arc::new(presence))).collect());
}

pub(super) fn needs(targets: &[char]) -> Needs {
    let targets: Vec<_> = targets.iter().map(|of| peer(*of)).collect();
    Needs::about(network("room"), &targets)
}

pub(super) fn load<S: Mailroom<Error: Debug>>(store: &S, needs: &Needs) -> Facts {
    at_once(store.load(needs)).unwrap()
}

/// The homes of a peer: place, state, end.
pub(super) fn homes<S: Mailroom<Error: Debug>>(store: &S, of: char) -> Vec<(Home, State, Millis)> {
    let facts = load(store, &needs(&[of]));
    let mut homes: Vec<_> =
        facts.targets[0].homes.iter().map(|known| (known.home.clone(), known.state, known.until)).collect();
    homes.sort();
    homes
}

fn read<S: Mailroom<Error: Debug>>(
    store: &S,
    of: char,
    session: u64,
    after: u64,
    most: usize,
) -> Vec<(u64, String)> {
    let mail =
        at_once(store.read(&network("room"), peer(of), SessionId(session), MailSeq(after), most)).unwrap();
    mail.into_iter().map(|(seq, mail)| (seq.0, mail.into_frame(NOW).as_str().into())).collect()
}

/// The texts of all mail of a session.
fn texts<S: Mailroom<Error: Debug>>(store: &S, of: char, session: u64) -> Vec<String> {
    read(store, of, session, 0, 5000).into_iter().map(|(_, text)| text).collect()
}

fn news(text: &str) -> Frame {
    text.to_owned().into()
}

fn tell(to: &[char], text: &str) -> Change {
    Change::Tell { to: to.iter().map(|of| peer(*of)).collect(), frame: news(text) }
}

fn deliver(from: char, to: char, until: Millis) -> Change {
    Change::Deliver { to: peer(to), mail: mail(from, to, until) }
}

/// The frame of an offer.
fn offer(from: char, to: char) -> String {
    NodeMessage::Signal(super::words::signal(from, to)).frame(NOW).as_str().into()
}

pub(super) fn home(session: u64) -> Home {
    Home::Here(SessionId(session))
}

pub fn a_presence_replaces_the_one_at_the_same_place_only<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1), there('a', "n2"), there('a', "n3")]);
    remember(store, [here('a', 2).until(after(1)), there('a', "n3").until(after(2))]);
    let live = |home, until| (home, State::Live, until);
    assert_eq!(
        homes(store, 'a'),
        [
            live(home(2), after(1)),
            live(Home::At(node("n2")), after(60_000)),
            live(Home::At(node("n3")), after(2))
        ]
    );
    let profile = |text: &str| Presence { profile: raw(text), ..here('a', 2) };
    remember(store, [profile(r#"{"name":"x"}"#)]);
    let known = load(store, &needs(&['a']));
    assert_eq!(known.targets[0].here().unwrap().profile.get(), r#"{"name":"x"}"#);
}

pub fn a_lease_is_renewed_only_for_its_own_session<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 2), there('a', "n2")]);
    let renew = |of, home, until| Change::Renew { peer: peer(of), home, until };
    commit(
        store,
        vec![
            renew('a', home(1), after(1)),
            renew('a', Home::At(node("n3")), after(2)),
            renew('b', home(2), after(3)),
            renew('a', Home::At(node("n2")), after(4)),
        ],
    );
    let until: Vec<_> = homes(store, 'a').into_iter().map(|(.., until)| until).collect();
    assert_eq!((until, homes(store, 'b').len()), (vec![after(60_000), after(4)], 0));
}

pub fn whoever_leaves_is_away_unless_a_newer_session_is_here<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 2), there('a', "n2")]);
    let leave = |home, told| Change::Leave { peer: peer('a'), home, until: after(10), told };
    commit(store, vec![leave(home(1), true)]);
    assert_eq!(homes(store, 'a')[0].1, State::Live);
    commit(store, vec![leave(home(2), true), leave(Home::At(node("n2")), false)]);
    let away = |home, told| (home, State::Away { told }, after(10));
    assert_eq!(homes(store, 'a'), [away(home(2), true), away(Home::At(node("n2")), false)]);
}

pub fn whoever_is_forgotten_is_gone_unless_a_newer_session_is_here<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 2), there('a', "n2")]);
    let forget = |home| Change::Forget { peer: peer('a'), home };
    commit(store, vec![forget(home(1)), forget(Home::At(node("n3")))]);
    assert_eq!(homes(store, 'a').len(), 2);
    commit(store, vec![forget(home(2))]);
    assert_eq!(homes(store, 'a')[0].0, Home::At(node("n2")));
    commit(store, vec![forget(Home::At(node("n2")))]);
    assert_eq!(homes(store, 'a'), []);
}

/// Presence is said, not counted: twice is once. (Mail said twice is mail twice.)
pub fn changes_may_be_repeated<S: Mailroom<Error: Debug>>(store: &S) {
    let changes = [
        Change::Remember(Arc::new(here('a', 1))),
        Change::Renew { peer: peer('a'), home: home(1), until: after(5) },
        Change::Leave { peer: peer('a'), home: home(1), until: after(10), told: true },
        Change::Forget { peer: peer('a'), home: home(1) },
    ];
    for change in changes {
        commit(store, vec![change.clone()]);
        let once = homes(store, 'a');
        commit(store, vec![change.clone(), change]);
        assert_eq!(homes(store, 'a'), once);
    }
}

pub fn networks_know_nothing_of_each_other<S: Mailroom<Error: Debug>>(store: &S) {
    let hall = network("hall");
    remember(store, [here('a', 1)]);
    let stranger = Arc::new(here('b', 2).in_network("hall"));
    at_once(store.commit(&hall, vec![Change::Remember(stranger)])).unwrap();
    at_once(store.commit(
        &hall,
        vec![
            tell(&['a', 'b'], "told"),
            Change::TellAll { except: peer('c'), frame: news("told all") },
            Change::Forget { peer: peer('a'), home: home(1) },
        ],
    ))
    .unwrap();
    assert_eq!(texts(store, 'a', 1), [""; 0]);
    assert_eq!(homes(store, 'a').len(), 1);
    assert_eq!(homes(store, 'b'), []);
    let everyone = Sample { near: peer('c'), most: 9, here_only: false, seed: 1 };
    let facts =
        load(store, &Needs { sample: Some(everyone), over_at: Some(Millis(u64::MAX)), ..needs(&['b']) });
    assert_eq!((facts.sample.len(), facts.over.len()), (1, 1));
    let mail = at_once(store.read(&hall, peer('b'), SessionId(2), MailSeq(0), 9)).unwrap();
    assert_eq!(mail.len(), 2);
}

pub fn ids_that_differ_in_case_are_two_peers<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1), here('A', 2)]);
    commit(store, vec![deliver('b', 'A', after(1)), Change::Forget { peer: peer('a'), home: home(1) }]);
    assert_eq!((homes(store, 'a').len(), texts(store, 'A', 2)), (0, vec![offer('b', 'A')]));
}

pub fn mail_is_read_in_order_and_stays_until_acknowledged<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1)]);
    let expected: Vec<String> =
        (0..200).map(|n| if n % 3 == 0 { offer('b', 'a') } else { format!("news {n}") }).collect();
    for (n, text) in expected.iter().enumerate() {
        commit(store, vec![if n % 3 == 0 { deliver('b', 'a', after(1)) } else { tell(&['a'], text) }]);
    }
    assert_eq!(texts(store, 'a', 1), expected);
    let page = read(store, 'a', 1, 0, 50);
    assert_eq!(page.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), expected[..50]);
    let cursor = page.last().unwrap().0;
    assert!(page.is_sorted_by_key(|(seq, _)| *seq), "{page:?}");
    assert_eq!(read(store, 'a', 1, cursor, 1)[0].1, expected[50]);
    at_once(store.acknowledge(&network("room"), peer('a'), SessionId(1), MailSeq(cursor))).unwrap();
    assert_eq!(texts(store, 'a', 1), expected[50..]);
}

/// Else the cursor of a peer that was forgotten, or went to another network, is beyond what comes next.
pub fn numbers_of_mail_never_go_back<S: Mailroom<Error: Debug>>(store: &S) {
    let mut last = MailSeq(0);
    for (session, room) in [(1, "room"), (2, "room"), (3, "hall")] {
        let (room, reader) = (network(room), SessionId(session));
        let here = Presence { network: room.clone(), ..here('a', session) };
        let comes = vec![Change::Remember(Arc::new(here)), deliver('b', 'a', after(1))];
        at_once(store.commit(&room, comes)).unwrap();
        let mail = at_once(store.read(&room, peer('a'), reader, last, 9)).unwrap();
        last = mail.last().expect("it is new").0;
        at_once(store.acknowledge(&room, peer('a'), reader, last)).unwrap();
        let goes = Change::Forget { peer: peer('a'), home: home(session) };
        at_once(store.commit(&room, vec![goes])).unwrap();
    }
}

pub fn only_the_session_that_is_here_reads<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1)]);
    commit(store, vec![deliver('b', 'a', after(1))]);
    remember(store, [here('a', 2)]);
    assert_eq!(texts(store, 'a', 1), [""; 0]);
    at_once(store.acknowledge(&network("room"), peer('a'), SessionId(1), MailSeq(99))).unwrap();
    assert_eq!(texts(store, 'a', 2), [offer('b', 'a')]);
}

pub fn signals_wait_for_the_return_of_a_peer_and_news_do_not<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1)]);
    commit(store, vec![tell(&['a'], "before"), deliver('b', 'a', after(9))]);
    commit(store, vec![Change::Leave { peer: peer('a'), home: home(1), until: after(10), told: false }]);
    commit(store, vec![tell(&['a'], "meanwhile"), deliver('c', 'a', after(9))]);
    remember(store, [here('a', 2)]);
    commit(store, vec![tell(&['a'], "after")]);
    assert_eq!(texts(store, 'a', 2), [offer('b', 'a'), offer('c', 'a'), "after".into()]);
}

pub fn news_reach_only_those_who_are_here<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1), here('b', 2), here('c', 3), there('d', "n2"), here('e', 5).away(false)]);
    let error = Change::Deliver { to: peer('b'), mail: Mail::News(news("error")) };
    commit(
        store,
        vec![
            tell(&['a', 'd', 'e', 'f'], "told"),
            Change::TellAll { except: peer('c'), frame: news("told all") },
            error,
        ],
    );
    assert_eq!(texts(store, 'a', 1), ["told", "told all"]);
    assert_eq!(texts(store, 'b', 2), ["told all", "error"]);
    assert_eq!(texts(store, 'c', 3), [""; 0]);
    remember(store, [here('d', 4), here('e', 6), here('f', 7)]);
    assert_eq!(
        [texts(store, 'd', 4), texts(store, 'e', 6), texts(store, 'f', 7)],
        [vec![], vec![], Vec::<String>::new()]
    );
}

pub fn what_waits_is_said_and_a_full_mailbox_too<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1).away(false)]);
    let state = || {
        let facts = load(store, &needs(&['a', 'b']));
        let target = |index: usize| (facts.targets[index].waits, facts.targets[index].full);
        (target(0), target(1))
    };
    assert_eq!(state(), ((false, false), (false, false)));
    commit(store, vec![deliver('b', 'a', after(9))]);
    assert_eq!(state(), ((true, false), (false, false)));
    let many = (1..limit::MAILBOX_MESSAGES).map(|_| deliver('b', 'a', after(9)));
    commit(store, many.collect());
    assert_eq!(state(), ((true, true), (false, false)));
}

pub fn waiting_signals_are_handed_out_once<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1).away(false)]);
    let brought = super::words::mail_by("n2", 'c', 'a', after(8));
    commit(store, vec![deliver('b', 'a', after(7)), Change::Deliver { to: peer('a'), mail: brought }]);
    let waiting = Needs { waiting_for: Some(peer('a')), ..needs(&['a']) };
    let facts = load(store, &waiting);
    let handed = facts.waiting.into_iter().map(|mail| match mail {
        Mail::Signal { signal, by, until, code } => (signal.from, by, until, code),
        Mail::News(_) => panic!("news do not wait"),
    });
    let code = Code::PeerUnavailable;
    let brought = (peer('c'), Some(node("n2")), after(8), code);
    assert_eq!(handed.collect::<Vec<_>>(), [(peer('b'), None, after(7), code), brought]);
    assert!(load(store, &waiting).waiting.is_empty());
}

pub fn nothing_is_handed_out_while_the_peer_is_here<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1), there('a', "n2")]);
    commit(store, vec![deliver('b', 'a', after(7))]);
    let facts = load(store, &Needs { waiting_for: Some(peer('a')), over_at: Some(after(1)), ..needs(&[]) });
    assert_eq!((facts.waiting.len(), facts.stranded.len(), facts.overdue.len()), (0, 0, 0));
    assert_eq!(texts(store, 'a', 1).len(), 1);
}

pub fn what_is_over_is_told_with_all_other_homes<S: Mailroom<Error: Debug>>(store: &S) {
    remember(
        store,
        [
            here('a', 1).until(NOW),
            there('a', "n2"),
            there('b', "n2").away(true).until(NOW),
            here('c', 3).until(after(1)),
        ],
    );
    let facts = load(store, &Needs { over_at: Some(NOW), ..needs(&[]) });
    let mut over: Vec<_> = facts
        .over
        .iter()
        .map(|(known, target)| (known.peer, known.home.clone(), target.homes.len()))
        .collect();
    over.sort();
    assert_eq!(over, [(peer('a'), home(1), 2), (peer('b'), Home::At(node("n2")), 1)]);
}

pub fn overdue_mail_comes_out_once_with_its_sender<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1).away(false), there('b', "n2")]);
    commit(store, vec![deliver('b', 'a', NOW), deliver('b', 'a', after(1)), deliver('c', 'a', NOW)]);
    let over = Needs { over_at: Some(NOW), ..needs(&[]) };
    let facts = load(store, &over);
    let senders: Vec<_> = facts.overdue.iter().map(|(_, sender)| sender.homes.len()).collect();
    assert_eq!((senders, facts.stranded.len()), (vec![1, 0], 0));
    assert!(load(store, &over).overdue.is_empty());
    remember(store, [here('a', 2)]);
    assert_eq!(texts(store, 'a', 2).len(), 1);
}

pub fn stranded_mail_comes_out_with_its_target<S: Mailroom<Error: Debug>>(store: &S) {
    remember(store, [here('a', 1).away(false), there('a', "n2")]);
    commit(store, vec![deliver('b', 'a', after(8)), deliver('c', 'a', after(9))]);
    let over = Needs { over_at: Some(NOW), ..needs(&[]) };
    let facts = load(store, &over);
    let stranded: Vec<_> = facts
        .stranded
        .iter()
        .map(|(mail, target)| match mail {
            Mail::Signal { signal, .. } => (signal.from, target.homes.len()),
            Mail::News(_) => panic!("news do not wait"),
        })
        .collect();
    assert_eq!(stranded, [(peer('b'), 2), (peer('c'), 2)]);
    assert!(load(store, &over).stranded.is_empty());
}
