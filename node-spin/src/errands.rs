//! Errands of a request: carried out before it is answered, so that what a peer posts next comes
//! after them. To each node in order, to all nodes at once, and all of them together bounded in time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use futures_util::future::join_all;
use pigeonhub_node_core::{Answer, Batch, Errand, Event, Outcome, Route, Tally};
use pigeonhub_protocol::mesh::PeerWithdrawal;
use pigeonhub_protocol::{NodeId, Signal};

use crate::clock::moment;
use crate::host::{Host, StoreError};
use crate::outbound::Failure;

/// A signal may be sent on and on by decisions; after so many rounds it waits for the next request.
const ROUNDS: usize = 6;
/// A signal, and the number of its trip.
struct Carried(usize, Signal);

impl AsRef<Signal> for Carried {
    fn as_ref(&self) -> &Signal {
        &self.1
    }
}

type Parcel = pigeonhub_node_core::Parcel<Carried>;
type Parcels = BTreeMap<NodeId, VecDeque<Parcel>>;

/// Everything for one node was brought, or not.
struct Brought {
    node: NodeId,
    /// How it took the signals, by the numbers of their trips.
    answers: Vec<(usize, Answer)>,
    doubt: Option<Doubt>,
}

/// What a node that did not take something may have come to.
#[derive(Clone, Copy)]
enum Doubt {
    /// It does not answer.
    Silent,
    /// News did not reach it, or it does not know us any more: it has to be told everything anew.
    Lost,
}

/// A signal on its way to one of several nodes.
struct Trip {
    route: Route,
    asked: usize,
    tally: Tally,
    taken: Option<NodeId>,
}

impl Host {
    /// Carries out errands, and what follows from them.
    pub async fn carry_out(&mut self, mut errands: Vec<Errand>) -> Result<(), StoreError> {
        let end = Instant::now() + self.settings.signaling_timeout;
        let mut doubts = BTreeMap::new();
        for _ in 0..ROUNDS {
            if errands.is_empty() {
                break;
            }
            let mut settled = Vec::new();
            let mut trips = Vec::new();
            let mut parcels = self.pack(errands, &mut trips);
            loop {
                trips = self.round(parcels, trips, &mut settled, &mut doubts, end).await;
                if trips.is_empty() {
                    break;
                }
                parcels = Parcels::new();
                trips.iter().enumerate().for_each(|(number, trip)| trip.pack(number, &mut parcels));
            }
            errands = Vec::new();
            for (route, outcome) in settled {
                errands.append(&mut self.step(Event::Settled(route, outcome)).await?.errands);
            }
        }
        for (node, doubt) in doubts {
            self.doubt(&node, doubt).await?;
        }
        Ok(())
    }

    async fn doubt(&mut self, node: &NodeId, doubt: Doubt) -> Result<(), StoreError> {
        let at = moment();
        let changes = self
            .change_mesh(|mesh| match doubt {
                Doubt::Silent => {
                    mesh.silent(node, at.now);
                    Vec::new()
                }
                Doubt::Lost => mesh.lost(node, at),
            })
            .await?;
        self.follow(changes).await
    }

    /// Sorts errands by the nodes that they are for; signals become trips.
    fn pack(&self, errands: Vec<Errand>, trips: &mut Vec<Trip>) -> Parcels {
        let up: Vec<NodeId> = self.mesh.up().map(|node| node.node_id.clone()).collect();
        let mut parcels = Parcels::new();
        for errand in errands {
            match errand {
                Errand::Announce { presence, tell, refresh } => {
                    for node in &up {
                        let named = tell.iter().filter(|(at, _)| at == node).map(|(_, peer)| *peer);
                        let announcement = self.node.announcement(&presence, named.collect(), refresh);
                        parcels.entry(node.clone()).or_default().push_back(Parcel::Announce(announcement));
                    }
                }
                Errand::Withdraw { peer, network, departure, data } => {
                    let withdrawal = PeerWithdrawal {
                        peer_id: peer,
                        node_id: self.node.id.clone(),
                        network_name: network,
                        departure,
                        data,
                    };
                    for node in &up {
                        let parcel = Parcel::Withdraw(withdrawal.clone());
                        parcels.entry(node.clone()).or_default().push_back(parcel);
                    }
                }
                Errand::Return { nodes, back } => {
                    if let Some(node) = nodes.into_iter().find(|node| up.contains(node)) {
                        parcels.entry(node).or_default().push_back(Parcel::Return(back));
                    }
                }
                Errand::Route(route) => {
                    let trip = Trip { route, asked: 0, tally: Tally::default(), taken: None };
                    trip.pack(trips.len(), &mut parcels);
                    trips.push(trip);
                }
            }
        }
        parcels
    }

