//! Facts for one event or for several at once: a few statements for all of them, instead of a few for
//! each.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_node_core::{Facts, Mail, Needs, Presence, Sample};
use pigeonhub_protocol::{NetworkName, PeerId};

use crate::{Database, SqlError, SqlStore};

/// The live peers of networks whose sample would be everyone: of all homes, or only of those here.
type Everyone<'a> = BTreeMap<(&'a NetworkName, bool), Option<Vec<Arc<Presence>>>>;

impl<D: Database> SqlStore<D> {
    /// The facts for each.
    pub(crate) async fn facts_together(&self, needs: &[Needs]) -> Result<Vec<Facts>, SqlError<D::Error>> {
        let whom: BTreeSet<(&NetworkName, PeerId)> = needs.iter().flat_map(named).collect();
        let targets = self.targets(&whom).await?;
        let target = |network: &NetworkName, peer| targets.get(&(network.clone(), peer));
        // A look costs less than taking, which has to wait for whoever writes. What comes between the two
        // is stranded, and found when time passes.
        let waited_for = needs.iter().filter_map(|needs| Some((&needs.network, needs.waiting_for?)));
        let waited_for: Vec<_> = waited_for
            .filter(|(network, peer)| target(network, *peer).is_some_and(|target| target.waits))
            .collect();
        let mut waiting = Vec::new();
        if !waited_for.is_empty() {
            waiting = self.waiting_for(&waited_for).await?;
        }
        let asked = needs.iter().filter(|needs| needs.node.is_some()).map(|needs| needs.network.clone());
        let abroad = self.abroad(&asked.collect()).await?;
        let (mut all, mut everyone) = (Vec::with_capacity(needs.len()), Everyone::new());
        for needs in needs {
            let network = &needs.network;
            let known = needs.targets.iter().map(|peer| target(network, *peer).cloned().unwrap_or_default());
            let mut facts = Facts { targets: known.collect(), ..Facts::default() };
            if needs.nodes {
                facts.nodes = self.nodes.as_slice().into();
            }
            if let Some(sample) = &needs.sample {
                (facts.sample, facts.sample_is_all) = self.sample_of(network, sample, &mut everyone).await?;
            }
            if needs.others {
                let subject = needs.targets.first().copied();
                // Who was found need not be asked for.
                facts.has_others = facts.sample.iter().any(|other| other.home.is_here())
                    || !facts.sample_is_all && self.has_others(network, subject).await?;
            }
            let nodes = abroad.get(network);
            facts.knows_node =
                needs.node.as_ref().is_some_and(|node| nodes.is_some_and(|nodes| nodes.contains(node)));
            // Each signal has one taker.
            let is_own = |(peer, mail): &mut (PeerId, Mail)| {
                needs.waiting_for == Some(*peer)
                    && matches!(mail, Mail::Signal { signal, .. } if signal.network == *network)
            };
            facts.waiting = waiting.extract_if(.., is_own).map(|(_, mail)| mail).collect();
            if let Some(now) = needs.over_at {
                self.over(network, now, &mut facts).await?;
            }
            all.push(facts);
        }
        Ok(all)
    }

    /// Of a small network everyone, read once for all events.
    async fn sample_of<'a>(
        &self,
        network: &'a NetworkName,
        sample: &Sample,
        everyone: &mut Everyone<'a>,
    ) -> Result<(Vec<Arc<Presence>>, bool), SqlError<D::Error>> {
        let known = match everyone.entry((network, sample.here_only)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.everyone(network, sample).await?),
        };
        match known {
            Some(all) if is_everyone(all, sample) => {
                Ok((all.iter().filter(|other| other.peer != sample.near).cloned().collect(), true))
            }
            Some(_) | None => Ok((self.some(network, sample).await?, false)),
        }
    }
}

/// Whether a sample would be all of these.
fn is_everyone(all: &[Arc<Presence>], sample: &Sample) -> bool {
    all.len() <= sample.most || all.iter().any(|other| other.peer == sample.near)
}

/// The peers that an event is about.
fn named(needs: &Needs) -> impl Iterator<Item = (&NetworkName, PeerId)> {
    needs.targets.iter().copied().chain(needs.waiting_for).map(|peer| (&needs.network, peer))
}
