//! A peer of this node announces itself, or is still there.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use pigeonhub_protocol::{Millis, NetworkName, NodeId, PeerId, RawJson};

use crate::presence::same_profile;
use crate::{Caller, Change, Decision, Errand, Facts, Home, Node, Presence, Settings};

impl Node {
    /// The newcomer is told of some peers, and exactly those are told of it: a pair of which only
    /// one side knows the other may never connect.
    pub(super) fn announce(
        &self,
        caller: &Caller,
        network: NetworkName,
        profile: RawJson,
        facts: &Facts,
        now: Millis,
    ) -> Decision {
        let home = Home::Here(caller.session);
        let until = now.plus(self.settings.lease);
        let mut decision =
            Decision::reply(facts.sample.iter().map(|presence| presence.discovered.clone()).collect());
        decision.joined = Some(network.clone());

        let known = facts.targets.first().and_then(|target| target.here());
        if let Some(known) = known
            && known.is_live()
            && known.home == home
            && same_profile(&known.profile, &profile)
        {
            let renew = Change::Renew { peer: caller.peer, home, until };
            if facts.sample_is_all {
                // They were all told of it before.
                decision.changes = vec![renew];
                decision.errands =
                    vec![Errand::Announce { presence: known.clone(), tell: vec![], refresh: true }];
            } else {
                tell_the_sample(&mut decision, renew, known, facts);
            }
            return decision;
        }

        let presence = Presence::live(caller.peer, network, home, self.id.clone(), profile, now, until);
        let network = presence.network.clone();
        tell_the_sample(&mut decision, Change::Remember(Arc::clone(&presence)), &presence, facts);
        if !facts.has_others && !known.is_some_and(|known| known.is_live()) {
            // The first one here: nobody has told this node of the network, or not since the last one went.
            decision.errands.insert(0, Errand::Interest { network, to: None, answer: true });
        }
        decision
    }

    /// The lease is renewed when a third of it is over, here and at the other nodes: two renewals may
    /// come late or fail before it ends.
    pub(super) fn still_here(&self, caller: &Caller, facts: &Facts, now: Millis) -> Decision {
        let known = facts.targets.first().and_then(|target| target.here());
        let Some(known) = known.filter(|known| known.is_live() && known.is_session(caller.session)) else {
            return Decision { left: caller.network.is_some(), ..Decision::default() };
        };
        let Settings { lease, .. } = self.settings;
        // More than a lease is left only after the clock was set back: others do not wait for that.
        if (lease - lease / 3 + 1..=lease).contains(&known.until.since(now)) {
            return Decision::default();
        }
        let until = now.plus(self.settings.lease);
        Decision {
            changes: vec![Change::Renew { peer: caller.peer, home: known.home.clone(), until }],
            errands: vec![Errand::Announce { presence: known.clone(), tell: vec![], refresh: true }],
            ..Decision::default()
        }
    }
}

fn tell_the_sample(decision: &mut Decision, first: Change, presence: &Arc<Presence>, facts: &Facts) {
    let (to, tell) = by_home(facts.sample.iter());
    decision.changes = vec![first, Change::Tell { to, frame: presence.discovered.clone() }];
    decision.errands = vec![Errand::Announce { tell, presence: Arc::clone(presence), refresh: false }];
}

/// After a presence was remembered: it and those who came at the same moment are told of each other.
/// They may hear it twice, if both find each other.
pub(super) fn remembered(presence: &Arc<Presence>, known: &[PeerId], facts: &Facts) -> Decision {
    let came = || facts.sample.iter().filter(|other| !known.contains(&other.peer));
    let (to, tell) = by_home(came());
    let mut decision = Decision::default();
    if presence.home.is_here() {
        decision.replies = came().map(|other| other.discovered.clone()).collect();
        if !tell.is_empty() {
            let presence = Arc::clone(presence);
            decision.errands = vec![Errand::Announce { tell, presence, refresh: false }];
        }
    } else {
        decision.told = to.len();
    }
    if !to.is_empty() {
        decision.changes = vec![Change::Tell { to, frame: presence.discovered.clone() }];
    }
    decision
}

/// Those who are here, and those who are elsewhere.
fn by_home<'a>(
    others: impl Iterator<Item = &'a Arc<Presence>> + Clone,
) -> (Vec<PeerId>, Vec<(NodeId, PeerId)>) {
    let here = others.clone().filter(|other| other.home.is_here()).map(|other| other.peer);
    let elsewhere = others.filter_map(|other| match &other.home {
        Home::At(node) => Some((node.clone(), other.peer)),
        Home::Here(_) => None,
    });
    (here.collect(), elsewhere.collect())
}
