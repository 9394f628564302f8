//! Time passed: leases and absences end, mail is overdue.

use pigeonhub_node_core::{Event, Mail};
use pigeonhub_protocol::Signal;

use crate::support::scene::Scene;
use crate::support::words::{NOW, Nuance, after, here, mail, mail_by, network, node, there};

fn passed() -> Event {
    Event::Passed(network("room"))
}

#[test]
fn nothing_is_over_before_its_time() {
    let scene = Scene::of([here('a', 1).until(after(1)), there('b', "n2").away(false).until(after(1))]);
    assert_eq!(scene.waiting(mail('a', 'b', after(1))).decides(passed())[..], [""; 0]);
}

#[test]
fn a_lease_that_ends_is_told_here_and_to_other_nodes() {
    assert_eq!(
        Scene::of([here('a', 1).until(NOW), here('b', 2)]).decides(passed()),
        ["forget a here#1", "tell all but a: departed a", "withdraw a closed null"]
    );
    assert_eq!(
        Scene::of([there('a', "n2").until(NOW), here('b', 2)]).decides(passed()),
        ["forget a at n2", "tell all but a: departed a", "say to n2 that there are peers here, and they"],
        "and it is asked whether that is so"
    );
}

#[test]
fn a_node_of_which_much_is_over_is_asked_once() {
    let over = ['a', 'c', 'd'].map(|peer| there(peer, "n2").until(NOW));
    let lines = Scene::of(over).decides(passed());
    assert_eq!(lines.iter().filter(|line| line.starts_with("say")).count(), 1, "{lines:?}");
}

/// Over plain HTTP nothing ends when a page is frozen, but its lease does.
#[test]
fn the_lease_of_who_said_that_it_is_away_ends_in_a_long_absence() {
    let away = r#"{"away":true}"#;
    assert_eq!(
        Scene::of([here('a', 1).saying(away).until(NOW), here('b', 2)]).decides(passed()),
        ["leave a here#1 until +300000 untold", "withdraw a closed null"]
    );
    assert_eq!(
        Scene::of([there('a', "n2").saying(away).until(NOW), here('b', 2)]).decides(passed()),
        ["leave a at n2 until +300000 untold", "say to n2 that there are peers here, and they"]
    );
    assert_eq!(
        Scene::of([here('a', 1).saying(away).away(false).until(NOW), here('b', 2)]).decides(passed()),
        ["forget a here#1", "tell all but a: departed a"],
        "which has an end, too"
    );
}

#[test]
fn who_was_away_and_is_elsewhere_is_told_as_it_is_there() {
    let away = there('a', "n2").saying(r#"{"away":true}"#).away(false).until(NOW);
    assert_eq!(
        Scene::of([away, there('a', "n3"), here('b', 2)]).decides(passed()),
        ["forget a at n2", "tell all but a: discovered a at n3"]
    );
}

#[test]
fn an_absence_is_told_when_it_is_over_unless_it_was_told_before() {
    for away in [here('a', 1), there('a', "n2")] {
        let place = if away.home.is_here() { "here#1" } else { "at n2" };
        assert_eq!(
            Scene::of([away.clone().away(false).until(NOW)]).decides(passed()),
            [format!("forget a {place}"), "tell all but a: departed a".into()]
        );
        assert_eq!(Scene::of([away.away(true).until(NOW)]).decides(passed()), [format!("forget a {place}")]);
    }
}

#[test]
fn nothing_is_told_while_the_peer_is_elsewhere() {
    for elsewhere in [here('a', 1), there('a', "n3"), there('a', "n3").away(false)] {
        let scene = Scene::of([there('a', "n2").away(false).until(NOW), elsewhere]);
        assert_eq!(scene.decides(passed()), ["forget a at n2"]);
    }
}

#[test]
fn an_absence_elsewhere_that_was_told_does_not_hide_this_one() {
    let scene = Scene::of([there('a', "n2").away(false).until(NOW), there('a', "n3").away(true)]);
    assert_eq!(scene.decides(passed()), ["forget a at n2", "tell all but a: departed a"]);
}

/// A node that is cut off loses all others, and so all homes of a peer, at the same moment.
#[test]
fn when_several_homes_end_at_once_the_departure_is_told_once() {
    let lost = |at_node| there('a', at_node).away(false).until(NOW);
    assert_eq!(
        Scene::of([lost("n2"), lost("n3"), here('b', 2)]).decides(passed()),
        ["forget a at n2", "tell all but a: departed a", "forget a at n3"]
    );
}

#[test]
fn overdue_mail_is_an_error_to_its_sender_here() {
    let scene = Scene::of([here('a', 1), here('b', 2).away(true)]).waiting(mail('a', 'b', NOW));
    assert_eq!(scene.decides(passed()), ["deliver to a: error peer-unavailable about offer to b"]);
}

#[test]
fn overdue_mail_from_another_node_is_returned_there() {
    let scene = Scene::of([there('a', "n2"), here('b', 2).away(true)]).waiting(mail('a', 'b', NOW));
    assert_eq!(scene.decides(passed()), ["return to a by n2: error peer-unavailable about offer to b"]);
}

/// Whoever brought it knows the way to where it was said.
#[test]
fn overdue_mail_of_a_stranger_goes_back_to_where_it_was_said_or_the_way_that_it_came() {
    let Mail::Signal { signal, by, until, code } = mail_by("n2", 'a', 'b', NOW) else {
        unreachable!("made a line above")
    };
    let signal = Signal { origin: Some(node("n3")), ..signal };
    let scene = Scene::of([here('b', 2).away(true)]).waiting(Mail::Signal { signal, by, until, code });
    assert_eq!(scene.decides(passed()), ["return to a by n3 or n2: error peer-unavailable about offer to b"]);
}

#[test]
fn overdue_mail_finds_a_sender_that_moved() {
    let homes =
        [here('a', 1).away(true), there('a', "n2").away(false), there('a', "n3"), here('b', 2).away(true)];
    let scene = Scene::of(homes).waiting(mail('a', 'b', NOW));
    assert_eq!(scene.decides(passed()), ["return to a by n3: error peer-unavailable about offer to b"]);
}

/// Its session there waits for an answer; the one here may end before it reads it.
#[test]
fn overdue_mail_goes_back_to_where_it_was_said() {
    let by = |node: &str| {
        Scene::of([here('a', 1), there('a', "n2"), there('a', "n3"), here('b', 2).away(true)])
            .waiting(mail_by(node, 'a', 'b', NOW))
            .decides(passed())
    };
    assert_eq!(by("n2"), ["return to a by n2: error peer-unavailable about offer to b"]);
    assert_eq!(by("n3"), ["return to a by n3: error peer-unavailable about offer to b"]);
    assert_eq!(by("n4"), ["deliver to a: error peer-unavailable about offer to b"]);
}

#[test]
fn overdue_mail_of_a_sender_that_is_gone_is_nobodys_concern() {
    let scene = Scene::of([here('b', 2).away(true)]).waiting(mail('a', 'b', NOW));
    assert_eq!(scene.decides(passed()), [""; 0]);
}

/// The target turned up elsewhere while the decision to wait for it here was made.
#[test]
fn stranded_mail_goes_to_the_node_of_its_target() {
    let homes = [here('a', 1), there('b', "n2"), there('b', "n3").away(false)];
    let scene = Scene::of(homes).waiting(mail('a', 'b', after(4_000)));
    assert_eq!(scene.decides(passed()), [r#"route by n2: offer a to b "sdp" until +4000"#]);
}
