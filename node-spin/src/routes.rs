//! From a request to its answer.

use pigeonhub_bootstrap::{EXPIRES, seed_bundle};
use pigeonhub_node_core::gate::{MESH_HEADER, Secret};
use pigeonhub_node_core::rest::{self, Call, EventsQuery, Reply, Status};
use pigeonhub_node_core::{ConverseError, Decision, Errand, Event, Talk, converse};
use pigeonhub_protocol::mesh::{OneOrMany, Routed, Routing};
use pigeonhub_protocol::{Code, NetworkName, NodeId};
use spin_sdk::http::{IncomingRequest, ResponseOutparam};

use crate::clock::{moment, now};
use crate::files;
use crate::host::{Host, OpenError, StoreError, unavailable};
use crate::request::{Request, answer, head, write};
use crate::settings::Settings;

/// Peers that `GET /signaling` shows.
const LISTED: usize = 100;

/// Serves one request.
pub async fn serve(incoming: IncomingRequest, out: ResponseOutparam) {
    let settings = Settings::read();
    let cors = settings.cors_origin.clone();
    let request = match Request::read(incoming).await {
        Ok(request) => request,
        Err(refusal) => return answer(out, &refusal, &cors).await,
    };
    if request.method == "OPTIONS" {
        return preflight(out, &cors).await;
    }
    if files::is_place(&request.path) {
        return files::serve(out, &request, &cors).await;
    }
    let mut host = match Host::open(settings, &request).await {
        Ok(host) => host,
        Err(OpenError::Store(error)) => return answer(out, &unavailable(&error), &cors).await,
        Err(OpenError::Key) => {
            let error = "the variable node_key is not 64 hexadecimal digits";
            return answer(out, &Reply::refuse_saying(Code::Unavailable, error), &cors).await;
        }
    };
    match host.route(&request).await {
        Ok(Next::Answer(reply)) => answer(out, &reply, &cors).await,
        Ok(Next::Met(reply, proof)) => {
            let more: Vec<_> = proof.iter().map(|proof| (MESH_HEADER, proof.as_str())).collect();
            write(out, head(reply.status, "application/json", &cors, &more), reply.body.into_bytes()).await;
        }
        Ok(Next::Figures(text)) => {
            write(out, head(200, "text/plain; charset=utf-8", &cors, &[]), text.into_bytes()).await;
        }
        Ok(Next::Stream(query)) => return host.stream(&request, &query, out).await,
        Ok(Next::Watch(topic)) => return host.watch(topic, out).await,
        // Nothing was told of what could not be written; the caller may say it again.
        Err(error) => answer(out, &unavailable(&error), &cors).await,
    }
    // Whoever asked has the answer; what is due now costs nobody time.
    let _ = host.wind_up().await;
    let _ = host.sweep().await;
    let _ = host.look_for_nodes().await;
    let _ = host.keep_mesh().await;
    let _ = host.keep_records().await;
}

