//! Calls of the HTTP API, carried out.

use std::sync::Arc;

use pigeonhub_node_core::rest::{self, Call, Reply, Status};
use pigeonhub_node_core::{Decision, Event};
use pigeonhub_protocol::mesh::{OneOrMany, Routed, Routing};
use pigeonhub_protocol::{NetworkName, NodeId, PeerId};

use crate::clock::now;
use crate::host::Host;
use crate::metrics::Gauges;

/// Peers that `GET /signaling` shows.
const LISTED: usize = 100;

impl Host {
    /// Does what was asked for.
    pub async fn call(self: &Arc<Self>, call: Call) -> Reply {
        match call {
            Call::Root => self.status(|status| status.root()),
            Call::Health => self.status(|status| status.health()),
            Call::Hubs => self.status(|status| status.hubs()),
            Call::Descriptor => self.status(|status| status.descriptor()),
            Call::Bootstrap => self.status(|status| status.bootstrap()),
            Call::Seeds => self.seeds(),
            Call::Signaling => {
                let listed = self.store.page(&NetworkName::default(), None, LISTED);
                self.status(|status| status.signaling(&listed))
            }
            Call::Exchange(talk) => self.exchange(talk),
            Call::GeneratePeerId => self.generate(),
            Call::Peers(query) => {
                let page = self.store.page(&query.network, query.cursor, query.limit + 1);
                rest::peers(&self.node, &query, &page, now())
            }
            Call::Leave(node) => {
                let at = self.clock.moment();
                self.mesh_moves(|mesh| mesh.left(&node, at));
                rest::done()
            }
            Call::Interest(node, interests) => {
                for interest in interests.into_vec() {
                    self.heard(Event::Interested(node.clone(), interest));
                }
                rest::done()
            }
            Call::Announce(node, peers) => {
                let announced = |peer| self.heard(Event::Announced(node.clone(), peer)).told;
                let told = peers.into_vec().into_iter().map(announced).sum();
                rest::announced(&self.node.id, told, self.sessions.count())
            }
            Call::Withdraw(node, peers) => {
                for peer in peers.into_vec() {
                    self.heard(Event::Withdrawn(node.clone(), peer));
                }
                rest::done()
            }
            Call::RouteSignal(node, items) => {
                let here = self.sessions.count();
                rest::routed(&match items {
                    OneOrMany::One(one) => OneOrMany::One(self.routed(&node, one, here)),
                    OneOrMany::Many(many) => {
                        OneOrMany::Many(many.into_iter().map(|item| self.routed(&node, item, here)).collect())
                    }
                })
            }
            Call::Publish(publication) => self.publish(publication).await,
            Call::Find(query) => self.find(&query).await,
            Call::Replicate(given) => self.replicate(&given.records).await,
            Call::Records(query) => self.records(query).await,
            Call::Reconcile(node, theirs) => self.compared(&node, &theirs).await,
            // Carried out where the request's headers are.
            Call::Meet(_) | Call::Relay(..) | Call::Metrics | Call::Events(_) | Call::Watch(_) => {
                Reply::refuse(pigeonhub_protocol::Code::NotFound)
            }
        }
    }

    /// Another node said something.
    fn heard(self: &Arc<Self>, event: Event) -> Decision {
        let mut decision = self.step(event, self.clock.moment());
        self.carry_out(std::mem::take(&mut decision.errands));
        decision
    }

    fn routed(self: &Arc<Self>, node: &NodeId, item: Routing, here: usize) -> Routed {
        let found = |routed| Routed {
            routed,
            target_found: routed,
            code: None,
            node_id: self.node.id.clone(),
            connection_count: here,
        };
        match item {
            Routing::Signal(_) if self.is_draining() => {
                Routed { connection_count: here, ..self.node.declined() }
            }
            Routing::Signal(signal) => {
                let decision = self.heard(Event::Routed(node.clone(), signal));
                Routed { connection_count: here, ..decision.routed.unwrap_or_else(|| found(false)) }
            }
            Routing::Return(back) => {
                self.heard(Event::Returned(node.clone(), back));
                found(true)
            }
        }
    }

    fn generate(&self) -> Reply {
        let mut bytes = [0; 20];
        if getrandom::fill(&mut bytes).is_err() {
            return Reply::refuse(pigeonhub_protocol::Code::Unavailable);
        }
        self.status(|status| status.generated(PeerId::from_bytes(bytes)))
    }

    fn status(&self, reply: impl FnOnce(&Status<'_>) -> Reply) -> Reply {
        let (networks, peers) = self.store.count();
        let mesh = self.mesh.membership();
        reply(&Status {
            node: &self.node,
            mesh: &mesh,
            app: &self.app,
            transports: &["websocket", "http"],
            port: self.port,
            started: self.started,
            now: now(),
            connections: self.sessions.count(),
            peers,
            networks,
            draining: self.is_draining(),
            dht_ready: self.dht.is_ready(),
        })
    }

    /// `GET /metrics`
    pub async fn figures(&self) -> String {
        let (networks, peers) = self.store.count();
        self.metrics.text(&Gauges {
            connections: self.sessions.count(),
            sessions: self.sessions.count_ever(),
            peers,
            networks,
            nodes: self.mesh.up().len(),
            dht_ready: self.dht.is_ready(),
            records: self.archive.count().await.unwrap_or_default(),
        })
    }
}
