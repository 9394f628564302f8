//! Errands of a request: carried out before it is answered, so that what a peer posts next comes
//! after them. To each node in order, to all nodes at once, each bounded in time.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use pigeonhub_node_core::{Errand, Event, Outcome, Route};
use pigeonhub_protocol::mesh::{PeerAnnouncement, PeerWithdrawal, Return, Routed};
use pigeonhub_protocol::{Code, NodeId, Signal};
use serde::Serialize;

use crate::host::{Host, StoreError};
use crate::outbound::Failure;

/// A signal may be sent on and on by decisions; after so many rounds it waits for the next request.
const ROUNDS: usize = 6;
/// Things for one node in one request.
const MOST: usize = 128;

/// One thing for another node.
enum Parcel {
    Announce(PeerAnnouncement),
    Withdraw(PeerWithdrawal),
    /// The signal of a trip, by its number.
    Signal(usize, Signal),
    Return(Return),
}

/// A signal on its way to one of several nodes.
struct Trip {
    route: Route,
    asked: usize,
    refused: Option<Code>,
    silent: bool,
    taken: Option<NodeId>,
}

impl Host {
    /// Carries out errands, and what follows from them.
    pub async fn carry_out(&mut self, mut errands: Vec<Errand>) -> Result<(), StoreError> {
        for _ in 0..ROUNDS {
            if errands.is_empty() {
                break;
            }
            let mut settled = Vec::new();
            let mut trips = self.first_round(errands, &mut settled).await;
            while !trips.is_empty() {
                trips = self.next_round(trips, &mut settled).await;
            }
            errands = Vec::new();
            for (route, outcome) in settled {
                errands.append(&mut self.step(Event::Settled(route, outcome)).await?.errands);
            }
        }
        Ok(())
    }

    async fn first_round(&self, errands: Vec<Errand>, settled: &mut Vec<(Route, Outcome)>) -> Vec<Trip> {
        let up: Vec<NodeId> = self.mesh.up().map(|node| node.node_id.clone()).collect();
        let mut trips = Vec::new();
        let mut parcels: BTreeMap<NodeId, Vec<Parcel>> = BTreeMap::new();
        for errand in errands {
            match errand {
                Errand::Announce { presence, tell, refresh } => {
                    for node in &up {
                        let named = tell.iter().filter(|(at, _)| at == node).map(|(_, peer)| *peer);
                        let announcement = PeerAnnouncement {
                            peer_id: presence.peer,
                            node_id: self.node.id.clone(),
                            network_name: presence.network.clone(),
                            data: presence.profile.clone(),
                            lease: Some(self.node.settings.lease),
                            tell: named.collect(),
                            refresh,
                        };
                        parcels.entry(node.clone()).or_default().push(Parcel::Announce(announcement));
                    }
                }
                Errand::Withdraw { peer, network, departure, data } => {
                    for node in &up {
                        let withdrawal = PeerWithdrawal {
                            peer_id: peer,
                            node_id: self.node.id.clone(),
                            network_name: network.clone(),
                            departure,
                            data: data.clone(),
                        };
                        parcels.entry(node.clone()).or_default().push(Parcel::Withdraw(withdrawal));
                    }
                }
                Errand::Return { node, back } => parcels.entry(node).or_default().push(Parcel::Return(back)),
                Errand::Route(route) => {
                    let trip = Trip { route, asked: 0, refused: None, silent: false, taken: None };
                    trip.pack(trips.len(), &mut parcels);
                    trips.push(trip);
                }
            }
        }
        self.round(parcels, trips, settled).await
    }

    async fn next_round(&self, trips: Vec<Trip>, settled: &mut Vec<(Route, Outcome)>) -> Vec<Trip> {
        let mut parcels = BTreeMap::new();
        trips.iter().enumerate().for_each(|(number, trip)| trip.pack(number, &mut parcels));
        self.round(parcels, trips, settled).await
    }

