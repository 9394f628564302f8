//! A node's facts in memory: networks, their peers, and the mail of each.
//!
//! It is the store of hosts that keep sockets (one `Memory` per shard, each behind its own lock), and
//! the measure for every other store.

mod choice;
mod member;
mod network;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId};

use crate::{
    Absence, Change, Facts, Home, Mail, MailNumbers, MailSeq, Needs, Presence, SessionId, State, Target,
};
use member::Member;
use network::Network;

/// Where a session that keeps a socket hears of its mail.
pub trait Outlet: Send + Sync {
    /// There is mail.
    fn ring(&self);
    /// News no longer fit in the mailbox: the peer reads too slowly.
    fn overflow(&self);
}

impl fmt::Debug for dyn Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outlet")
    }
}

/// Networks and their peers.
#[derive(Debug, Default)]
pub struct Memory {
    networks: HashMap<NetworkName, Network>,
    numbers: MailNumbers,
}

impl Memory {
    /// One whose mail is numbered from here: by all memories of a node together.
    #[must_use]
    pub fn numbered(numbers: MailNumbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    /// A snapshot of what is asked (but the nodes, which are no network's). Takes out the mail that
    /// the caller is to take care of.
    pub fn load(&mut self, needs: &Needs) -> Facts {
        let Some(network) = self.networks.get_mut(&needs.network) else {
            return Facts {
                targets: needs.targets.iter().map(|_| Target::default()).collect(),
                sample_is_all: true,
                ..Facts::default()
            };
        };
        let mut facts = Facts {
            targets: needs.targets.iter().map(|peer| network.target(peer)).collect(),
            ..Facts::default()
        };
        if let Some(sample) = &needs.sample {
            (facts.sample, facts.sample_is_all) = choice::choose(&network.members, sample);
        }
        if needs.others {
            facts.has_others = network.has_others(needs.targets.first());
        }
        facts.knows_node = needs.node.as_ref().is_some_and(|node| network.abroad.contains_key(node));
        if let Some(peer) = &needs.waiting_for
            && let Some(member) = network.members.get_mut(peer)
            && !member.is_live_here()
        {
            facts.waiting = member.mailbox.take_signals();
            if member.is_nothing() {
                network.members.remove(peer);
            }
        }
        if let Some(now) = needs.over_at {
            network.over(now, &mut facts);
        }
        if network.members.is_empty() {
            self.networks.remove(&needs.network);
        }
        facts
    }

    /// Applies changes, in order.
    pub fn commit(&mut self, name: &NetworkName, changes: Vec<Change>) {
        let mut network = match self.networks.entry_ref(name) {
            EntryRef::Occupied(known) => known,
            EntryRef::Vacant(place) => place.insert_entry(Network::default()),
        };
        for change in changes {
            network.get_mut().apply(change, &self.numbers);
        }
        if network.get().members.is_empty() {
            network.remove();
        }
    }

    /// Connects a session with its mail. If some waits already, the outlet rings at once.
    pub fn attach(
        &mut self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        outlet: Arc<dyn Outlet>,
    ) {
        if let Some(member) = self.member_of(network, &peer, session) {
            if !member.mailbox.is_empty() {
                outlet.ring();
            }
            member.outlet = Some(outlet);
        }
    }

    /// Takes an outlet away again: nobody reads at it any more.
    pub fn detach(
        &mut self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        outlet: &Arc<dyn Outlet>,
    ) {
        if let Some(member) = self.member_of(network, &peer, session)
            && member.outlet.as_ref().is_some_and(|known| Arc::ptr_eq(known, outlet))
        {
            member.outlet = None;
            member.mailbox.end_reading();
            if let Some(network) = self.networks.get_mut(network) {
                network.due = Millis(0);
            }
        }
    }

    /// Takes up to `most` messages for a session; none if the peer has another session by now.
    pub fn take(
        &mut self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        most: usize,
    ) -> Vec<Mail> {
        self.member_of(network, &peer, session).map_or_else(Vec::new, |member| member.mailbox.take(most))
    }

    /// Puts back what was taken and could not be sent: signals wait for the peer to return, or for
    /// their senders to hear of it.
    pub fn put_back(&mut self, network: &NetworkName, peer: PeerId, mail: Vec<Mail>) {
        let signals: Vec<Mail> =
            mail.into_iter().filter(|mail| matches!(mail, Mail::Signal { .. })).collect();
        if let Some(network) = self.networks.get_mut(network)
            && !signals.is_empty()
        {
            network.due = Millis(0);
            network.members.entry(peer).put_back(signals, &self.numbers);
        }
    }

    /// Up to `most` messages of a session after its cursor, for a session that acknowledges: they stay
    /// until then.
    pub fn read(
        &mut self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Vec<(MailSeq, Mail)> {
        let member = self.member_of(network, &peer, session);
        member.map_or_else(Vec::new, |member| member.mailbox.read(cursor, most))
    }

    /// A session has got everything up to its cursor.
    pub fn acknowledge(&mut self, network: &NetworkName, peer: PeerId, session: SessionId, cursor: MailSeq) {
        if let Some(member) = self.member_of(network, &peer, session) {
            member.mailbox.acknowledge(cursor);
        }
    }

    /// The networks in which something may be over.
    #[must_use]
    pub fn due(&self, now: Millis) -> Vec<NetworkName> {
        self.networks.iter().filter(|(_, network)| network.due <= now).map(|(name, _)| name.clone()).collect()
    }

    /// Whether signals wait for anybody.
    #[must_use]
    pub fn has_mail(&self) -> bool {
        let mut members = self.networks.values().flat_map(|network| network.members.iter());
        members.any(|(_, member)| !member.mailbox.is_empty())
    }

    /// The networks that have peers.
    #[must_use]
    pub fn networks(&self) -> Vec<NetworkName> {
        self.networks.keys().cloned().collect()
    }

    /// All live presences of this node.
    #[must_use]
    pub fn here(&self) -> Vec<Arc<Presence>> {
        let members = self.networks.values().flat_map(|network| network.members.iter());
        members.filter_map(|(_, member)| member.here().filter(|here| here.is_live()).cloned()).collect()
    }

    /// The nodes that have peers in a network, or had some a moment ago.
    #[must_use]
    pub fn abroad(&self, network: &NetworkName) -> Vec<NodeId> {
        self.networks.get(network).map(|network| network.abroad.keys().cloned().collect()).unwrap_or_default()
    }

    /// The networks in which somebody is here, or was a moment ago.
    #[must_use]
    pub fn inhabited(&self) -> Vec<NetworkName> {
        let inhabited = self.networks.iter().filter(|(_, network)| network.is_inhabited());
        inhabited.map(|(name, _)| name.clone()).collect()
    }

    /// Whether somebody is here in a network, or was a moment ago.
    #[must_use]
    pub fn is_inhabited(&self, network: &NetworkName) -> bool {
        self.networks.get(network).is_some_and(Network::is_inhabited)
    }

    /// All peers of a network that are at this node, or were a moment ago and of which nobody was told that
    /// they are gone.
    #[must_use]
    pub fn here_in(&self, network: &NetworkName) -> Vec<Arc<Presence>> {
        let members = self.networks.get(network).into_iter().flat_map(|network| network.members.iter());
        let counts = |member: &Member, here: &Presence| {
            here.state != State::Away { told: true } || member.live().is_some()
        };
        members.filter_map(|(_, member)| member.here().filter(|here| counts(member, here)).cloned()).collect()
    }

    /// Another node is lost: its presences become absences, longer ones of peers that said that they would
    /// be silent and are nowhere else.
    pub fn node_lost(&mut self, node: &NodeId, absence: Absence) {
        let lost = Home::At(node.clone());
        for network in self.networks.values_mut() {
            for (_, member) in network.members.iter_mut() {
                let is_lost = |home: &Arc<Presence>| home.is_live() && home.home == lost;
                let Some(place) = member.homes.iter().position(is_lost) else { continue };
                let is_elsewhere = member.target().is_live_besides(&lost);
                let home = &mut member.homes[place];
                *home = Arc::new(home.lost(is_elsewhere, absence));
                network.due = network.due.min(home.until);
            }
        }
    }

    /// A page of live peers of a network in the order of their ids, after `cursor`.
    #[must_use]
    pub fn page(&self, network: &NetworkName, cursor: Option<PeerId>, most: usize) -> Vec<Arc<Presence>> {
        let Some(network) = self.networks.get(network) else { return Vec::new() };
        let live = |(_, member): (_, &Member)| member.live().cloned();
        network.members.after(cursor).filter_map(live).take(most).collect()
    }

    /// How many networks there are, and how many peers: here and in all.
    #[must_use]
    pub fn count(&self) -> (usize, usize, usize) {
        let members = || self.networks.values().flat_map(|network| network.members.iter());
        let here = members().filter(|(_, member)| member.is_live_here()).count();
        let all = members().filter(|(_, member)| member.live().is_some()).count();
        (self.networks.len(), here, all)
    }

    fn member_of(&mut self, network: &NetworkName, peer: &PeerId, session: SessionId) -> Option<&mut Member> {
        let member = self.networks.get_mut(network)?.members.get_mut(peer)?;
        member.here().is_some_and(|here| here.is_session(session)).then_some(member)
    }
}
