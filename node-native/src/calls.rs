//! Calls of the HTTP API, carried out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pigeonhub_node_core::rest::{self, Call, Publication, Replica, Reply, Status};
use pigeonhub_node_core::{Decision, Event, Record};
use pigeonhub_protocol::mesh::{OneOrMany, Routed, Routing};
use pigeonhub_protocol::{NetworkName, NodeId, PeerId, raw_json};
use tokio::time::timeout;

use crate::clock::now;
use crate::host::Host;
use crate::metrics::Gauges;

/// How long a publication waits for the other nodes.
const REPLICATION: Duration = Duration::from_secs(2);
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
            Call::Find(topic) => {
                let (records, now) = (self.records.lock(), now());
                rest::found(&self.node.id, &topic, &records.find(&topic, now), now)
            }
            Call::Replicate(_, replica) => self.replicate(replica),
            // Carried out where the request's headers are.
            Call::Meet(_) | Call::Metrics | Call::Events(_) => {
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

    async fn publish(&self, publication: Publication) -> Reply {
        let at = self.clock.moment();
        let record = publication.record(&self.node.id, at);
        if let Err(code) = self.records.lock().keep(record.clone(), at.now) {
            return Reply::refuse(code);
        }
        let (kept, asked) = self.spread(&record).await;
        rest::published(&record, kept, asked)
    }

    /// Gives a record to all nodes that are up, at once; how many kept it, and how many were asked.
    async fn spread(&self, record: &Record) -> (usize, usize) {
        let body = bytes::Bytes::from(raw_json(&Replica::of(record)).get().to_owned());
        let nodes = self.mesh.up();
        let posts = nodes.iter().map(|(node, url)| {
            let post = self.mesh.courier.post(url, "/api/replicate", Some(node), body.clone());
            timeout(REPLICATION, post)
        });
        let answers = join_all(posts).await;
        (answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count(), nodes.len())
    }

    fn replicate(&self, replica: Replica) -> Reply {
        let now = now();
        let record = replica.record(now);
        let (topic, id) = (record.topic.clone(), record.id.clone());
        match self.records.lock().keep(record, now) {
            Ok(()) => rest::replicated(&self.node.id, &topic, &id),
            Err(code) => Reply::refuse(code),
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
        })
    }

    /// `GET /metrics`
    pub fn figures(&self) -> String {
        let (networks, peers) = self.store.count();
        self.metrics.text(&Gauges {
            connections: self.sessions.count(),
            sessions: self.sessions.count_ever(),
            peers,
            networks,
            nodes: self.mesh.up().len(),
            records: self.records.lock().len(),
        })
    }
}
