//! One network: its peers, their mail, and when something will be over.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use pigeonhub_protocol::{Millis, NodeId, PeerId};

use super::member::Member;
use crate::mail::MailNumbers;
use crate::roster::Roster;
use crate::{Change, Facts, Home, Mail, Presence, State, Target};

/// The peers of one network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) members: Roster<Member>,
    /// Nothing is over before this time.
    pub(super) due: Millis,
    /// How many presences there are at each other node.
    pub(super) abroad: HashMap<NodeId, usize>,
    /// How many peers are here, or were a moment ago.
    here: usize,
    /// How many of them are live.
    live_here: usize,
}

impl Default for Network {
    fn default() -> Self {
        let (members, abroad) = (Roster::default(), HashMap::default());
        Self { members, due: Millis(u64::MAX), abroad, here: 0, live_here: 0 }
    }
}

impl Network {
    pub(super) fn target(&self, peer: &PeerId) -> Target {
        self.members.get(peer).map_or_else(Target::default, Member::target)
    }

    /// Whether somebody is here, or was a moment ago.
    pub(super) const fn is_inhabited(&self) -> bool {
        self.here > 0
    }

    /// Whether somebody else is live here.
    pub(super) fn has_others(&self, peer: Option<&PeerId>) -> bool {
        let (_, is_live) = self.counted(peer);
        self.live_here > is_live
    }

    /// What a peer adds to those who are here, and who are live.
    fn counted(&self, peer: Option<&PeerId>) -> (usize, usize) {
        let member = peer.and_then(|peer| self.members.get(peer));
        let is = |so: fn(&Member) -> bool| usize::from(member.is_some_and(so));
        (is(|member| member.here().is_some()), is(Member::is_live_here))
    }

    pub(super) fn apply(&mut self, change: Change, numbers: &MailNumbers) {
        let subject = match &change {
            Change::Remember(presence) => Some(presence.peer),
            Change::Leave { peer, .. } | Change::Forget { peer, .. } => Some(*peer),
            Change::Renew { .. } | Change::Deliver { .. } | Change::Tell { .. } | Change::TellAll { .. } => {
                None
            }
        };
        let before = self.counted(subject.as_ref());
        self.carry_out(change, numbers);
        let after = self.counted(subject.as_ref());
        self.here = self.here + after.0 - before.0;
        self.live_here = self.live_here + after.1 - before.1;
    }

    fn carry_out(&mut self, change: Change, numbers: &MailNumbers) {
        match change {
            Change::Remember(presence) => {
                self.due = self.due.min(presence.until);
                let member = self.members.entry(presence.peer);
                if let Home::At(node) = &presence.home
                    && !member.homes.iter().any(|known| known.home == presence.home)
                {
                    *self.abroad.entry_ref(node).or_insert(0) += 1;
                }
                member.remember(presence);
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
                    let before = member.homes.len();
                    member.homes.retain(|known| known.home != home);
                    if member.homes.len() < before
                        && let Home::At(node) = &home
                        && let EntryRef::Occupied(mut count) = self.abroad.entry_ref(node)
                    {
                        *count.get_mut() -= 1;
                        if *count.get() == 0 {
                            count.remove();
                        }
                    }
                }
                self.settle(&peer);
            }
            Change::Deliver { to, mail } => self.deliver(to, mail, numbers),
            Change::Tell { to, frame } => {
                for peer in to {
                    if let Some(member) = self.members.get_mut(&peer) {
                        member.tell(&frame, numbers);
                    }
                }
            }
            Change::TellAll { except, frame } => {
                for (peer, member) in self.members.iter_mut() {
                    if *peer != except {
                        member.tell(&frame, numbers);
                    }
                }
            }
        }
    }

    fn deliver(&mut self, to: PeerId, mail: Mail, numbers: &MailNumbers) {
        match mail {
            Mail::News(frame) => {
                if let Some(member) = self.members.get_mut(&to) {
                    member.tell(&frame, numbers);
                }
            }
            Mail::Signal { until, .. } => {
                let member = self.members.entry(to);
                member.receive(mail, numbers);
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
    pub(super) fn over(&mut self, now: Millis, facts: &mut Facts) {
        let mut due = Millis(u64::MAX);
        let mut overdue = Vec::new();
        let mut nothing = Vec::new();
        for (peer, member) in self.members.iter_mut() {
            for home in &member.homes {
                // The host of a socket says when it is over; a clock that jumped does not.
                if home.home.is_here() && member.outlet.is_some() {
                    continue;
                }
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
            overdue.append(&mut member.mailbox.take_expired(now, member.is_live_here()));
            if !member.is_live_here() && member.live().is_some() {
                let target = member.target();
                let stranded = member.mailbox.take_signals().into_iter();
                facts.stranded.extend(stranded.map(|mail| (mail, target.clone())));
            }
            due = due.min(member.mailbox.next_expiry().max(now.plus(1)));
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
