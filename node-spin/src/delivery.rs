//! What a request brings to other nodes: to each of them in order, to all of them at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use futures_util::stream::{FuturesUnordered, StreamExt};
use pigeonhub_node_core::{Answer, BESIDE, Journey, Leg, Outcome, Route};
use pigeonhub_protocol::{NodeId, Signal};

use crate::clock::sleep;
use crate::errands::Doubts;
use crate::host::Host;
use crate::outbound::Failure;

/// A signal, and the number of its trip.
pub struct Carried(usize, Signal);

impl AsRef<Signal> for Carried {
    fn as_ref(&self) -> &Signal {
        &self.1
    }
}

type Parcel = pigeonhub_node_core::Parcel<Carried>;
type Batch = pigeonhub_node_core::Batch<Carried>;

/// A signal on its way to one of several nodes.
struct Trip {
    route: Route,
    journey: Journey,
    outcome: Option<Outcome>,
}

/// What a delivery waits for.
pub enum Happening {
    /// The node took the batch, or not.
    Brought(NodeId, Batch, Result<Vec<u8>, Failure>),
    /// The signal with this number was on its way for so long that another node may be asked.
    Slow(usize),
}

/// Borrows nothing, so that an answer need not wait for what does not matter for it any more.
pub type Pending = LocalBoxFuture<'static, Happening>;

/// Parcels on their way.
pub struct Delivery<'a> {
    pub host: &'a Host,
    doubts: &'a mut Doubts,
    end: Instant,
    trips: Vec<Trip>,
    waiting: BTreeMap<NodeId, VecDeque<Parcel>>,
    /// Nodes to which a batch is under way: the next one goes after it. With those whose batch has
    /// to arrive: a signal that has got there by another way need not.
    busy: BTreeMap<NodeId, BTreeSet<Awaited>>,
    pending: FuturesUnordered<Pending>,
}

/// What makes a batch worth waiting for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Awaited {
    /// What comes after it builds upon it.
    News,
    /// The signal of this trip.
    Signal(usize),
}

impl Awaited {
    fn of(parcel: &Parcel) -> Self {
        match parcel {
            Parcel::Signal(Carried(number, _)) => Self::Signal(*number),
            _ => Self::News,
        }
    }

    fn is_open(self, trips: &[Trip]) -> bool {
        match self {
            Self::News => true,
            Self::Signal(number) => trips[number].outcome.is_none(),
        }
    }
}

impl<'a> Delivery<'a> {
    pub fn new(host: &'a Host, doubts: &'a mut Doubts, end: Instant) -> Self {
        Self {
            host,
            doubts,
            end,
            trips: Vec::new(),
            waiting: BTreeMap::new(),
            busy: BTreeMap::new(),
            pending: FuturesUnordered::new(),
        }
    }

    /// Brings a parcel to a node.
    pub fn bring(&mut self, node: &NodeId, parcel: Parcel) {
        self.waiting.entry(node.clone()).or_default().push_back(parcel);
    }

    /// Sends a signal to a node that takes it.
    pub fn send(&mut self, route: Route) {
        let mut journey = Journey::default();
        let legs = journey.begin(&route);
        let number = self.trips.len();
        self.trips.push(Trip { route, journey, outcome: None });
        legs.into_iter().for_each(|leg| self.go(number, leg));
    }

    /// Waits until every signal has ended somewhere and all else has arrived or failed. Gives how the
    /// signals ended, and what is still under way though nothing depends on it.
    pub async fn run(mut self) -> (Vec<(Route, Outcome)>, impl Iterator<Item = Pending> + use<>) {
        loop {
            self.set_out();
            if !self.is_waited_for() {
                break;
            }
            match self.pending.next().await {
                Some(Happening::Brought(node, batch, result)) => self.brought(&node, batch, &result),
                Some(Happening::Slow(number)) => self.go_beside(number),
                None => break,
            }
        }
        let ended = self.trips.into_iter().filter_map(|trip| Some((trip.route, trip.outcome?)));
        (ended.collect(), self.pending.into_iter())
    }

    fn is_waited_for(&self) -> bool {
        let mut under_way = self.busy.values().flatten();
        let mut to_follow = self.waiting.values().flatten().map(Awaited::of);
        under_way.any(|awaited| awaited.is_open(&self.trips))
            || to_follow.any(|awaited| awaited.is_open(&self.trips))
    }

    /// Gives every node that is not busy its next batch.
    fn set_out(&mut self) {
        for (node, parcels) in &mut self.waiting {
            if self.busy.contains_key(node) {
                continue;
            }
            parcels.retain(|parcel| Awaited::of(parcel).is_open(&self.trips));
            let Some(batch) = Batch::take(parcels) else { continue };
            self.busy.insert(node.clone(), batch.parcels.iter().map(Awaited::of).collect());
            let posting = if self.doubts.about(node) {
                ready(Err(Failure::Silent)).boxed_local()
            } else {
                self.host.post_to(node, batch.path, batch.body(), self.end)
            };
            let node = node.clone();
            self.pending.push(async move { Happening::Brought(node, batch, posting.await) }.boxed_local());
        }
    }

    fn brought(&mut self, node: &NodeId, batch: Batch, result: &Result<Vec<u8>, Failure>) {
        self.busy.remove(node);
        let answers = Answer::each(result.as_deref().ok());
        if let Err(failure) = result {
            self.doubts.add(node, *failure, batch.is_news());
        }
        for (parcel, answer) in batch.parcels.into_iter().zip(answers) {
            if let Parcel::Signal(Carried(number, _)) = parcel {
                let Trip { route, journey, .. } = &mut self.trips[number];
                let leg = journey.answered(route, node, &answer);
                self.go(number, leg);
            }
        }
    }

    fn go_beside(&mut self, number: usize) {
        let Trip { route, journey, .. } = &mut self.trips[number];
        if let Some(node) = journey.beside(route) {
            self.go(number, Leg::To(node));
        }
    }

    fn go(&mut self, number: usize, leg: Leg) {
        let trip = &mut self.trips[number];
        match leg {
            Leg::Wait => {}
            Leg::Over(outcome) => trip.outcome = Some(outcome),
            Leg::To(node) => {
                if trip.journey.may_go_beside(&trip.route) {
                    let slow = sleep(Duration::from_millis(BESIDE)).map(move |()| Happening::Slow(number));
                    self.pending.push(slow.boxed_local());
                }
                let signal = trip.route.signal.clone();
                self.bring(&node, Parcel::Signal(Carried(number, signal)));
            }
        }
    }
}
