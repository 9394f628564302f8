//! The node's facts, in memory, in shards by network: networks do not wait for each other.

use std::cell::RefCell;
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use parking_lot::{Mutex, MutexGuard, RwLock};
use pigeonhub_node_core::{
    Absence, AtHand, Change, Facts, Mail, MailNumbers, MailSeq, Mailroom, Memory, Needs, Outlet, Presence,
    SessionId, Store,
};
use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId};

use crate::clock::now;

/// How many locks there are. More than cores, so that two busy networks rarely share one.
const SHARDS: usize = 64;

/// All networks of this node.
#[derive(Debug)]
pub struct Shards {
    shards: Box<[Mutex<Memory>]>,
    hash: DefaultHashBuilder,
    /// The nodes that can be reached, as the mesh sees it.
    nodes: RwLock<Arc<[NodeId]>>,
}

impl Shards {
    /// No networks.
    pub fn new() -> Self {
        let numbers = MailNumbers::since(now());
        let memory = || Mutex::new(Memory::numbered(numbers.clone()));
        let shards = std::iter::repeat_with(memory).take(SHARDS).collect();
        Self { shards, hash: DefaultHashBuilder::default(), nodes: RwLock::default() }
    }

    /// A step of the node, from its first look at a network to its last change.
    pub const fn step(&self) -> Step<'_> {
        Step { shards: self, held: RefCell::new(None) }
    }

    fn index(&self, network: &NetworkName) -> usize {
        self.hash.hash_one(network) as usize % SHARDS
    }

    fn shard(&self, network: &NetworkName) -> &Mutex<Memory> {
        &self.shards[self.index(network)]
    }

    /// See [`Memory::attach`].
    pub fn attach(&self, network: &NetworkName, peer: PeerId, session: SessionId, outlet: Arc<dyn Outlet>) {
        self.shard(network).lock().attach(network, peer, session, outlet);
    }

    /// See [`Memory::detach`].
    pub fn detach(&self, network: &NetworkName, peer: PeerId, session: SessionId, outlet: &Arc<dyn Outlet>) {
        self.shard(network).lock().detach(network, peer, session, outlet);
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

    /// See [`Memory::abroad`].
    pub fn abroad(&self, network: &NetworkName) -> Vec<NodeId> {
        self.shard(network).lock().abroad(network)
    }

    /// See [`Memory::is_inhabited`].
    pub fn is_inhabited(&self, network: &NetworkName) -> bool {
        self.shard(network).lock().is_inhabited(network)
    }

    /// See [`Memory::here_in`].
    pub fn here_in(&self, network: &NetworkName) -> Vec<Arc<Presence>> {
        self.shard(network).lock().here_in(network)
    }

    /// See [`Memory::inhabited`]; shard by shard.
    pub fn inhabited(&self) -> impl Iterator<Item = Vec<NetworkName>> {
        self.shards.iter().map(|shard| shard.lock().inhabited())
    }

    /// See [`Memory::node_lost`].
    pub fn node_lost(&self, node: &NodeId, absence: Absence) {
        self.shards.iter().for_each(|shard| shard.lock().node_lost(node, absence));
    }

    /// Whether signals wait for anybody.
    pub fn has_mail(&self) -> bool {
        self.shards.iter().any(|shard| shard.lock().has_mail())
    }

    /// The networks that have peers, shard by shard.
    pub fn networks(&self) -> impl Iterator<Item = Vec<NetworkName>> {
        self.shards.iter().map(|shard| shard.lock().networks())
    }

    /// How many networks there are, and how many live peers in them.
    pub fn count(&self) -> (usize, usize) {
        let counts = self.shards.iter().map(|shard| shard.lock().count());
        counts.fold((0, 0), |sum, (networks, _, peers)| (sum.0 + networks, sum.1 + peers))
    }

    /// The nodes that can be reached are these from now on.
    pub fn set_nodes(&self, nodes: Vec<NodeId>) {
        *self.nodes.write() = nodes.into();
    }
}

/// One step of the node: the lock of its network is held from the first look to the last change, so
/// that of two peers who announce themselves at the same moment one is told of the other.
///
/// It holds one lock at a time, so no order of locks can be wrong.
pub struct Step<'a> {
    shards: &'a Shards,
    held: RefCell<Option<(usize, MutexGuard<'a, Memory>)>>,
}

impl Step<'_> {
    fn with<T>(&self, network: &NetworkName, act: impl FnOnce(&mut Memory) -> T) -> T {
        let index = self.shards.index(network);
        let mut held = self.held.borrow_mut();
        if held.as_ref().is_none_or(|(known, _)| *known != index) {
            *held = None;
        }
        let (_, memory) = held.get_or_insert_with(|| (index, self.shards.shards[index].lock()));
        act(memory)
    }
}

impl AtHand for Step<'_> {
    fn load(&self, needs: &Needs) -> Facts {
        let mut facts = self.with(&needs.network, |memory| memory.load(needs));
        // All shards share the list: who looks at it waits for another core.
        if needs.nodes && facts.targets.iter().any(|target| target.homes.is_empty()) {
            facts.nodes = Arc::clone(&self.shards.nodes.read());
        }
        facts
    }

    fn commit(&self, network: &NetworkName, changes: Vec<Change>) {
        self.with(network, |memory| memory.commit(network, changes));
    }
}

impl Store for Step<'_> {
    type Error = Infallible;

    async fn load(&self, needs: &Needs) -> Result<Facts, Infallible> {
        Ok(AtHand::load(self, needs))
    }

    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Infallible> {
        AtHand::commit(self, network, changes);
        Ok(())
    }
}

impl Mailroom for Step<'_> {
    async fn read(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Result<Vec<(MailSeq, Mail)>, Infallible> {
        Ok(self.with(network, |memory| memory.read(network, peer, session, cursor, most)))
    }

    async fn acknowledge(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
    ) -> Result<(), Infallible> {
        self.with(network, |memory| memory.acknowledge(network, peer, session, cursor));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise, of two who announce themselves at the same moment, neither would hear of the other.
    #[test]
    fn a_step_has_its_network_for_itself_from_the_first_look_to_the_last_change() {
        let shards = Shards::new();
        let network = NetworkName::default();
        let is_free = || shards.shard(&network).try_lock().is_some();
        let step = shards.step();
        let _facts = AtHand::load(&step, &Needs::about(network.clone(), &[]));
        assert!(!is_free(), "somebody else may look before this step has changed anything");
        AtHand::commit(&step, &network, Vec::new());
        drop(step);
        assert!(is_free());
    }
}
