//! Errands of a request: carried out before it is answered, so that what a peer posts next comes
//! after them. All of them together are bounded in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use pigeonhub_node_core::{Errand, Event, Parcel, Presence};
use pigeonhub_protocol::mesh::PeerWithdrawal;
use pigeonhub_protocol::{NetworkName, NodeId};

use crate::clock::moment;
use crate::delivery::{Delivery, Happening};
use crate::host::{Host, StoreError};
use crate::outbound::Failure;

/// A signal may be sent on and on by decisions; after so many rounds it waits for the next request.
const ROUNDS: usize = 6;

/// What nodes that did not take something may have come to.
#[derive(Debug, Default)]
pub struct Doubts(BTreeMap<NodeId, Doubt>);

#[derive(Clone, Copy, Debug)]
enum Doubt {
    /// It does not answer.
    Silent,
    /// News did not reach it, or it does not know us any more: it has to be told everything anew.
    Lost,
}

impl Doubts {
    /// A node failed to take something, which was news for it or not.
    pub fn add(&mut self, node: &NodeId, failure: Failure, is_news: bool) {
        let doubt = match failure {
            Failure::Refused => return,
            Failure::Silent if !is_news => Doubt::Silent,
            Failure::Silent | Failure::Unknown => Doubt::Lost,
        };
        let held = self.0.entry(node.clone()).or_insert(doubt);
        if let Doubt::Lost = doubt {
            *held = doubt;
        }
    }

    /// Who is in doubt is not asked again by the same request: that would take its time.
    pub fn about(&self, node: &NodeId) -> bool {
        self.0.contains_key(node)
    }
}

impl Host {
    /// Carries out errands, and what follows from them.
    pub async fn carry_out(&mut self, mut errands: Vec<Errand>) -> Result<(), StoreError> {
        let end = Instant::now() + self.settings.signaling_timeout;
        let mut doubts = Doubts::default();
        for _ in 0..ROUNDS {
            if errands.is_empty() {
                break;
            }
            let mut known = self.known_for(&errands).await?;
            let mut delivery = Delivery::new(self, &mut doubts, end);
            errands.into_iter().for_each(|errand| delivery.take_on(errand, &mut known));
            let (settled, late) = delivery.run().await;
            self.late.extend(late);
            errands = Vec::new();
            for (route, outcome) in settled {
                errands.append(&mut self.step(Event::Settled(route, outcome)).await?.errands);
            }
        }
        self.look_after(doubts).await
    }

    /// What must be known to take these errands on.
    async fn known_for(&self, errands: &[Errand]) -> Result<Known, StoreError> {
        let mut announced = BTreeSet::new();
        let mut known = Known::default();
        for errand in errands {
            match errand {
                Errand::Announce { presence, .. } => {
                    announced.insert(presence.network.clone());
                }
                // Who asks may have lost sight of the network meanwhile.
                Errand::Interest { network, .. } => {
                    if self.store.is_inhabited(network).await? {
                        known.inhabited.insert(network.clone());
                    }
                }
                Errand::Introduce { to, network } => {
                    let here = self.store.here_in(network).await?;
                    known.here.insert((to.clone(), network.clone()), here);
                }
                Errand::Withdraw { .. } | Errand::Route(_) | Errand::Return { .. } => {}
            }
        }
        known.abroad = self.store.abroad(&announced).await?;
        Ok(known)
    }

    /// Waits for what no answer waited for, to learn whether it came to something.
    pub async fn wind_up(&mut self) -> Result<(), StoreError> {
        let mut doubts = Doubts::default();
        for late in std::mem::take(&mut self.late) {
            if let Happening::Brought(node, batch, Err(failure)) = late.await {
                doubts.add(&node, failure, batch.is_news());
            }
        }
        self.look_after(doubts).await
    }

    async fn look_after(&mut self, doubts: Doubts) -> Result<(), StoreError> {
        for (node, doubt) in doubts.0 {
            let at = moment();
            let changes = self
                .change_mesh(|mesh| match doubt {
                    Doubt::Silent => {
                        mesh.silent(&node, at.now);
                        Vec::new()
                    }
                    Doubt::Lost => mesh.lost(&node, at),
                })
                .await?;
            self.follow(changes).await?;
        }
        Ok(())
    }
}

/// What the store says to errands.
#[derive(Default)]
struct Known {
    /// Nodes that have peers in a network.
    abroad: BTreeMap<NetworkName, Vec<NodeId>>,
    /// Networks that have peers here.
    inhabited: BTreeSet<NetworkName>,
    /// Who is here, of networks of which a node is to be told; taken out by the first errand that says so.
    here: BTreeMap<(NodeId, NetworkName), Vec<Arc<Presence>>>,
}

impl Delivery<'_> {
    fn take_on(&mut self, errand: Errand, known: &mut Known) {
        let node = &self.host.node;
        match errand {
            Errand::Announce { presence, tell, refresh } => {
                let abroad = known.abroad.get(&presence.network).map_or(&[][..], Vec::as_slice);
                let up = self.host.mesh.up().map(|up| up.node_id.clone());
                for (to, news) in node.news(&presence, &tell, refresh, abroad, up) {
                    self.bring(&to, news.into());
                }
            }
            Errand::Interest { network, to, answer } => {
                let up = self.host.mesh.up().map(|up| &up.node_id);
                for to in up
                    .filter(|up| known.inhabited.contains(&network) && to.as_ref().is_none_or(|to| to == *up))
                {
                    self.bring(to, Parcel::Interest(node.interest(network.clone(), answer)));
                }
            }
            Errand::Introduce { to, network } => {
                for presence in known.here.remove(&(to.clone(), network)).into_iter().flatten() {
                    node.introduction(&presence).into_iter().for_each(|news| self.bring(&to, news.into()));
                }
            }
            Errand::Withdraw { peer, network, departure, data } => {
                let withdrawal = PeerWithdrawal {
                    peer_id: peer,
                    node_id: node.id.clone(),
                    network_name: network,
                    departure,
                    data,
                };
                for to in self.host.mesh.up().map(|up| &up.node_id) {
                    self.bring(to, Parcel::Withdraw(withdrawal.clone()));
                }
            }
            Errand::Return { nodes, back } => {
                let is_up = |node: &&NodeId| self.host.mesh.up().any(|up| up.node_id == **node);
                if let Some(to) = nodes.iter().find(is_up) {
                    self.bring(to, Parcel::Return(back));
                }
            }
            Errand::Route(route) => self.send(route),
        }
    }
}
