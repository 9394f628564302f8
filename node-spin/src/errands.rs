//! Errands of a request: carried out before it is answered, so that what a peer posts next comes
//! after them. To each node in order, to all nodes at once, and all of them together bounded in time.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::join_all;
use pigeonhub_node_core::{Errand, Event, Outcome, Route};
use pigeonhub_protocol::mesh::{PeerAnnouncement, PeerWithdrawal, Return, Routed};
use pigeonhub_protocol::{Code, NodeId, Signal};
use serde::Serialize;

use crate::clock::moment;
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

/// Everything for one node was brought, or not.
struct Brought {
    node: NodeId,
    /// How it took the signals, by the numbers of their trips.
    answers: Vec<(usize, Result<Routed, ()>)>,
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
    refused: Option<Code>,
    silent: bool,
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
                parcels = BTreeMap::new();
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
        let Some(url) = self.mesh.find(node).map(|contact| contact.url.clone()) else { return Ok(()) };
        let at = moment();
        let changes = self
            .change_mesh(|mesh| match doubt {
                Doubt::Silent => mesh.failed(&url, at),
                Doubt::Lost => mesh.lost(node, at),
            })
            .await?;
        self.follow(changes).await
    }

    /// Sorts errands by the nodes that they are for; signals become trips.
    fn pack(&self, errands: Vec<Errand>, trips: &mut Vec<Trip>) -> BTreeMap<NodeId, Vec<Parcel>> {
        let up: Vec<NodeId> = self.mesh.up().map(|node| node.node_id.clone()).collect();
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
        parcels
    }

    /// Sends the parcels; gives the trips that go on.
    async fn round(
        &self,
        parcels: BTreeMap<NodeId, Vec<Parcel>>,
        mut trips: Vec<Trip>,
        settled: &mut Vec<(Route, Outcome)>,
        doubts: &mut BTreeMap<NodeId, Doubt>,
        end: Instant,
    ) -> Vec<Trip> {
        let rounds = parcels.into_iter().map(|(node, parcels)| self.send(node, parcels, end));
        for Brought { node, answers, doubt } in join_all(rounds).await {
            doubts.extend(doubt.map(|doubt| (node.clone(), doubt)));
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

    /// Everything for one node, in order.
    async fn send(&self, node: NodeId, parcels: Vec<Parcel>, end: Instant) -> Brought {
        let url = self.mesh.find(&node).filter(|contact| contact.is_up()).map(|contact| contact.url.clone());
        let mut brought = Brought { node, answers: Vec::new(), doubt: None };
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
            let is_news = batch.iter().any(Parcel::is_news);
            let body = serde_json::to_string(&batch.iter().map(Parcel::body).collect::<Vec<_>>());
            let answer = if reachable {
                let answer = self.post(&url, path, Some(&brought.node), body.unwrap_or_default(), end).await;
                brought.doubt = match &answer {
                    Err(Failure::Unknown) => Some(Doubt::Lost),
                    Err(Failure::Silent) if is_news => Some(Doubt::Lost),
                    Err(Failure::Silent) => Some(Doubt::Silent),
                    Ok(_) | Err(Failure::Refused) => brought.doubt,
                };
                answer
            } else {
                // Who did not answer is not asked again by this request: that would take its time.
                if is_news && brought.doubt.is_some() {
                    brought.doubt = Some(Doubt::Lost);
                }
                Err(Failure::Silent)
            };
            reachable = reachable && !matches!(answer, Err(Failure::Silent));
            let routed: Vec<Routed> =
                answer.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
            let mut routed = routed.into_iter();
            for parcel in batch {
                // Only this route answers in kind; each item has its place.
                let answer = if path == "/api/route-signal" { routed.next() } else { None };
                if let Parcel::Signal(number, _) = parcel {
                    brought.answers.push((number, answer.ok_or(())));
                }
            }
        }
        brought
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
    /// Whether the other node must hear it, or has a wrong picture of the peers here.
    const fn is_news(&self) -> bool {
        matches!(self, Self::Announce(_) | Self::Withdraw(_))
    }

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