    /// Sends the parcels; gives the trips that go on.
    async fn round(
        &self,
        parcels: Parcels,
        mut trips: Vec<Trip>,
        settled: &mut Vec<(Route, Outcome)>,
        doubts: &mut BTreeMap<NodeId, Doubt>,
        end: Instant,
    ) -> Vec<Trip> {
        let rounds = parcels.into_iter().map(|(node, parcels)| self.send(node, parcels, end));
        for Brought { node, answers, doubt } in join_all(rounds).await {
            doubts.extend(doubt.map(|doubt| (node.clone(), doubt)));
            for (number, answer) in answers {
                trips[number].answered(&node, &answer);
            }
        }
        let mut going = Vec::new();
        for mut trip in trips {
            trip.asked += if trip.route.ask_all { trip.route.nodes.len() } else { 1 };
            match trip.outcome() {
                Some(outcome) => settled.push((trip.route, outcome)),
                None => going.push(trip),
            }
        }
        going
    }

    /// Everything for one node, in order.
    async fn send(&self, node: NodeId, mut parcels: VecDeque<Parcel>, end: Instant) -> Brought {
        let mut reachable = self.mesh.way(&node).is_some();
        let mut brought = Brought { node, answers: Vec::new(), doubt: None };
        while let Some(batch) = Batch::take(&mut parcels) {
            let answer = if reachable {
                self.post_to(&brought.node, batch.path, batch.body(), end).await
            } else {
                // Who did not answer is not asked again by this request: that would take its time.
                Err(Failure::Silent)
            };
            brought.doubt = match &answer {
                Err(Failure::Unknown) => Some(Doubt::Lost),
                Err(Failure::Silent) if batch.is_news() => Some(Doubt::Lost),
                Err(Failure::Silent) => brought.doubt.or(Some(Doubt::Silent)),
                Ok(_) | Err(Failure::Refused) => brought.doubt,
            };
            reachable = reachable && !matches!(answer, Err(Failure::Silent));
            let answers = Answer::each(answer.as_deref().ok());
            for (parcel, answer) in batch.parcels.into_iter().zip(answers) {
                if let Parcel::Signal(Carried(number, _)) = parcel {
                    brought.answers.push((number, answer));
                }
            }
        }
        brought
    }
}

impl Trip {
    fn pack(&self, number: usize, parcels: &mut Parcels) {
        let nodes = self.route.nodes.iter().skip(self.asked);
        for node in nodes.take(if self.route.ask_all { usize::MAX } else { 1 }) {
            let parcel = Parcel::Signal(Carried(number, self.route.signal.clone()));
            parcels.entry(node.clone()).or_default().push_back(parcel);
        }
    }

    fn answered(&mut self, node: &NodeId, answer: &Answer) {
        if *answer == Answer::Taken {
            self.taken = Some(node.clone());
        } else {
            self.tally.count(answer);
        }
    }

    /// How it ended; `None` if there are nodes to be asked yet.
    fn outcome(&self) -> Option<Outcome> {
        match &self.taken {
            Some(node) => Some(Outcome::Routed(node.clone())),
            None if self.asked < self.route.nodes.len() => None,
            None => Some(self.tally.outcome()),
        }
    }
}
