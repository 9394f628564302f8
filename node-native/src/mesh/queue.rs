//! What waits for one other node, in order and bounded.

use std::collections::{BTreeSet, VecDeque};

use parking_lot::{Mutex, MutexGuard};
use pigeonhub_protocol::{NetworkName, limit};
use tokio::sync::Notify;

use super::{Batch, Parcel};

/// Parcels that may wait.
const MOST: usize = 8192;
/// Bytes that may wait.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// An announcement has at most so many bytes.
const PARCEL: usize = 2 * limit::PROFILE;

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    more: Notify,
}

/// What waits.
#[derive(Debug, Default)]
pub struct Waiting {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// So many were there from the start, and more may wait until they are gone.
    head_start: usize,
    /// Networks of which something was taken out and is being brought.
    under_way: BTreeSet<NetworkName>,
    closed: bool,
}

impl Queue {
    /// Adds at the end. If the queue is full or closed, that gives the parcel back.
    #[must_use]
    pub fn push(&self, parcel: Parcel) -> Option<Parcel> {
        let mut waiting = self.waiting.lock();
        let most_bytes = MOST_BYTES + waiting.head_start * PARCEL;
        let full =
            waiting.parcels.len() >= MOST + waiting.head_start || waiting.bytes + parcel.size() > most_bytes;
        if waiting.closed || full {
            return Some(parcel);
        }
        waiting.push(parcel);
        drop(waiting);
        self.more.notify_one();
        None
    }

    /// Keeps everybody else waiting while the first parcels are put in, however many they are.
    pub fn start(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }

    /// The next batch, which is under way until it is [`Self::done`]; `None` once the queue is closed.
    /// Several workers may wait here: what is of one network has only one of them at a time.
    pub async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut waiting = self.waiting.lock();
                let waiting = &mut *waiting;
                if waiting.closed {
                    // The next worker hears of it, too.
                    self.more.notify_one();
                    return None;
                }
                if let Some(batch) = Batch::take(&mut waiting.parcels, &waiting.under_way) {
                    waiting.bytes -= batch.size();
                    waiting.under_way.append(&mut batch.networks());
                    if !waiting.parcels.is_empty() {
                        // Another worker may take what was left.
                        self.more.notify_one();
                    }
                    return Some(batch);
                }
                if waiting.parcels.is_empty() {
                    waiting.head_start = 0;
                }
            }
            self.more.notified().await;
        }
    }

    /// A batch of these networks was brought, or not: what comes after it may go.
    pub fn done(&self, networks: &BTreeSet<NetworkName>) {
        self.waiting.lock().under_way.retain(|network| !networks.contains(network));
        self.more.notify_one();
    }

    /// Whether all was brought.
    pub fn is_idle(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.under_way.is_empty() && waiting.parcels.is_empty()
    }

    /// Takes no more, and gives back what waits.
    pub fn close(&self) -> Vec<Parcel> {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let left = std::mem::take(&mut waiting.parcels);
        drop(waiting);
        self.more.notify_one();
        left.into()
    }
}

impl Waiting {
    fn push(&mut self, parcel: Parcel) {
        self.bytes += parcel.size();
        self.parcels.push_back(parcel);
    }

    /// Adds one of the first parcels.
    pub fn push_first(&mut self, parcel: Parcel) {
        self.head_start += 1;
        self.push(parcel);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use pigeonhub_protocol::mesh::PeerAnnouncement;
    use pigeonhub_protocol::{PeerId, raw_json};

    use super::*;

    fn announce(queue: &Queue, network: &str) {
        let announcement = PeerAnnouncement {
            peer_id: PeerId::from_bytes([1; 20]),
            node_id: "a".parse().unwrap(),
            network_name: network.parse().unwrap(),
            data: raw_json(&()),
            lease: None,
            tell: Vec::new(),
            refresh: false,
        };
        assert!(queue.push(Parcel::Announce(announcement)).is_none());
    }

    #[tokio::test]
    async fn a_slow_request_holds_up_its_own_networks_only() {
        let queue = Queue::default();
        announce(&queue, "one");
        let first = queue.next().await.unwrap();
        announce(&queue, "one");
        announce(&queue, "two");
        let second = queue.next().await.unwrap();
        assert_eq!(second.networks(), ["two".parse().unwrap()].into());
        assert!(queue.next().now_or_never().is_none() && !queue.is_idle());
        queue.done(&first.networks());
        queue.done(&second.networks());
        assert_eq!(queue.next().await.unwrap().networks(), first.networks());
        queue.done(&first.networks());
        assert!(queue.is_idle());
    }

    #[tokio::test]
    async fn all_workers_hear_that_the_queue_is_closed() {
        let queue = Queue::default();
        let workers = [queue.next(), queue.next(), queue.next()].map(Box::pin);
        let all = futures_util::future::join_all(workers);
        tokio::pin!(all);
        assert!(all.as_mut().now_or_never().is_none());
        queue.close();
        assert!(all.await.iter().all(Option::is_none));
    }
}
