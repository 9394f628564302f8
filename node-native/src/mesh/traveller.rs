//! A signal on its way to one of several nodes, whose queues it waits in.

use std::sync::Arc;

use parking_lot::Mutex;
use pigeonhub_node_core::{Answer, Journey, Leg, Outcome, Route};
use pigeonhub_protocol::{NodeId, Signal};

/// A signal on its way to one node. Those to other nodes share what is known of how it goes.
#[derive(Clone, Debug)]
pub struct Traveller {
    route: Arc<Route>,
    journey: Arc<Mutex<Journey>>,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// To this node.
    To(NodeId, Traveller),
    /// Others are still asked, or it is over already.
    Nothing,
    /// It is over.
    Over(Box<Route>, Outcome),
}

impl Traveller {
    /// Sets out: the first steps.
    pub fn begin(route: Route) -> Vec<Next> {
        let this = Self { route: Arc::new(route), journey: Arc::default() };
        let legs = this.journey.lock().begin(&this.route);
        legs.into_iter().map(|leg| this.clone().on(leg)).collect()
    }

    /// `node` answered, or did not.
    pub fn answered(self, node: &NodeId, answer: &Answer) -> Next {
        let leg = self.journey.lock().answered(&self.route, node, answer);
        self.on(leg)
    }

    /// Another look at it, for who waits to go [`Self::beside`]; none if there is nothing to wait for.
    pub fn waiting(&self) -> Option<Self> {
        self.journey.lock().may_go_beside(&self.route).then(|| self.clone())
    }

    /// To another node, as long as those that were asked do not answer. None if there is none left.
    pub fn beside(self) -> Option<Next> {
        let node = self.journey.lock().beside(&self.route);
        node.map(|node| self.on(Leg::To(node)))
    }

    fn on(self, leg: Leg) -> Next {
        match leg {
            Leg::To(node) => Next::To(node, self),
            Leg::Wait => Next::Nothing,
            // Copied if the signal is still in the queues of other nodes.
            Leg::Over(outcome) => Next::Over(Box::new(Arc::unwrap_or_clone(self.route)), outcome),
        }
    }
}

impl AsRef<Signal> for Traveller {
    fn as_ref(&self) -> &Signal {
        &self.route.signal
    }
}
