//! One step: load, decide, commit.

use alloc::vec::Vec;

use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Moment, NetworkName, PeerMessage};

use crate::{Change, Decision, Event, Facts, Needs, Node};

/// What a node keeps. Two verbs, each for one network or for several at once.
#[allow(async_fn_in_trait, reason = "hosts call it with a concrete store, so they know if it is Send")]
pub trait Store {
    /// Why the store cannot do it now.
    type Error;
    /// A snapshot of what is asked.
    async fn load(&self, needs: &Needs) -> Result<Facts, Self::Error>;
    /// The same for several at once: one snapshot for each, or one for all.
    async fn load_all(&self, needs: &[Needs]) -> Result<Vec<Facts>, Self::Error> {
        let mut facts = Vec::with_capacity(needs.len());
        for needs in needs {
            facts.push(self.load(needs).await?);
        }
        Ok(facts)
    }
    /// Applies the changes of a step, all or none: presences in order, then mail in order.
    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Self::Error>;
    /// The same for several networks, each with its own; what is of one network stays in order.
    async fn commit_all(&self, changes: Vec<(NetworkName, Vec<Change>)>) -> Result<(), Self::Error> {
        for (network, changes) in changes {
            self.commit(&network, changes).await?;
        }
        Ok(())
    }
    /// Whether other steps may come between the load and the commit of one. Then whoever is
    /// remembered looks again afterwards: see [`Event::Remembered`].
    fn is_shared(&self) -> bool {
        false
    }
}

/// A store that never waits, and that nobody else changes between the load and the commit of a step.
pub trait AtHand {
    /// A snapshot of what is asked.
    fn load(&self, needs: &Needs) -> Facts;
    /// Applies the changes of a step, in order.
    fn commit(&self, network: &NetworkName, changes: Vec<Change>);
}

/// [`exchange`] on such a store. A future would carry event, facts and decision through each of its
/// layers: for a signal that costs as much as deciding what becomes of it.
pub fn exchange_now(node: &Node, store: &impl AtHand, event: Event, at: Moment) -> Decision {
    match departure(&event) {
        None => once_now(node, store, event, at),
        Some(gone) => {
            let before = once_now(node, store, gone, at);
            once_now(node, store, event, at).after(before)
        }
    }
}

fn once_now(node: &Node, store: &impl AtHand, event: Event, at: Moment) -> Decision {
    let Some(needs) = node.needs(&event, at) else { return node.decide(event, &Facts::default(), at) };
    let mut decision = node.decide(event, &store.load(&needs), at);
    let changes = core::mem::take(&mut decision.changes);
    if !changes.is_empty() {
        store.commit(&needs.network, changes);
    }
    decision
}

/// One step: one read, at most one write (two of each for a peer that changes its network, and one
/// more read for a newcomer if the store is shared).
///
/// # Errors
/// The store's. Nothing was decided then, or (if the commit failed) nothing of it may be told.
pub async fn exchange<S: Store>(
    node: &Node,
    store: &S,
    event: Event,
    at: Moment,
) -> Result<Decision, S::Error> {
    let before = match departure(&event) {
        None => Decision::default(),
        Some(gone) => step(node, store, gone, at).await?,
    };
    Ok(step(node, store, event, at).await?.after(before))
}

/// Who announces in another network leaves the one it was in, as if its socket had closed there.
fn departure(event: &Event) -> Option<Event> {
    let Event::Said(caller, PeerMessage::Announce { network, .. }) = event else { return None };
    let leaves = caller.network.as_ref().is_some_and(|old| old != network);
    leaves.then(|| Event::Gone(caller.clone(), Departure::Closed))
}

async fn step<S: Store>(node: &Node, store: &S, event: Event, at: Moment) -> Result<Decision, S::Error> {
    let (mut decision, remembered) = once(node, store, event, at).await?;
    if let Some(event) = remembered {
        // Nothing more is remembered by this.
        let (more, _) = once(node, store, event, at).await?;
        decision.add(more);
    }
    Ok(decision)
}

/// Gives the decision, its changes committed, and what is to happen after them.
async fn once<S: Store>(
    node: &Node,
    store: &S,
    event: Event,
    at: Moment,
) -> Result<(Decision, Option<Event>), S::Error> {
    let Some(needs) = node.needs(&event, at) else {
        return Ok((node.decide(event, &Facts::default(), at), None));
    };
    let facts = store.load(&needs).await?;
    let mut decision = node.decide(event, &facts, at);
    let changes = core::mem::take(&mut decision.changes);
    let remembered = if store.is_shared() { remembered(&changes, &facts) } else { None };
    if !changes.is_empty() {
        store.commit(&needs.network, changes).await?;
    }
    Ok((decision, remembered))
}

/// Where not everyone is told of everyone, one more or less makes no difference.
pub(crate) fn remembered(changes: &[Change], facts: &Facts) -> Option<Event> {
    let Some(Change::Remember(presence)) = changes.first() else { return None };
    let known = facts.sample.iter().map(|known| known.peer).collect();
    facts.sample_is_all.then(|| Event::Remembered(presence.clone(), known))
}

impl Decision {
    /// What is to be done at other nodes about an earlier decision comes first.
    fn after(mut self, mut before: Self) -> Self {
        before.errands.append(&mut self.errands);
        Self { errands: before.errands, ..self }
    }

    /// What was found on a second look.
    pub(crate) fn add(&mut self, more: Self) {
        self.replies.extend(more.replies);
        self.errands.extend(more.errands);
        self.told += more.told;
    }
}
