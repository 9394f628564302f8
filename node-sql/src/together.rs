//! Facts for several events at once: a few statements for all of them, instead of a few for each.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use pigeonhub_node_core::{Facts, Needs};
use pigeonhub_protocol::PeerId;

use crate::{Database, SqlError, SqlStore};

impl<D: Database> SqlStore<D> {
    /// What [`Self::facts`] would give for each.
    pub(crate) async fn facts_together(&self, needs: &[Needs]) -> Result<Vec<Facts>, SqlError<D::Error>> {
        let [first, others @ ..] = needs else { return Ok(Vec::new()) };
        let is_alike = |other: &Needs| {
            let kind = |needs: &Needs| needs.sample.map(|sample| (sample.here_only, sample.most));
            other.network == first.network && other.over_at.is_none() && kind(other) == kind(first)
        };
        if others.is_empty() || !needs.iter().all(is_alike) {
            let mut facts = Vec::with_capacity(needs.len());
            for needs in needs {
                facts.push(self.facts(needs).await?);
            }
            return Ok(facts);
        }
        let network = &first.network;
        let peers: BTreeSet<PeerId> = needs.iter().flat_map(|needs| needs.targets.iter().copied()).collect();
        let peers: Vec<PeerId> = peers.into_iter().collect();
        let targets = self.targets(network, &peers).await?;
        let targets: BTreeMap<PeerId, _> = peers.into_iter().zip(targets).collect();
        let waited_for: Vec<PeerId> = needs.iter().filter_map(|needs| needs.waiting_for).collect();
        let mut waiting = Vec::new();
        if !waited_for.is_empty() {
            waiting = self.waiting_for(network, &waited_for).await?;
        }
        let everyone = match &first.sample {
            Some(sample) => self.everyone(network, sample).await?,
            None => None,
        };
        let mut all = Vec::with_capacity(needs.len());
        for needs in needs {
            let mut facts = Facts {
                targets: needs.targets.iter().filter_map(|peer| targets.get(peer).cloned()).collect(),
                ..Facts::default()
            };
            if needs.nodes {
                facts.nodes = self.nodes.as_slice().into();
            }
            if let Some(sample) = &needs.sample {
                (facts.sample, facts.sample_is_all) = match &everyone {
                    Some(all) => {
                        let others = all.iter().filter(|other| other.peer != sample.near);
                        (others.cloned().collect(), true)
                    }
                    None => self.sample(network, sample).await?,
                };
            }
            // Each signal has one taker.
            let (own, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|(peer, _)| needs.waiting_for == Some(*peer));
            waiting = rest;
            facts.waiting = own.into_iter().map(|(_, mail)| mail).collect();
            all.push(facts);
        }
        Ok(all)
    }
}
