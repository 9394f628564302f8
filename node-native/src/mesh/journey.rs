//! A signal on its way to one of several nodes.

use std::sync::Arc;

use parking_lot::Mutex;
use pigeonhub_node_core::{Answer, Outcome, Route, Tally};
use pigeonhub_protocol::{NodeId, Signal};

/// A signal on its way.
#[derive(Debug)]
pub struct Journey {
    route: Arc<Route>,
    asking: Asking,
}

#[derive(Debug)]
enum Asking {
    /// One node after the other; so many were asked, with these answers.
    InTurn { asked: usize, tally: Tally },
    /// All at once; shared by the journeys to all of them.
    Together(Arc<Mutex<Together>>),
}

#[derive(Debug)]
struct Together {
    open: usize,
    taken: bool,
    tally: Tally,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// To this node.
    To(NodeId, Journey),
    /// Others are still asked, or it is over already.
    Nothing,
    /// It is over.
    Over(Route, Outcome),
}

impl Journey {
    /// Sets out: the first steps.
    pub fn begin(route: Route) -> Vec<Next> {
        let route = Arc::new(route);
        if !route.ask_all {
            return vec![Self { route, asking: Asking::InTurn { asked: 0, tally: Tally::default() } }.on()];
        }
        let open = route.nodes.len();
        let together = Arc::new(Mutex::new(Together { open, taken: false, tally: Tally::default() }));
        let to = |node: &NodeId| {
            let asking = Asking::Together(Arc::clone(&together));
            Next::To(node.clone(), Self { route: Arc::clone(&route), asking })
        };
        if open == 0 {
            vec![Next::Over(unshared(route), Outcome::Unreachable)]
        } else {
            route.nodes.iter().map(to).collect()
        }
    }

    /// `node` answered, or did not.
    pub fn answered(self, node: &NodeId, answer: &Answer) -> Next {
        let Self { route, asking } = self;
        match asking {
            Asking::InTurn { .. } if *answer == Answer::Taken => {
                Next::Over(unshared(route), Outcome::Routed(node.clone()))
            }
            Asking::InTurn { asked, mut tally } => {
                tally.count(answer);
                Self { route, asking: Asking::InTurn { asked, tally } }.on()
            }
            Asking::Together(together) => {
                let mut together = together.lock();
                together.open -= 1;
                together.tally.count(answer);
                let first = *answer == Answer::Taken && !std::mem::replace(&mut together.taken, true);
                if first {
                    Next::Over(unshared(route), Outcome::Routed(node.clone()))
                } else if together.open == 0 && !together.taken {
                    Next::Over(unshared(route), together.tally.outcome())
                } else {
                    Next::Nothing
                }
            }
        }
    }

    fn on(self) -> Next {
        let Self { route, asking } = self;
        match asking {
            Asking::InTurn { asked, tally } => match route.nodes.get(asked).cloned() {
                Some(node) => {
                    let asking = Asking::InTurn { asked: asked + 1, tally };
                    Next::To(node, Self { route, asking })
                }
                None => Next::Over(unshared(route), tally.outcome()),
            },
            Asking::Together(_) => Next::Nothing,
        }
    }
}

impl AsRef<Signal> for Journey {
    fn as_ref(&self) -> &Signal {
        &self.route.signal
    }
}

/// The route itself; copied if journeys to other nodes still hold it.
fn unshared(route: Arc<Route>) -> Route {
    Arc::unwrap_or_clone(route)
}

#[cfg(test)]
mod tests {
    use pigeonhub_protocol::{Code, PeerId, SignalKind, raw_json};

    use super::*;

    fn route(nodes: &[&str], ask_all: bool) -> Route {
        let peer = |number| PeerId::from_bytes([number; 20]);
        let signal = Signal {
            kind: SignalKind::Offer,
            from: peer(1),
            target: peer(2),
            network: Default::default(),
            data: raw_json(&1),
            id: None,
            origin: None,
        };
        Route {
            nodes: nodes.iter().map(|node| node.parse().unwrap()).collect(),
            ask_all,
            signal,
            deadline: None,
            by: None,
        }
    }

    fn step(next: Next, answer: &Answer) -> Next {
        let Next::To(node, journey) = next else { panic!("{next:?}") };
        journey.answered(&node, answer)
    }

    fn outcome(next: Next) -> Outcome {
        let Next::Over(_, outcome) = next else { panic!("{next:?}") };
        outcome
    }

    const AWAY: Answer = Answer::Refused(Code::PeerUnavailable);

    #[test]
    fn in_turn_the_next_is_asked_until_one_takes_it() {
        let begin = || Journey::begin(route(&["a", "b"], false)).remove(0);
        let taken = outcome(step(step(begin(), &Answer::None), &Answer::Taken));
        assert_eq!(taken, Outcome::Routed("b".parse().unwrap()));
        assert_eq!(outcome(step(step(begin(), &Answer::None), &AWAY)), Outcome::Unreachable);
        let full = Answer::Refused(Code::MailboxFull);
        assert_eq!(outcome(step(step(begin(), &full), &AWAY)), Outcome::Refused(Code::MailboxFull));
    }

    #[test]
    fn together_the_first_taker_ends_it_and_else_the_last_refusal() {
        let mut all = Journey::begin(route(&["a", "b", "c"], true));
        let (c, b, a) = (all.remove(2), all.remove(1), all.remove(0));
        assert!(matches!(step(b, &AWAY), Next::Nothing));
        assert_eq!(outcome(step(c, &Answer::Taken)), Outcome::Routed("c".parse().unwrap()));
        assert!(matches!(step(a, &Answer::Taken), Next::Nothing));

        let mut all = Journey::begin(route(&["a", "b"], true));
        let (b, a) = (all.remove(1), all.remove(0));
        assert!(matches!(step(a, &AWAY), Next::Nothing));
        assert_eq!(outcome(step(b, &AWAY)), Outcome::Refused(Code::PeerUnavailable));
        assert_eq!(outcome(Journey::begin(route(&[], true)).remove(0)), Outcome::Unreachable);
    }
}
