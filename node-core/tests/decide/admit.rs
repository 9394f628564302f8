//! Who may connect.

use pigeonhub_node_core::ticket::{TicketKey, of_socket};
use pigeonhub_node_core::{Admission, Knock, Node, SessionId, Settings};
use pigeonhub_protocol::Close;

use crate::support::words::{node, peer};

/// The session that an id is in use by.
const PRESENT: SessionId = SessionId(7);

fn key() -> TicketKey {
    TicketKey::from_secret(&[1; 32])
}

fn admit(query: &str, is_connected: bool, open: usize) -> Admission {
    let settings = Settings { connections: 10, ..Settings::default() };
    let session_of = |_: &_| is_connected.then_some(PRESENT);
    Node { id: node("n1"), settings }.admit(&Knock::read(query), session_of, open, &key())
}

fn of(digit: char) -> String {
    format!("peerId={}", peer(digit))
}

#[test]
fn an_id_of_40_hexadecimal_digits_is_welcome_in_its_own_case() {
    for digit in ['a', 'A', '7'] {
        assert_eq!(admit(&of(digit), false, 9), Admission::Welcome(peer(digit)));
    }
}

#[test]
fn anything_else_is_refused_with_a_reason() {
    let (long, no_digits) = (format!("{}0", of('a')), format!("peerId={}", "g".repeat(40)));
    for query in ["", "peerId", "peerId=", "peerId=abc", "peerid=aa", &no_digits, &long] {
        assert_eq!(admit(query, false, 0), Admission::Refuse(Close::INVALID_PEER_ID), "{query}");
    }
}

#[test]
fn an_id_in_use_is_probed_before_it_is_refused_even_at_a_full_node() {
    assert_eq!(admit(&of('a'), true, 0), Admission::Probe(peer('a')));
    assert_eq!(admit(&of('a'), true, 10), Admission::Probe(peer('a')));
}

#[test]
fn a_full_node_says_so() {
    assert_eq!(admit(&of('a'), false, 10), Admission::Refuse(Close::FULL));
}

#[test]
fn who_holds_the_ticket_of_the_present_session_takes_it_over_even_at_a_full_node() {
    let ticket = of_socket(&peer('a'), PRESENT, &key());
    for open in [1, 10] {
        let query = format!("x=1&{}&resume={ticket}", of('a'));
        assert_eq!(admit(&query, true, open), Admission::TakeOver(peer('a')));
    }
}

#[test]
fn any_other_ticket_counts_for_nothing() {
    let (older, other) =
        (of_socket(&peer('a'), SessionId(6), &key()), of_socket(&peer('b'), PRESENT, &key()));
    let elsewhere = of_socket(&peer('a'), PRESENT, &TicketKey::from_secret(&[2; 32]));
    for ticket in [older.as_str(), other.as_str(), elsewhere.as_str(), "", "%41", "x"] {
        let query = format!("{}&resume={ticket}", of('a'));
        assert_eq!(admit(&query, true, 1), Admission::Probe(peer('a')), "{ticket}");
        assert_eq!(admit(&query, false, 1), Admission::Welcome(peer('a')), "{ticket}");
    }
}

#[test]
fn only_who_asks_for_a_ticket_is_given_one() {
    assert!(!Knock::read(&of('a')).wants_ticket);
    for resume in ["resume=", "resume=abc", "resume=%41"] {
        assert!(Knock::read(&format!("{}&{resume}", of('a'))).wants_ticket, "{resume}");
    }
}
