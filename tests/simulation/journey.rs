//! A signal on its way to one of several nodes: in turn, or all at once.

use std::cell::RefCell;
use std::rc::Rc;

use pigeonhub_node_core::{Outcome, Route};
use pigeonhub_protocol::{Code, NodeId};

/// What a node that was asked said; none if it did not.
pub type Answer = Option<Result<(), Code>>;

/// A signal on its way.
#[derive(Clone)]
pub struct Journey {
    pub route: Rc<Route>,
    asked: Rc<RefCell<Asked>>,
    next: usize,
}

#[derive(Default)]
struct Asked {
    answers: usize,
    is_over: bool,
    refused: Option<Code>,
    is_any_silent: bool,
}

/// What comes next.
pub enum Next {
    To(NodeId, Journey),
    Nothing,
    Over(Route, Outcome),
}

impl Journey {
    pub fn begin(route: Route) -> Vec<Next> {
        let journey = Self { route: Rc::new(route), asked: Rc::default(), next: 0 };
        let route = &journey.route;
        let first = if route.ask_all { route.nodes.len() } else { route.nodes.len().min(1) };
        if first == 0 {
            return vec![Next::Over((**route).clone(), Outcome::Unreachable)];
        }
        let to = |node: &NodeId| Next::To(node.clone(), Self { next: first, ..journey.clone() });
        route.nodes[..first].iter().map(to).collect()
    }

    pub fn answered(self, node: &NodeId, answer: Answer) -> Next {
        let mut asked = self.asked.borrow_mut();
        asked.answers += 1;
        match answer {
            _ if asked.is_over => return Next::Nothing,
            Some(Ok(())) => {
                asked.is_over = true;
                return Next::Over((*self.route).clone(), Outcome::Routed(node.clone()));
            }
            Some(Err(Code::PeerUnavailable)) => asked.refused = asked.refused.or(Some(Code::PeerUnavailable)),
            Some(Err(code)) => asked.refused = Some(code),
            None => asked.is_any_silent = true,
        }
        if let Some(node) = self.route.nodes.get(self.next) {
            return Next::To(node.clone(), Self { next: self.next + 1, ..self.clone() });
        }
        if asked.answers < self.route.nodes.len() {
            return Next::Nothing;
        }
        asked.is_over = true;
        let outcome = match asked.refused {
            Some(code) if !asked.is_any_silent => Outcome::Refused(code),
            _ => Outcome::Unreachable,
        };
        Next::Over((*self.route).clone(), outcome)
    }
}
