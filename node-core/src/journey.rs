//! A signal on its way to one of several nodes: whom to ask next, and when it is over.

use alloc::vec::Vec;
use core::mem;

use pigeonhub_protocol::NodeId;

use crate::{Answer, Outcome, Route, Tally};

/// How long a node has to take a signal before the next home of its target is asked beside it, in
/// milliseconds.
pub const BESIDE: u64 = 150;

/// How it goes. The host brings the signal of the [`Route`], and says how each node took it.
#[derive(Debug, Default)]
pub struct Journey {
    /// So many nodes were asked, of which so many have not answered.
    asked: usize,
    open: usize,
    taken: bool,
    tally: Tally,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leg {
    /// To this node.
    To(NodeId),
    /// Others are still asked, or it is over already.
    Wait,
    /// It is over.
    Over(Outcome),
}

impl Journey {
    /// Sets out: the first legs, never none.
    pub fn begin(&mut self, route: &Route) -> Vec<Leg> {
        let first = if route.ask_all { route.nodes.len().max(1) } else { 1 };
        (0..first).map(|_| self.on(route)).collect()
    }

    /// `node` answered, or did not.
    pub fn answered(&mut self, route: &Route, node: &NodeId, answer: &Answer) -> Leg {
        self.open = self.open.saturating_sub(1);
        self.tally.count(answer);
        if *answer == Answer::Taken && !mem::replace(&mut self.taken, true) {
            return Leg::Over(Outcome::Routed(node.clone()));
        }
        self.on(route)
    }

    /// Whether it may go [`Self::beside`] if the node that is asked takes [`BESIDE`]. Receivers know a
    /// signal by its id: one without may come once only.
    #[must_use]
    pub fn may_go_beside(&self, route: &Route) -> bool {
        !self.taken && self.asked < route.nodes.len() && route.signal.id.is_some()
    }

    /// To another node, as long as those that were asked do not answer. None if there is none left.
    pub fn beside(&mut self, route: &Route) -> Option<NodeId> {
        match self.on(route) {
            Leg::To(node) => Some(node),
            Leg::Wait | Leg::Over(_) => None,
        }
    }

    fn on(&mut self, route: &Route) -> Leg {
        if self.taken {
            return Leg::Wait;
        }
        match route.nodes.get(self.asked) {
            Some(node) => {
                self.asked += 1;
                self.open += 1;
                Leg::To(node.clone())
            }
            None if self.open == 0 => Leg::Over(self.tally.outcome()),
            None => Leg::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use pigeonhub_protocol::{Code, PeerId, Signal, SignalKind, raw_json};

    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn route(nodes: &[&str], ask_all: bool) -> Route {
        let peer = |number| PeerId::from_bytes([number; 20]);
        let signal = Signal {
            kind: SignalKind::Offer,
            from: peer(1),
            target: peer(2),
            network: Default::default(),
            data: raw_json(&1),
            id: "m".parse().ok(),
            origin: None,
        };
        Route {
            nodes: nodes.iter().map(|name| node(name)).collect(),
            ask_all,
            signal,
            deadline: None,
            by: None,
        }
    }

    fn to(name: &str) -> Leg {
        Leg::To(node(name))
    }

    /// A journey along `a`, then `b`; what each answers, and the legs that follow.
    fn legs(ask_all: bool, answers: &[(&str, Answer)]) -> Vec<Leg> {
        let (mut journey, route) = (Journey::default(), route(&["a", "b"], ask_all));
        let mut legs = journey.begin(&route);
        legs.extend(answers.iter().map(|(name, answer)| journey.answered(&route, &node(name), answer)));
        legs
    }

    const AWAY: Answer = Answer::Refused(Code::PeerUnavailable);
    const FULL: Answer = Answer::Refused(Code::MailboxFull);

    #[test]
    fn in_turn_the_next_is_asked_until_one_takes_it() {
        let over = |outcome| [to("a"), to("b"), Leg::Over(outcome)];
        let taken = legs(false, &[("a", Answer::None), ("b", Answer::Taken)]);
        assert_eq!(taken, over(Outcome::Routed(node("b"))));
        assert_eq!(legs(false, &[("a", Answer::None), ("b", AWAY)]), over(Outcome::Unreachable));
        assert_eq!(legs(false, &[("a", FULL), ("b", AWAY)]), over(Outcome::Refused(Code::MailboxFull)));
        assert_eq!(Journey::default().begin(&route(&[], false)), [Leg::Over(Outcome::Unreachable)]);
        assert_eq!(Journey::default().begin(&route(&[], true)), [Leg::Over(Outcome::Unreachable)]);
    }

    #[test]
    fn together_the_first_taker_ends_it_and_else_the_last_refusal() {
        let end = Leg::Over(Outcome::Routed(node("b")));
        let taken = legs(true, &[("b", Answer::Taken), ("a", Answer::Taken)]);
        assert_eq!(taken, [to("a"), to("b"), end, Leg::Wait]);
        let end = Leg::Over(Outcome::Refused(Code::PeerUnavailable));
        assert_eq!(legs(true, &[("b", AWAY), ("a", AWAY)]), [to("a"), to("b"), Leg::Wait, end]);
    }

    #[test]
    fn who_does_not_answer_in_time_is_not_waited_for() {
        let route = route(&["a", "b"], false);
        let begun = || {
            let mut journey = Journey::default();
            assert_eq!(journey.begin(&route), [to("a")]);
            assert!(journey.may_go_beside(&route));
            assert_eq!(journey.beside(&route), Some(node("b")), "another one is asked");
            assert!(!journey.may_go_beside(&route), "of two, both are asked");
            assert_eq!(journey.beside(&route), None);
            journey
        };
        let mut journey = begun();
        let end = Leg::Over(Outcome::Routed(node("b")));
        assert_eq!(journey.answered(&route, &node("b"), &Answer::Taken), end);
        assert_eq!(journey.answered(&route, &node("a"), &Answer::None), Leg::Wait);

        let mut journey = begun();
        assert_eq!(journey.answered(&route, &node("b"), &AWAY), Leg::Wait, "the first may still take it");
        let end = Leg::Over(Outcome::Routed(node("a")));
        assert_eq!(journey.answered(&route, &node("a"), &Answer::Taken), end);
    }

    #[test]
    fn none_is_asked_beside_another_in_vain() {
        let mut route = route(&["a", "b"], false);
        let mut journey = Journey::default();
        journey.begin(&route);
        journey.answered(&route, &node("a"), &Answer::Taken);
        assert!(!journey.may_go_beside(&route) && journey.beside(&route).is_none(), "it is there already");

        route.signal.id = None;
        let mut journey = Journey::default();
        journey.begin(&route);
        assert!(!journey.may_go_beside(&route), "it might come twice");
    }
}
