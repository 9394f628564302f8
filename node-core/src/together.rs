//! Several events at once: on a store that writes to disk with each step, many small steps take long,
//! and what waits behind them takes as long.

use alloc::vec::Vec;

use pigeonhub_protocol::{Moment, NetworkName, PeerId, PeerMessage};

use crate::exchange::remembered;
use crate::{Decision, Event, Needs, Node, Store, exchange};

/// The decisions on several events, in their order.
///
/// On a shared store, neighbours that do not need each other's outcome are one step: all facts are
/// from before the first of them, as if they had come by as many requests at the same moment, and
/// their changes are committed at once, in order.
///
/// # Errors
/// The store's. What was decided on the steps before is written, and may be told again.
pub async fn exchange_all<S: Store>(
    node: &Node,
    store: &S,
    events: Vec<Event>,
    at: Moment,
) -> Result<Vec<Decision>, S::Error> {
    let mut decisions = Vec::with_capacity(events.len());
    let mut waiting = events.into_iter().zip(at.seed..).peekable();
    while let Some((event, seed)) = waiting.next() {
        let at = Moment { seed, ..at };
        let Some(first) = Subject::of(&event).filter(|_| store.is_shared()) else {
            decisions.push(exchange(node, store, event, at).await?);
            continue;
        };
        let mut run = alloc::vec![(event, at)];
        let mut subjects = alloc::vec![first];
        while let Some((event, seed)) = waiting.next_if(|(event, _)| {
            Subject::of(event).is_some_and(|next| {
                let fits = subjects.iter().all(|one| next.is_independent(one));
                if fits {
                    subjects.push(next);
                }
                fits
            })
        }) {
            run.push((event, Moment { seed, ..at }));
        }
        step(node, store, run, &mut decisions).await?;
    }
    Ok(decisions)
}

/// One step for all of them.
async fn step<S: Store>(
    node: &Node,
    store: &S,
    run: Vec<(Event, Moment)>,
    decisions: &mut Vec<Decision>,
) -> Result<(), S::Error> {
    let begin = decisions.len();
    let again = decide(node, store, run, |decision| decisions.push(decision)).await?;
    let (indices, again): (Vec<_>, Vec<_>) = again.into_iter().unzip();
    let mut indices = indices.into_iter();
    // Nothing more is remembered by this.
    decide(node, store, again, |more| {
        if let Some(index) = indices.next() {
            decisions[begin + index].add(more);
        }
    })
    .await?;
    Ok(())
}

/// Loads, decides, commits. Gives what is to be looked at again, and of which event.
async fn decide<S: Store>(
    node: &Node,
    store: &S,
    run: Vec<(Event, Moment)>,
    mut decided: impl FnMut(Decision),
) -> Result<Vec<(usize, (Event, Moment))>, S::Error> {
    // Each has needs.
    let needs: Vec<Needs> = run.iter().filter_map(|(event, at)| node.needs(event, *at)).collect();
    if needs.is_empty() {
        return Ok(Vec::new());
    }
    let facts = store.load_all(&needs).await?;
    let (mut changes, mut again) = (Vec::new(), Vec::new());
    for (index, ((event, at), (facts, needs))) in
        run.into_iter().zip(facts.into_iter().zip(needs)).enumerate()
    {
        let mut decision = node.decide(event, &facts, at);
        let own = core::mem::take(&mut decision.changes);
        again.extend(remembered(&own, &facts).map(|event| (index, (event, at))));
        if !own.is_empty() {
            changes.push((needs.network, own));
        }
        decided(decision);
    }
    if !changes.is_empty() {
        store.commit_all(changes).await?;
    }
    Ok(again)
}

/// What an event is about, if it may share a step with others.
#[derive(Clone, PartialEq, Eq)]
struct Subject {
    network: NetworkName,
    /// Another node says something new of this peer.
    news_of: Option<PeerId>,
}

impl Subject {
    fn of(event: &Event) -> Option<Self> {
        let (network, news_of) = match event {
            Event::Announced(_, announcement) => (&announcement.network_name, Some(announcement.peer_id)),
            Event::Withdrawn(_, withdrawal) => (&withdrawal.network_name, Some(withdrawal.peer_id)),
            Event::Routed(_, signal) => (&signal.network, None),
            Event::Said(caller, PeerMessage::Signal { .. }) => (caller.network.as_ref()?, None),
            _ => return None,
        };
        Some(Self { network: network.clone(), news_of })
    }

    /// What happens in one network is nothing to another. News of a peer count for all that comes
    /// after; signals change nothing that others look at.
    fn is_independent(&self, before: &Self) -> bool {
        let are_alike = self.news_of.is_some() == before.news_of.is_some();
        self.network != before.network || (are_alike && (self.news_of.is_none() || self != before))
    }
}
