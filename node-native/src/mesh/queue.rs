//! What waits for one other node, in order and bounded.

use std::collections::VecDeque;

use parking_lot::{Mutex, MutexGuard};
use pigeonhub_protocol::limit;
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
    /// So many were put in together, and more may wait until the queue is empty.
    head_start: usize,
    /// A batch was taken out, and is being brought.
    busy: bool,
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

    /// Keeps everybody else waiting while parcels are put in, however many they are; then [`Self::call`].
    pub fn start(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }

    /// Whoever waits for a batch looks again.
    pub fn call(&self) {
        self.more.notify_one();
    }

    /// The next batch; `None` once the queue is closed. One task waits here.
    pub async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut waiting = self.waiting.lock();
                waiting.busy = false;
                if waiting.closed {
                    return None;
                }
                if let Some(batch) = Batch::take(&mut waiting.parcels) {
                    waiting.bytes -= batch.size();
                    waiting.busy = true;
                    return Some(batch);
                }
                waiting.head_start = 0;
            }
            self.more.notified().await;
        }
    }

    /// Whether all was brought.
    pub fn is_idle(&self) -> bool {
        let waiting = self.waiting.lock();
        !waiting.busy && waiting.parcels.is_empty()
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

    /// Whether there is room for one more parcel, in an open queue.
    pub fn has_room(&self) -> bool {
        !self.closed && self.parcels.len() < MOST
    }

    /// Adds one of many parcels that go in together.
    pub fn push_first(&mut self, parcel: Parcel) {
        self.head_start += 1;
        self.push(parcel);
    }
}
