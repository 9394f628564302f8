//! One step: load, decide, commit.

use alloc::vec::Vec;

use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Moment, NetworkName, PeerMessage};

use crate::{Change, Decision, Event, Facts, Needs, Node};

/// What a node keeps. Two verbs; every call is about one network.
#[allow(async_fn_in_trait, reason = "hosts call it with a concrete store, so they know if it is Send")]
pub trait Store {
    /// Why the store cannot do it now.
    type Error;
    /// A snapshot of what is asked.
    async fn load(&self, needs: &Needs) -> Result<Facts, Self::Error>;
    /// Applies changes in order.
    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Self::Error>;
}

/// One step: one read, at most one write (two of each for a peer that changes its network).
///
/// # Errors
/// The store's. Nothing was decided then, or (if the commit failed) nothing of it may be told.
pub async fn exchange<S: Store>(
    node: &Node,
    store: &S,
    event: Event,
    at: Moment,
) -> Result<Decision, S::Error> {
    let mut before = Decision::default();
    // Who announces in another network leaves the one it was in, as if its socket had closed there.
    if let Event::Said(caller, PeerMessage::Announce { network, .. }) = &event
        && caller.network.as_ref().is_some_and(|old| old != network)
    {
        before = step(node, store, Event::Gone(caller.clone(), Departure::Closed), at).await?;
    }
    let mut decision = step(node, store, event, at).await?;
    before.errands.append(&mut decision.errands);
    decision.errands = before.errands;
    Ok(decision)
}

async fn step<S: Store>(node: &Node, store: &S, event: Event, at: Moment) -> Result<Decision, S::Error> {
    let Some(needs) = node.needs(&event, at) else {
        return Ok(node.decide(event, &Facts::default(), at));
    };
    let facts = store.load(&needs).await?;
    let mut decision = node.decide(event, &facts, at);
    let changes = core::mem::take(&mut decision.changes);
    if !changes.is_empty() {
        store.commit(&needs.network, changes).await?;
    }
    Ok(decision)
}
