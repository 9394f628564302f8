//! A signal on its way to one of several nodes.

use std::sync::Arc;

use parking_lot::Mutex;
use pigeonhub_node_core::{Answer, Outcome, Route, Tally};
use pigeonhub_protocol::{NodeId, Signal};

/// A signal on its way to one node. Those to other nodes share what is known of how it goes.
#[derive(Debug)]
pub struct Journey {
    route: Arc<Route>,
    progress: Arc<Mutex<Progress>>,
}

/// How it goes.
#[derive(Debug, Default)]
struct Progress {
    /// So many nodes were asked, of which so many have not answered.
    asked: usize,
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
    Over(Box<Route>, Outcome),
}

impl Journey {
    /// Sets out: the first steps.
    pub fn begin(route: Route) -> Vec<Next> {
        let first = if route.ask_all { route.nodes.len() } else { 1 };
        let journey = Self { route: Arc::new(route), progress: Arc::default() };
        if journey.route.nodes.is_empty() {
            return vec![Next::Over(unshared(journey.route), Outcome::Unreachable)];
        }
        (0..first).map(|_| journey.on()).collect()
    }

    /// `node` answered, or did not.
    pub fn answered(self, node: &NodeId, answer: &Answer) -> Next {
        {
            let mut progress = self.progress.lock();
            progress.open -= 1;
            progress.tally.count(answer);
            if *answer == Answer::Taken && !std::mem::replace(&mut progress.taken, true) {
                drop(progress);
                return Next::Over(unshared(self.route), Outcome::Routed(node.clone()));
            }
        }
        self.on()
    }

    /// To another node, as long as those that were asked do not answer. None if there is none left.
    pub fn beside(&self) -> Option<Next> {
        Some(self.on()).filter(|next| matches!(next, Next::To(..)))
    }

    /// Another look at it, for who waits to go [`Self::beside`]; none if there is nothing to wait for.
    /// Receivers know a signal by its id: one without may come once only.
    pub fn waiting(&self) -> Option<Self> {
        let more = self.progress.lock().asked < self.route.nodes.len();
        let may = more && self.route.signal.id.is_some();
        may.then(|| Self { route: Arc::clone(&self.route), progress: Arc::clone(&self.progress) })
    }

    fn on(&self) -> Next {
        let mut progress = self.progress.lock();
        if progress.taken {
            return Next::Nothing;
        }
        match self.route.nodes.get(progress.asked).cloned() {
            Some(node) => {
                progress.asked += 1;
                progress.open += 1;
                let (route, progress) = (Arc::clone(&self.route), Arc::clone(&self.progress));
                Next::To(node, Self { route, progress })
            }
            None if progress.open == 0 => {
                Next::Over(Box::new(Route::clone(&self.route)), progress.tally.outcome())
            }
            None => Next::Nothing,
        }
    }
}

impl AsRef<Signal> for Journey {
    fn as_ref(&self) -> &Signal {
        &self.route.signal
    }
}

/// The route itself; copied if journeys to other nodes still hold it.
fn unshared(route: Arc<Route>) -> Box<Route> {
    Box::new(Arc::unwrap_or_clone(route))
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
    fn who_does_not_answer_in_time_is_not_waited_for() {
        let begin = |id| {
            let mut route = route(&["a", "b"], false);
            route.signal.id = id;
            Journey::begin(route).remove(0)
        };
        assert!(matches!(begin(None), Next::To(_, a) if a.waiting().is_none()), "it might come twice");

        let id = || "m".parse().ok();
        let Next::To(_, a) = begin(id()) else { panic!() };
        let b = a.waiting().and_then(|wait| wait.beside()).expect("another one is asked");
        assert!(a.waiting().is_none() && a.beside().is_none(), "of two, both are asked");
        assert_eq!(outcome(step(b, &Answer::Taken)), Outcome::Routed("b".parse().unwrap()));
        assert!(matches!(a.answered(&"a".parse().unwrap(), &Answer::None), Next::Nothing));

        let Next::To(_, a) = begin(id()) else { panic!() };
        let b = a.beside().unwrap();
        assert!(matches!(step(b, &AWAY), Next::Nothing), "the first may still take it");
        let late = a.answered(&"a".parse().unwrap(), &Answer::Taken);
        assert_eq!(outcome(late), Outcome::Routed("a".parse().unwrap()));

        let Next::To(_, a) = begin(id()) else { panic!() };
        let waits = a.waiting().unwrap();
        assert!(matches!(a.answered(&"a".parse().unwrap(), &Answer::Taken), Next::Over(..)));
        assert!(waits.beside().is_none(), "it is there already");
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
