//! A node's facts in memory: networks, their peers, and the mail of each.
//!
//! It is the store of hosts that keep sockets (one `Memory` per shard, each behind its own lock), and
//! the measure for every other store.

mod choice;
mod member;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId};

use crate::roster::Roster;
use crate::{Change, Facts, Home, Mail, MailSeq, Needs, Presence, SessionId, State, Target};
use member::Member;

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
}

/// The peers of one network.
#[derive(Debug)]
struct Network {
    members: Roster<Member>,
    /// Nothing is over before this time.
    due: Millis,
}

impl Default for Network {
    fn default() -> Self {
        Self { members: Roster::default(), due: Millis(u64::MAX) }
    }
}

impl Memory {
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
        if let Some(peer) = &needs.waiting_for
            && let Some(member) = network.members.get_mut(peer)
            && !member.is_live_here()
        {
            facts.waiting = member.mailbox.take_signals();
        }
        if let Some(now) = needs.over_at {
            network.over(now, &mut facts);
        }
        facts
    }

    /// Applies changes, in order.
    pub fn commit(&mut self, name: &NetworkName, changes: Vec<Change>) {
        let network = self.networks.entry_ref(name).or_default();
        for change in changes {
            network.apply(change);
        }
        if network.members.len() == 0 {
            self.networks.remove(name);
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
            network.members.entry(peer).mailbox.put_back(signals);
        }
    }

    /// Up to `most` messages of a session after its cursor, for a session that acknowledges: they stay
    /// until then.
    #[must_use]
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

    /// All live presences of this node.
    #[must_use]
    pub fn here(&self) -> Vec<Arc<Presence>> {
        let members = self.networks.values().flat_map(|network| network.members.iter());
        members.filter_map(|(_, member)| member.here().filter(|here| here.is_live()).cloned()).collect()
    }

    /// Another node is lost: its presences become absences until `until`.
    pub fn node_lost(&mut self, node: &NodeId, until: Millis) {
        for network in self.networks.values_mut() {
            for (_, member) in network.members.iter_mut() {
                for home in &mut member.homes {
                    if home.is_live() && matches!(&home.home, Home::At(at) if at == node) {
                        let home = Arc::make_mut(home);
                        home.state = State::Away { told: false };
                        home.until = until;
                        network.due = network.due.min(until);
                    }
                }
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

impl Network {
    fn target(&self, peer: &PeerId) -> Target {
        self.members.get(peer).map_or_else(Target::default, Member::target)
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Remember(presence) => {
                self.due = self.due.min(presence.until);
                self.members.entry(presence.peer).remember(presence);
            }
            Change::Renew { peer, home, until } => {
                self.change(&peer, &home, |presence| presence.until = until);
            }
            Change::Leave { peer, home, until, told } => {
                self.due = self.due.min(until);
                self.change(&peer, &home, |presence| {
                    presence.state = State::Away { told };
                    presence.until = until;
                });
                self.settle(&peer);
            }
            Change::Forget { peer, home } => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.homes.retain(|known| known.home != home);
                }
                self.settle(&peer);
            }
            Change::Deliver { to, mail } => self.deliver(to, mail),
            Change::Tell { to, frame } => {
                for peer in to {
                    if let Some(member) = self.members.get_mut(&peer) {
                        member.tell(&frame);
                    }
                }
            }
            Change::TellAll { except, frame } => {
                for (peer, member) in self.members.iter_mut() {
                    if *peer != except {
                        member.tell(&frame);
                    }
                }
            }
        }
    }

    fn deliver(&mut self, to: PeerId, mail: Mail) {
        match mail {
            Mail::News(frame) => {
                if let Some(member) = self.members.get_mut(&to) {
                    member.tell(&frame);
                }
            }
            Mail::Signal { until, .. } => {
                let member = self.members.entry(to);
                member.receive(mail);
                if !member.is_live_here() && member.live().is_some() {
                    // It turned up elsewhere after the decision to wait for it here.
                    self.due = Millis(0);
                } else if member.outlet.is_none() {
                    self.due = self.due.min(until);
                }
            }
        }
    }

    fn change(&mut self, peer: &PeerId, home: &Home, change: impl FnOnce(&mut Presence)) {
        let known =
            self.members.get_mut(peer).and_then(|m| m.homes.iter_mut().find(|known| known.home == *home));
        if let Some(known) = known {
            change(Arc::make_mut(known));
        }
    }

    /// After a presence went: news are of no use to a peer that is not here, and a member without
    /// homes and mail is none.
    fn settle(&mut self, peer: &PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        if !member.is_live_here() {
            member.outlet = None;
            member.mailbox.drop_news();
            if !member.mailbox.is_empty() {
                self.due = Millis(0);
            }
        }
        if member.is_nothing() {
            self.members.remove(peer);
        }
    }

    /// What is over, and when something will be next.
    fn over(&mut self, now: Millis, facts: &mut Facts) {
        let mut due = Millis(u64::MAX);
        let mut overdue = Vec::new();
        let mut nothing = Vec::new();
        for (peer, member) in self.members.iter_mut() {
            for home in &member.homes {
                if home.until <= now {
                    facts.over.push((Arc::clone(home), member.target()));
                    due = now;
                } else {
                    due = due.min(home.until);
                }
            }
            // A session with an outlet reads at once; any other may have stopped reading.
            if member.mailbox.is_empty() || (member.is_live_here() && member.outlet.is_some()) {
                continue;
            }
            overdue.append(&mut member.mailbox.take_expired(now));
            if !member.is_live_here() && member.live().is_some() {
                let target = member.target();
                let stranded = member.mailbox.take_signals().into_iter();
                facts.stranded.extend(stranded.map(|mail| (mail, target.clone())));
            }
            due = due.min(member.mailbox.next_expiry());
            if member.is_nothing() {
                nothing.push(*peer);
            }
        }
        nothing.iter().for_each(|peer| self.members.remove(peer));
        self.due = due;
        let sender = |mail: &Mail| match mail {
            Mail::Signal { signal, .. } => self.target(&signal.from),
            Mail::News(_) => Target::default(),
        };
        facts.overdue = overdue
            .into_iter()
            .map(|mail| {
                let sender = sender(&mail);
                (mail, sender)
            })
            .collect();
    }
}
