//! Who may connect.

use pigeonhub_node_core::{Admission, Node, Settings};
use pigeonhub_protocol::Close;

use crate::support::words::{node, peer};

fn admit(id: Option<&str>, is_connected: bool, open: usize) -> Admission {
    let settings = Settings { connections: 10, ..Settings::default() };
    Node { id: node("n1"), settings }.admit(id, |_| is_connected, open)
}

#[test]
fn an_id_of_40_hexadecimal_digits_is_welcome_in_its_own_case() {
    for digit in ['a', 'A', '7'] {
        assert_eq!(admit(Some(peer(digit).as_str()), false, 9), Admission::Welcome(peer(digit)));
    }
}

#[test]
fn anything_else_is_refused_with_a_reason() {
    for id in [None, Some(""), Some("abc"), Some("gggggggggggggggggggggggggggggggggggggggg")] {
        assert_eq!(admit(id, false, 0), Admission::Refuse(Close::INVALID_PEER_ID));
    }
}

#[test]
fn an_id_in_use_is_probed_before_it_is_refused_even_at_a_full_node() {
    assert_eq!(admit(Some(peer('a').as_str()), true, 0), Admission::Probe(peer('a')));
    assert_eq!(admit(Some(peer('a').as_str()), true, 10), Admission::Probe(peer('a')));
}

#[test]
fn a_full_node_says_so() {
    assert_eq!(admit(Some(peer('a').as_str()), false, 10), Admission::Refuse(Close::FULL));
}
