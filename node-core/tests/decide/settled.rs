//! A signal was brought to another node: taken, refused, or nobody answered.

use pigeonhub_node_core::{Event, Outcome, Route};
use pigeonhub_protocol::{Code, Millis};

use crate::support::scene::Scene;
use crate::support::words::{Nuance, after, here, mail, node, signal, there};

/// An offer of `a` to `b` that these nodes were asked to take.
fn settled(tried: &[&str], deadline: Option<Millis>, outcome: Outcome) -> Event {
    let nodes = tried.iter().map(|name| node(name)).collect();
    Event::Settled(Route { nodes, ask_all: false, signal: signal('a', 'b'), deadline, by: None }, outcome)
}

fn refused() -> Outcome {
    Outcome::Refused(Code::PeerUnavailable)
}

#[test]
fn taken_there_is_nothing_to_do() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]);
    assert_eq!(scene.decides(settled(&["n2"], None, Outcome::Routed(node("n2")))), [""; 0]);
}

#[test]
fn refused_by_one_another_node_of_the_target_is_tried_at_once() {
    let scene = Scene::of([here('a', 1), there('b', "n2"), there('b', "n3")]);
    assert_eq!(
        scene.decides(settled(&["n2"], None, refused())),
        [r#"route by n3: offer a to b "sdp" until +10000"#]
    );
}

/// Two nodes that both refuse are not asked in turn without a pause.
#[test]
fn refused_again_it_waits_before_other_nodes_are_tried() {
    let scene = Scene::of([here('a', 1), there('b', "n2"), there('b', "n3")]);
    assert_eq!(
        scene.decides(settled(&["n3"], Some(after(9_000)), refused())),
        [r#"deliver to b: offer a to b "sdp" until +9000, else peer-unavailable"#]
    );
}

#[test]
fn refused_by_its_only_node_it_waits_for_news_of_the_target() {
    for wanted in [there('b', "n2"), there('b', "n2").away(false), here('b', 2).away(false)] {
        assert_eq!(
            Scene::of([here('a', 1), wanted]).decides(settled(&["n2"], None, refused())),
            [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
        );
    }
}

#[test]
fn a_node_that_does_not_answer_is_named_as_the_reason_in_the_end() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]);
    assert_eq!(
        scene.decides(settled(&["n2"], None, Outcome::Unreachable)),
        [r#"deliver to b: offer a to b "sdp" until +10000, else node-unreachable"#]
    );
}

#[test]
fn a_target_that_came_here_meanwhile_gets_it_here() {
    let scene = Scene::of([here('a', 1), here('b', 2)]);
    assert_eq!(
        scene.decides(settled(&["n2"], None, refused())),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
}

#[test]
fn it_stays_behind_what_waits_already() {
    let scene =
        Scene::of([here('a', 1), there('b', "n2"), there('b', "n3")]).waiting(mail('a', 'b', after(9_000)));
    assert_eq!(
        scene.decides(settled(&["n2"], None, refused())),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
}

#[test]
fn a_target_that_no_node_knows_is_an_error_at_once_after_all_were_asked() {
    assert_eq!(
        Scene::of([here('a', 1)]).decides(settled(&["n2", "n3"], None, refused())),
        ["deliver to a: error peer-unavailable about offer to b"]
    );
    assert_eq!(
        Scene::of([here('a', 1)]).decides(settled(&["n2"], None, Outcome::Unreachable)),
        ["deliver to a: error node-unreachable about offer to b"]
    );
}

#[test]
fn no_wait_is_longer_than_the_hold() {
    let scene = Scene::of([here('a', 1), there('b', "n2"), there('b', "n3")]).at(after(9_000));
    assert_eq!(
        scene.decides(settled(&["n2"], Some(after(9_000)), refused())),
        ["deliver to a: error peer-unavailable about offer to b"]
    );
}

#[test]
fn a_full_mailbox_is_final() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]);
    assert_eq!(
        scene.decides(settled(&["n2"], None, Outcome::Refused(Code::MailboxFull))),
        ["deliver to a: error mailbox-full about offer to b"]
    );
}

/// The other node knows the sender at a third node, and has not heard yet that it is here, too.
#[test]
fn a_node_that_has_yet_to_hear_of_the_sender_is_asked_again() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]);
    assert_eq!(
        scene.decides(settled(&["n2"], None, Outcome::Refused(Code::Forbidden))),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
}

/// All were asked, and one has yet to hear that the sender is here, so it does not say whether it has the
/// target: a page that had to leave a node of its network called at once. (The simulation's seed 17.)
#[test]
fn a_target_that_nobody_could_name_yet_is_waited_for() {
    let premature = || settled(&["n2", "n3"], None, Outcome::Refused(Code::Forbidden));
    assert_eq!(
        Scene::of([here('a', 1)]).decides(premature()),
        [r#"deliver to b: offer a to b "sdp" until +10000, else peer-unavailable"#]
    );
    let lines = Scene::of([there('a', "n3")]).decides(premature());
    assert_eq!(lines, ["return to a by n3: error peer-unavailable about offer to b"], "its own node asks");
}

#[test]
fn a_node_that_has_yet_to_hear_that_the_sender_was_here_is_asked_again() {
    let scene = Scene::of([here('a', 1).away(true), there('a', "n3"), there('b', "n2")]);
    assert_eq!(
        scene.decides(settled(&["n2"], Some(after(5_000)), Outcome::Refused(Code::Forbidden))),
        [r#"deliver to b: offer a to b "sdp" until +5000, else peer-unavailable"#]
    );
}

/// A signal of another node's peer waited here for a peer that went on to a third node, which takes it
/// only from the node of its sender.
#[test]
fn a_sender_elsewhere_is_not_told_that_it_is_forbidden() {
    let scene = Scene::of([there('a', "n3"), there('b', "n2")]);
    assert_eq!(
        scene.decides(settled(&["n2"], Some(after(5_000)), Outcome::Refused(Code::Forbidden))),
        ["return to a by n3: error peer-unavailable about offer to b"]
    );
}

#[test]
fn nothing_waits_in_a_full_mailbox() {
    let scene = Scene::of([here('a', 1), there('b', "n2")]).full('b');
    assert_eq!(
        scene.decides(settled(&["n2"], None, refused())),
        ["deliver to a: error peer-unavailable about offer to b"]
    );
}

#[test]
fn a_sender_that_moved_to_another_node_hears_the_error_there() {
    for sender in
        [vec![there('a', "n3")], vec![here('a', 1).away(true), there('a', "n2").away(true), there('a', "n3")]]
    {
        assert_eq!(
            Scene::of(sender).decides(settled(&["n2"], None, refused())),
            ["return to a by n3: error peer-unavailable about offer to b"]
        );
    }
}

#[test]
fn a_sender_that_is_gone_hears_nothing() {
    assert_eq!(Scene::default().decides(settled(&["n2"], None, refused())), [""; 0]);
}
