//! What other nodes say. A node speaks for its own peers only: what it says of a peer concerns that
//! peer's presence at that node, and it may pass on signals of peers that are at home there.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::mesh::{PeerAnnouncement, Return, Routed};
use pigeonhub_protocol::{Code, Millis, NodeId, NodeMessage, Signal};

use crate::change::Route;
use crate::presence::same_profile;
use crate::{Change, Decision, Errand, Facts, Home, Mail, Node, Presence, Target};

/// No lease between nodes is longer than this.
const LONGEST_LEASE: u64 = 10 * 60 * 1000;

impl Node {
    /// A peer is at another node. Those here who were named to it are told of it; in a network small
    /// enough that is everyone. What waited here for it goes after it. In a network in which nobody is
    /// here it is not remembered: the next who comes makes this node ask.
    pub(super) fn announced(
        &self,
        node: &NodeId,
        announcement: PeerAnnouncement,
        facts: &Facts,
        now: Millis,
    ) -> Decision {
        let PeerAnnouncement { peer_id: peer, network_name: network, data, lease, refresh, .. } =
            announcement;
        let Some((wanted, named)) = facts.targets.split_first() else { return Decision::default() };
        let until = now.plus(lease.unwrap_or(self.settings.lease).min(LONGEST_LEASE));
        let home = Home::At(node.clone());

        let is_here = wanted.here().is_some_and(|here| here.is_live());
        let after_it = facts.waiting.iter().filter_map(|mail| match mail {
            Mail::Signal { signal, until, by, .. } if !is_here => Some(Errand::Route(Route {
                nodes: vec![node.clone()],
                ask_all: false,
                signal: signal.clone(),
                deadline: Some(*until),
                by: by.clone(),
            })),
            _ => None,
        });
        let mut errands: Vec<Errand> = after_it.collect();
        if !facts.has_others && wanted.here().is_none() {
            return Decision { errands, ..Decision::default() };
        }

        if !facts.knows_node {
            // Who came here since that node asked was not told to it: it was not known to have peers.
            errands.push(Errand::Introduce { to: node.clone(), network: network.clone() });
        }
        let known = wanted.homes.iter().find(|known| known.home == home && known.is_live());
        // In a small network everyone was told when it was remembered: by the node that has just heard that
        // there is somebody here, and by the peer itself, it may be said twice.
        if (refresh || facts.sample_is_all) && known.is_some_and(|known| same_profile(&known.profile, &data))
        {
            let changes = vec![Change::Renew { peer, home, until }];
            return Decision { changes, errands, ..Decision::default() };
        }

        let presence = Presence::live(peer, network, home, node.clone(), data, now, until);
        let mut to: Vec<_> =
            named.iter().filter_map(Target::here).filter(|p| p.is_live()).map(|p| p.peer).collect();
        if facts.sample_is_all {
            to.extend(facts.sample.iter().map(|other| other.peer));
        }
        to.retain(|other| *other != peer);
        to.sort_unstable();
        to.dedup();

        Decision {
            told: to.len(),
            errands,
            changes: vec![
                Change::Remember(Arc::clone(&presence)),
                Change::Tell { to, frame: presence.discovered.clone() },
            ],
            ..Decision::default()
        }
    }

    /// A signal for a peer of this node. It goes no further: one hop, no loops.
    pub(super) fn routed(&self, node: &NodeId, mut signal: Signal, facts: &Facts, now: Millis) -> Decision {
        let answer = |routed, target_found, code| Some(self.answer(routed, target_found, code));
        let [sender, wanted] = facts.targets.as_slice() else { return Decision::default() };
        // A peer known elsewhere, and not there, is spoken for by the wrong node. One known nowhere
        // may be so because this node has just started.
        let at_home = sender.homes.iter().any(|known| known.home == Home::At(node.clone()));
        if !at_home && !sender.homes.is_empty() {
            return Decision { routed: answer(false, false, Some(Code::Forbidden)), ..Decision::default() };
        }
        match wanted.here() {
            Some(here) if here.is_live() && wanted.full => {
                Decision { routed: answer(false, true, Some(Code::MailboxFull)), ..Decision::default() }
            }
            Some(here) if here.is_live() => {
                signal.origin.get_or_insert_with(|| node.clone());
                Decision { routed: answer(true, true, None), ..self.deliver(signal, Some(node.clone()), now) }
            }
            // It left a moment ago: the sender's node holds the signal, for it may return anywhere.
            here => Decision {
                routed: answer(false, here.is_some(), Some(Code::PeerUnavailable)),
                ..Decision::default()
            },
        }
    }

    /// What a node that drains answers to every signal that another one brings, instead of
    /// [`Event::Routed`](crate::Event::Routed): its peers are told to go, and what they do not read any more
    /// it could not bring after them, as it speaks for its own peers only. Who brings it knows where else
    /// they are, or waits until they turn up.
    #[must_use]
    pub fn declined(&self) -> Routed {
        self.answer(false, true, Some(Code::PeerUnavailable))
    }

    fn answer(&self, routed: bool, target_found: bool, code: Option<Code>) -> Routed {
        Routed { routed, target_found, code, node_id: self.id.clone(), connection_count: 0 }
    }

    /// The sender hears that its signal could not be delivered after all. If it is not here the node
    /// at which it said it is told, once: what comes back there goes no further.
    pub(super) fn returned(&self, mut back: Return, facts: &Facts, now: Millis) -> Decision {
        if facts.targets.first().and_then(|sender| sender.here()).is_some_and(|here| here.is_live()) {
            let frame = NodeMessage::Error(back.refusal).frame(now);
            let changes = vec![Change::Deliver { to: back.return_to, mail: Mail::News(frame) }];
            return Decision { changes, ..Decision::default() };
        }
        match back.origin.take().filter(|origin| *origin != self.id) {
            Some(origin) => {
                let errands = vec![Errand::Return { nodes: vec![origin], back }];
                Decision { errands, ..Decision::default() }
            }
            None => Decision::default(),
        }
    }
}
