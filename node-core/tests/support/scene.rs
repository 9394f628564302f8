//! Facts by hand: who is where, what waits. It answers [`Needs`] like a store would, and counts
//! nothing itself.

use std::sync::Arc;

use pigeonhub_node_core::{Decision, Event, Facts, Mail, Needs, Node, Presence, Settings, Target};
use pigeonhub_protocol::{Millis, NodeId, PeerId};

use super::lines::lines;
use super::words::{NOW, at, node, peer};

/// The facts at one moment, as node `n1` knows them.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    presences: Vec<Arc<Presence>>,
    full: Vec<PeerId>,
    waiting: Vec<Mail>,
    nodes: Vec<NodeId>,
    now: Option<Millis>,
    most: Option<usize>,
    require_proof: bool,
}

impl Scene {
    /// These presences are known.
    pub fn of(presences: impl IntoIterator<Item = Presence>) -> Self {
        Self { presences: presences.into_iter().map(Arc::new).collect(), ..Self::default() }
    }

    /// The mailbox of this peer takes no more.
    pub fn full(mut self, of: char) -> Self {
        self.full.push(peer(of));
        self
    }

    /// This signal waits in its target's mailbox.
    pub fn waiting(mut self, mail: Mail) -> Self {
        self.waiting.push(mail);
        self
    }

    /// These nodes can be reached.
    pub fn mesh(mut self, nodes: &[&str]) -> Self {
        self.nodes = nodes.iter().map(|name| node(name)).collect();
        self
    }

    /// It is another time than [`NOW`].
    pub fn at(mut self, now: Millis) -> Self {
        self.now = Some(now);
        self
    }

    /// At most so many peers are told of a newcomer.
    pub fn discovery(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    /// The node wants proofs.
    pub const fn proven(mut self) -> Self {
        self.require_proof = true;
        self
    }

    /// What node `n1` decides, line by line.
    pub fn decides(&self, event: Event) -> Vec<String> {
        lines(&self.decision(event))
    }

    /// The same, not put into words.
    pub fn decision(&self, event: Event) -> Decision {
        let settings = Settings::default();
        let discovery = self.most.unwrap_or(settings.discovery);
        let settings = Settings { discovery, require_proof: self.require_proof, ..settings };
        let node = Node { id: node("n1"), settings };
        let moment = at(self.now.unwrap_or(NOW));
        let facts = node.needs(&event, moment).map(|needs| self.facts(&needs)).unwrap_or_default();
        node.decide(event, &facts, moment)
    }

    fn facts(&self, needs: &Needs) -> Facts {
        let mut facts = Facts {
            targets: needs.targets.iter().map(|peer| self.target(needs, peer)).collect(),
            nodes: self.nodes.iter().filter(|_| needs.nodes).cloned().collect(),
            ..Facts::default()
        };
        if let Some(sample) = needs.sample {
            let all = self.known(needs).filter(|known| known.is_live() && known.peer != sample.near);
            let all = all.filter(|known| known.home.is_here() || !sample.here_only);
            facts.sample = all.cloned().collect();
            facts.sample.dedup_by_key(|known| known.peer);
            facts.sample_is_all = facts.sample.len() <= sample.most;
            facts.sample.truncate(sample.most);
        }
        if needs.others {
            let others = self.known(needs).filter(|known| Some(&known.peer) != needs.targets.first());
            facts.has_others = others.into_iter().any(|known| known.is_live() && known.home.is_here());
        }
        let at = |known: &Arc<Presence>, node| known.home == pigeonhub_node_core::Home::At(node);
        facts.knows_node =
            needs.node.iter().any(|node| self.known(needs).any(|known| at(known, node.clone())));
        let live_here = |peer: &PeerId| self.target(needs, peer).here().is_some_and(|here| here.is_live());
        if let Some(peer) = needs.waiting_for.filter(|peer| !live_here(peer)) {
            facts.waiting = self.waiting_for(peer).collect();
        }
        if let Some(now) = needs.over_at {
            let over = self.known(needs).filter(|known| known.until <= now);
            facts.over = over.map(|known| (known.clone(), self.target(needs, &known.peer))).collect();
            for mail in self.waiting.iter().filter(|mail| !live_here(&ends(mail).1)) {
                let (from, to) = ends(mail);
                let wanted = self.target(needs, &to);
                match mail {
                    Mail::Signal { until, .. } if *until <= now => {
                        facts.overdue.push((mail.clone(), self.target(needs, &from)));
                    }
                    _ if wanted.homes.iter().any(|home| home.is_live()) => {
                        facts.stranded.push((mail.clone(), wanted));
                    }
                    _ => {}
                }
            }
        }
        facts
    }

    /// Only the network that was asked about can be seen.
    fn known(&self, needs: &Needs) -> impl Iterator<Item = &Arc<Presence>> {
        self.presences.iter().filter(|known| known.network == needs.network)
    }

    fn target(&self, needs: &Needs, peer: &PeerId) -> Target {
        Target {
            homes: self.known(needs).filter(|known| known.peer == *peer).cloned().collect(),
            full: self.full.contains(peer),
            waits: self.waiting_for(*peer).next().is_some(),
        }
    }

    fn waiting_for(&self, peer: PeerId) -> impl Iterator<Item = Mail> {
        self.waiting.iter().filter(move |mail| ends(mail).1 == peer).cloned()
    }
}

/// Sender and target.
fn ends(mail: &Mail) -> (PeerId, PeerId) {
    match mail {
        Mail::Signal { signal, .. } => (signal.from, signal.target),
        Mail::News(_) => panic!("news do not wait"),
    }
}