    /// Sends the parcels; gives the trips that go on.
    async fn round(
        &self,
        parcels: BTreeMap<NodeId, Vec<Parcel>>,
        mut trips: Vec<Trip>,
        settled: &mut Vec<(Route, Outcome)>,
    ) -> Vec<Trip> {
        let rounds = parcels.into_iter().map(|(node, parcels)| self.send(node, parcels));
        for (node, answers) in join_all(rounds).await {
            for (number, answer) in answers {
                trips[number].answered(&node, answer);
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

    /// Everything for one node, in order. How it took the signals, by the numbers of their trips.
    async fn send(&self, node: NodeId, parcels: Vec<Parcel>) -> (NodeId, Vec<(usize, Result<Routed, ()>)>) {
        let url = self.mesh.find(&node).filter(|contact| contact.is_up()).map(|contact| contact.url.clone());
        let mut answers = Vec::new();
        let mut reachable = url.is_some();
        let url = url.unwrap_or_default();
        let mut parcels = parcels.into_iter().peekable();
        while let Some(first) = parcels.next() {
            let path = first.path();
            let mut batch = vec![first];
            while batch.len() < MOST
                && let Some(next) = parcels.next_if(|next| next.path() == path)
            {
                batch.push(next);
            }
            let body = serde_json::to_string(&batch.iter().map(Parcel::body).collect::<Vec<_>>());
            let answer = if reachable {
                self.post(&url, path, Some(&node), body.unwrap_or_default()).await
            } else {
                Err(Failure::Silent)
            };
            // Who does not answer is not asked again by this request: that would take its time.
            reachable = reachable && !matches!(answer, Err(Failure::Silent));
            let routed: Vec<Routed> =
                answer.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
            let mut routed = routed.into_iter();
            for parcel in batch {
                // Only this route answers in kind; each item has its place.
                let answer = if path == "/api/route-signal" { routed.next() } else { None };
                if let Parcel::Signal(number, _) = parcel {
                    answers.push((number, answer.ok_or(())));
                }
            }
        }
        (node, answers)
    }
}

impl Trip {
    fn pack(&self, number: usize, parcels: &mut BTreeMap<NodeId, Vec<Parcel>>) {
        let nodes = self.route.nodes.iter().skip(self.asked);
        for node in nodes.take(if self.route.ask_all { usize::MAX } else { 1 }) {
            let parcel = Parcel::Signal(number, self.route.signal.clone());
            parcels.entry(node.clone()).or_default().push(parcel);
        }
    }

    fn answered(&mut self, node: &NodeId, answer: Result<Routed, ()>) {
        match answer {
            Ok(routed) if routed.routed => self.taken = Some(node.clone()),
            // Any other reason says more than that the peer is not there.
            Ok(routed) => match routed.code.unwrap_or(Code::PeerUnavailable) {
                Code::PeerUnavailable if self.refused.is_some() => {}
                code => self.refused = Some(code),
            },
            Err(()) => self.silent = true,
        }
    }

    /// How it ended; `None` if there are nodes to be asked yet.
    fn outcome(&self) -> Option<Outcome> {
        match (&self.taken, self.refused) {
            (Some(node), _) => Some(Outcome::Routed(node.clone())),
            _ if self.asked < self.route.nodes.len() => None,
            (None, Some(code)) if !self.silent => Some(Outcome::Refused(code)),
            (None, _) => Some(Outcome::Unreachable),
        }
    }
}

impl Parcel {
    fn path(&self) -> &'static str {
        match self {
            Self::Announce(_) => "/api/announce-peer",
            Self::Withdraw(_) => "/api/withdraw-peer",
            Self::Signal(..) | Self::Return(_) => "/api/route-signal",
        }
    }

    fn body(&self) -> Body<'_> {
        match self {
            Self::Announce(announcement) => Body::Announce(announcement),
            Self::Withdraw(withdrawal) => Body::Withdraw(withdrawal),
            Self::Signal(_, signal) => Body::Signal(signal),
            Self::Return(back) => Body::Return(back),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Announce(&'a PeerAnnouncement),
    Withdraw(&'a PeerWithdrawal),
    Signal(&'a Signal),
    Return(&'a Return),
}