async fn preflight(out: ResponseOutparam, cors: &str) {
    let more = [
        ("access-control-allow-methods", "GET, HEAD, POST, OPTIONS"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-max-age", "86400"),
    ];
    write(out, head(204, "text/plain", cors, &more), Vec::new()).await;
}

/// How a request goes on.
enum Next {
    Answer(Reply),
    /// The answer to a meeting, and the proof that this node knows the mesh's secret.
    Met(Reply, Option<String>),
    /// The one answer that is not JSON.
    Figures(String),
    Stream(EventsQuery),
    Watch(String),
}

impl Host {
    async fn route(&mut self, request: &Request) -> Result<Next, StoreError> {
        let node = if request.path == "/api/meet" { Ok(None) } else { self.signer(request).await? };
        let node = match node {
            Ok(node) => node,
            Err(refusal) => return Ok(Next::Answer(refusal)),
        };
        let call = rest::route(&rest::Request {
            method: &request.method,
            path: &request.path,
            query: request.query.trim_start_matches('?'),
            body: &request.body,
            node: node.as_ref(),
        });
        Ok(match call {
            Err(refusal) => Next::Answer(refusal),
            Ok(Call::Events(query)) => Next::Stream(query),
            Ok(Call::Watch(topic)) => Next::Watch(topic),
            Ok(Call::Metrics) => Next::Figures(self.figures().await?),
            Ok(Call::Meet(meeting)) => {
                let signed = match self.met_by(&meeting, request).await? {
                    Ok(signed) => signed,
                    Err(refusal) => return Ok(Next::Answer(refusal)),
                };
                let at = moment();
                let changes = match self.change_mesh(|mesh| mesh.heard(meeting.clone(), at)).await? {
                    Ok(changes) => changes,
                    Err(impostor) => {
                        let refusal = Reply::refuse_saying(Code::Forbidden, &impostor.to_string());
                        return Ok(Next::Answer(refusal));
                    }
                };
                self.follow(changes).await?;
                let secret = Secret::new(self.settings.mesh_secret.as_deref());
                let proof = secret.map(|secret| signed.answer(&secret));
                Next::Met(rest::meeting(&self.mesh.answer(&meeting.node.node_id, at.now)), proof)
            }
            Ok(call) => Next::Answer(self.call(call).await?),
        })
    }

    pub async fn call(&mut self, call: Call) -> Result<Reply, StoreError> {
        Ok(match call {
            Call::Root => self.status(|status| status.root()).await?,
            Call::Health => self.status(|status| status.health()).await?,
            Call::Hubs => self.status(|status| status.hubs()).await?,
            Call::Descriptor => self.status(|status| status.descriptor()).await?,
            Call::Bootstrap => self.status(|status| status.bootstrap()).await?,
            Call::Seeds => self.seeds(),
            Call::Signaling => {
                let listed = self.store.page(&NetworkName::default(), None, LISTED).await?;
                self.status(|status| status.signaling(&listed)).await?
            }
            Call::GeneratePeerId => self.status(|status| status.generated(Self::fresh_peer())).await?,
            Call::Peers(query) => {
                let page = self.store.page(&query.network, query.cursor, query.limit + 1).await?;
                rest::peers(&self.node, &query, &page, now())
            }
            Call::Exchange(talk) => self.exchange(talk).await?,
            Call::Leave(node) => {
                let at = moment();
                let changes = self.change_mesh(|mesh| mesh.left(&node, at)).await?;
                self.follow(changes).await?;
                rest::done()
            }
            Call::Interest(node, interests) => {
                let interested = |interest| Event::Interested(node.clone(), interest);
                let decisions = self.all(interests.into_vec().into_iter().map(interested).collect()).await?;
                self.carry_out(errands(decisions)).await?;
                rest::done()
            }
            Call::Announce(node, peers) => {
                let announced = |peer| Event::Announced(node.clone(), peer);
                let decisions = self.all(peers.into_vec().into_iter().map(announced).collect()).await?;
                let told = decisions.iter().map(|decision| decision.told).sum();
                self.carry_out(errands(decisions)).await?;
                let (_, here, _) = self.store.count().await?;
                rest::announced(&self.node.id, told, here)
            }
            Call::Withdraw(node, peers) => {
                let withdrawn = |peer| Event::Withdrawn(node.clone(), peer);
                let decisions = self.all(peers.into_vec().into_iter().map(withdrawn).collect()).await?;
                self.carry_out(errands(decisions)).await?;
                rest::done()
            }
            Call::RouteSignal(node, OneOrMany::One(one)) => {
                let routed = self.routed(&node, vec![one]).await?.remove(0);
                rest::routed(&OneOrMany::One(routed))
            }
            Call::RouteSignal(node, OneOrMany::Many(many)) => {
                rest::routed(&OneOrMany::Many(self.routed(&node, many).await?))
            }
            Call::Relay(node, relayed) => self.relay(&node, &relayed).await?,
            Call::Publish(publication) => self.publish(publication).await?,
            Call::Find(query) => self.find(&query).await?,
            Call::Replicate(given) => self.replicate(&given.records).await?,
            Call::Records(query) => self.records(query).await?,
            Call::Reconcile(node, theirs) => self.compared(&node, &theirs).await?,
            // Answered above.
            Call::Meet(_) | Call::Events(_) | Call::Watch(_) | Call::Metrics => Reply::refuse(Code::NotFound),
        })
    }

    async fn exchange(&mut self, talk: Talk) -> Result<Reply, StoreError> {
        let conversation = match converse(&self.node, &self.store, &self.tickets, talk, moment()).await {
            Ok(conversation) => conversation,
            Err(ConverseError::Refused(code)) => return Ok(Reply::refuse(code)),
            Err(ConverseError::Store(error)) => return Err(error),
        };
        let reply = rest::conversation(&self.node.id, &conversation);
        self.carry_out(conversation.errands).await?;
        Ok(reply)
    }

    /// How each was taken.
    async fn routed(&mut self, node: &NodeId, items: Vec<Routing>) -> Result<Vec<Routed>, StoreError> {
        let event = |item| match item {
            Routing::Signal(signal) => Event::Routed(node.clone(), signal),
            Routing::Return(back) => Event::Returned(node.clone(), back),
        };
        let events: Vec<_> = items.into_iter().map(event).collect();
        let are_signals: Vec<_> = events.iter().map(|event| matches!(event, Event::Routed(..))).collect();
        let mut decisions = self.all(events).await?;
        let answers = decisions.iter_mut().zip(are_signals).map(|(decision, is_signal)| {
            decision.routed.take().unwrap_or_else(|| Routed {
                routed: !is_signal,
                target_found: !is_signal,
                code: None,
                node_id: self.node.id.clone(),
                connection_count: 0,
            })
        });
        let answers = answers.collect();
        self.carry_out(errands(decisions)).await?;
        Ok(answers)
    }

    fn seeds(&self) -> Reply {
        Reply::ok(&seed_bundle(&self.key, &self.settings.app_id, &self.mesh.urls(), now(), EXPIRES))
    }

    async fn status(&self, reply: impl FnOnce(&Status<'_>) -> Reply) -> Result<Reply, StoreError> {
        let (networks, here, peers) = self.store.count().await?;
        let own = self.mesh.own().http_url();
        let port = own.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.unwrap_or(if own.starts_with("https") { 443 } else { 80 });
        Ok(reply(&Status {
            node: &self.node,
            mesh: &self.mesh,
            app: &self.settings.app_id,
            transports: &["http"],
            port,
            started: self.started,
            now: now(),
            connections: here,
            peers,
            networks,
            // Instances come and go with their requests.
            draining: false,
            dht_ready: false,
        }))
    }
}

fn errands(decisions: Vec<Decision>) -> Vec<Errand> {
    decisions.into_iter().flat_map(|decision| decision.errands).collect()
}
