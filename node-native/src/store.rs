//! The node's facts, in memory, in shards by network: networks do not wait for each other.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use pigeonhub_node_core::{
    Change, Facts, Mail, MailSeq, Mailroom, Memory, Needs, Outlet, Presence, SessionId, Store,
};
use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId};

/// How many locks there are. More than cores, so that two busy networks rarely share one.
const SHARDS: usize = 64;

/// All networks of this node.
#[derive(Debug)]
pub struct Shards {
    shards: Box<[Mutex<Memory>]>,
    hash: RandomState,
    /// The nodes that can be reached, as the mesh sees it.
    nodes: RwLock<Vec<NodeId>>,
}

impl Shards {
    /// No networks.
    pub fn new() -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { shards, hash: RandomState::new(), nodes: RwLock::default() }
    }

    fn shard(&self, network: &NetworkName) -> &Mutex<Memory> {
        let hash = self.hash.hash_one(network) as usize;
        &self.shards[hash % SHARDS]
    }

    /// See [`Memory::attach`].
    pub fn attach(&self, network: &NetworkName, peer: PeerId, session: SessionId, outlet: Arc<dyn Outlet>) {
        self.shard(network).lock().attach(network, peer, session, outlet);
    }

    /// See [`Memory::detach`].
    pub fn detach(&self, network: &NetworkName, peer: PeerId, session: SessionId, outlet: &Arc<dyn Outlet>) {
        self.shard(network).lock().detach(network, peer, session, outlet);
    }

    /// See [`Memory::acknowledge`].
    pub fn acknowledge_now(&self, network: &NetworkName, peer: PeerId, session: SessionId, cursor: MailSeq) {
        self.shard(network).lock().acknowledge(network, peer, session, cursor);
    }

    /// See [`Memory::take`].
    pub fn take(&self, network: &NetworkName, peer: PeerId, session: SessionId, most: usize) -> Vec<Mail> {
        self.shard(network).lock().take(network, peer, session, most)
    }

    /// See [`Memory::put_back`].
    pub fn put_back(&self, network: &NetworkName, peer: PeerId, mail: Vec<Mail>) {
        self.shard(network).lock().put_back(network, peer, mail);
    }

    /// See [`Memory::page`].
    pub fn page(&self, network: &NetworkName, cursor: Option<PeerId>, most: usize) -> Vec<Arc<Presence>> {
        self.shard(network).lock().page(network, cursor, most)
    }

    /// The networks in which something may be over, shard by shard.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = Vec<NetworkName>> {
        self.shards.iter().map(move |shard| shard.lock().due(now))
    }

    /// The live presences of this node, shard by shard.
    pub fn here(&self) -> impl Iterator<Item = Vec<Arc<Presence>>> {
        self.shards.iter().map(|shard| shard.lock().here())
    }

    /// See [`Memory::node_lost`].
    pub fn node_lost(&self, node: &NodeId, until: Millis) {
        self.shards.iter().for_each(|shard| shard.lock().node_lost(node, until));
    }

    /// How many networks there are, and how many live peers in them.
    pub fn count(&self) -> (usize, usize) {
        let counts = self.shards.iter().map(|shard| shard.lock().count());
        counts.fold((0, 0), |sum, (networks, _, peers)| (sum.0 + networks, sum.1 + peers))
    }

    /// The nodes that can be reached are these from now on.
    pub fn set_nodes(&self, nodes: Vec<NodeId>) {
        *self.nodes.write() = nodes;
    }
}

impl Store for Shards {
    type Error = Infallible;

    async fn load(&self, needs: &Needs) -> Result<Facts, Infallible> {
        let mut facts = self.shard(&needs.network).lock().load(needs);
        if needs.nodes {
            facts.nodes = self.nodes.read().clone();
        }
        Ok(facts)
    }

    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Infallible> {
        self.shard(network).lock().commit(network, changes);
        Ok(())
    }
}

impl Mailroom for Shards {
    async fn read(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Result<Vec<(MailSeq, Mail)>, Infallible> {
        Ok(self.shard(network).lock().read(network, peer, session, cursor, most))
    }

    async fn acknowledge(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
    ) -> Result<(), Infallible> {
        self.acknowledge_now(network, peer, session, cursor);
        Ok(())
    }
}
