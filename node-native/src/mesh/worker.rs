//! The worker of a link: takes what waits, brings it, and settles how it ended.

use std::sync::Arc;

use bytes::Bytes;
use pigeonhub_node_core::{Answer, Errand};

use super::link::Link;
use super::{Batch, Parcel};
use crate::Error;
use crate::clock::now;
use crate::host::Host;

impl Host {
    /// Works until the link is closed. One request at a time, so everything stays in order.
    pub(super) async fn work(self: Arc<Self>, link: Arc<Link>) {
        while let Some(batch) = link.queue.next().await {
            let answer = self.bring(&link, &batch).await;
            if let Err(error) = &answer {
                tracing::debug!(node = %link.node, path = batch.path, %error, "not brought");
                self.doubt(&link, &batch, error);
            }
            let errands = self.settle(&link, batch, answer.ok().as_deref());
            self.carry_out(errands);
        }
    }

    /// Brings a batch; news are brought twice if need be, since saying them again changes nothing.
    async fn bring(&self, link: &Link, batch: &Batch) -> Result<Vec<u8>, Error> {
        let body = Bytes::from(batch.body());
        let post = || self.post_to(&link.node, batch.path, body.clone());
        match post().await {
            Err(Error::Unreachable(_)) if batch.is_news() => post().await,
            answer => answer,
        }
    }

    /// A node that did not take a batch may be down, or may have forgotten us.
    fn doubt(self: &Arc<Self>, link: &Link, batch: &Batch, error: &Error) {
        let unreachable = matches!(error, Error::Unreachable(_));
        if error.is_unauthorized() || (unreachable && batch.is_news()) {
            self.link_lost(link);
        } else if unreachable {
            self.mesh.membership().silent(&link.node, now());
        } else {
            tracing::warn!(node = %link.node, path = batch.path, %error, "node refuses");
        }
    }

    /// Each signal of the batch has an answer now: it goes on, or is over.
    fn settle(self: &Arc<Self>, link: &Link, batch: Batch, body: Option<&[u8]>) -> Vec<Errand> {
        let mut errands = Vec::new();
        for (parcel, answer) in batch.parcels.into_iter().zip(Answer::each(body)) {
            if let Parcel::Signal(journey) = parcel {
                errands.append(&mut self.go(journey.answered(&link.node, &answer)));
            }
        }
        errands
    }
}
