//! The nodes of the same app: found in the DHT, asked what they are, and then like any that were found.
//!
//! What is in the DHT is a reason to ask and no more: a node is used if the document at its address is
//! of this app and names nodes by descriptors that they signed.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use pigeonhub_bootstrap::{CHECK, DOCUMENTS, Found, Refusal, Source, Trust, pause, read_document, read_txt};
use pigeonhub_node_core::Standing;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{sleep, timeout};

use super::board::{Board, Notes, Worth, choose};
use super::{Joined, places};
use crate::clock::{now, wall};
use crate::host::Host;

/// Nodes that are asked in one round, …
const MOST: usize = 16;
/// … so many at the same time, …
const AT_A_TIME: usize = 4;
/// … and how long each has.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often this node announces itself: others forget it after half an hour.
const ANNOUNCE: u64 = 20 * 60 * 1000;

impl Host {
    /// Looks for other nodes and says where this one is.
    pub(super) async fn keep_dht_nodes(&self, joined: &Joined) {
        let board = Board::of_app(&self.app);
        let name = places::of_app(&self.app);
        let (mut round, mut announced) = (0, None);
        loop {
            let (notes, mut urls) = tokio::join!(
                self.dht.read(joined, &board),
                places::find(&joined.dht, &name, joined.is_local)
            );
            urls.extend(self.urls(&notes, joined.is_local));
            self.ask_nodes(urls, joined.is_local).await;
            if self.dht.is_ready() {
                self.post_own(joined, &board, &notes).await;
                if announced.is_none_or(|at| now().since(at) >= ANNOUNCE) {
                    match places::announce(&joined.dht, &name, self.port).await {
                        Ok(()) => announced = Some(now()),
                        Err(error) => tracing::debug!(error, "this node is not announced"),
                    }
                }
            }
            let is_alone = self.mesh.up().is_empty();
            let rest = pause(is_alone, round, self.clock.dice());
            round = if is_alone { round + 1 } else { 0 };
            sleep(Duration::from_millis(rest.min(CHECK))).await;
        }
    }

    /// The URLs of nodes in the notes of a board.
    pub(super) fn urls(&self, notes: &Notes, is_local: bool) -> Vec<String> {
        notes.iter().flatten().filter_map(|note| self.signed_url(&note.text, is_local)).collect()
    }

    /// The URL in a note that is the signed descriptor of a node.
    pub(super) fn signed_url(&self, note: &[u8], is_local: bool) -> Option<String> {
        let found = read_txt(std::str::from_utf8(note).ok()?, &self.check(is_local));
        let (descriptor, trust) = found.peers.into_iter().next()?;
        (trust != Trust::Discovered).then(|| descriptor.address())
    }

    async fn ask_nodes(&self, urls: Vec<String>, is_local: bool) {
        let mut urls: Vec<String> = {
            let membership = self.mesh.membership();
            let is_known = |url: &String| {
                let is_up =
                    membership.at(url).is_some_and(|contact| matches!(contact.standing, Standing::Up));
                is_up || *url == membership.own().http_url()
            };
            let unknown: BTreeSet<String> = urls.into_iter().filter(|url| !is_known(url)).collect();
            unknown.into_iter().collect()
        };
        // Whoever fills the DHT with addresses does not choose which of them are asked.
        let first = usize::try_from(self.clock.dice()).unwrap_or_default() % urls.len().max(1);
        urls.rotate_left(first);
        urls.truncate(MOST);
        let ask = |url: String| async move { self.ask_node(&url, is_local).await };
        stream::iter(urls).for_each_concurrent(AT_A_TIME, ask).await;
    }

    async fn ask_node(&self, url: &str, is_local: bool) {
        let path = DOCUMENTS[0];
        let body = match timeout(PATIENCE, self.mesh.courier.get(url, path)).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return tracing::debug!(url, %error, "who is in the DHT is no node"),
            Err(_) => return tracing::debug!(url, "who is in the DHT does not answer in time"),
        };
        let found = read_document(&String::from_utf8_lossy(&body), &self.check(is_local));
        let (signed, unsigned): (Vec<_>, Vec<_>) =
            found.peers.into_iter().partition(|(_, trust)| *trust != Trust::Discovered);
        // Nodes sign; who leaves it out here may be anybody.
        let refused = found.refused.into_iter().chain(unsigned.iter().map(|_| Refusal::Forged)).collect();
        self.take(Source::Dht, url, Found { peers: signed, refused }).await;
    }

    /// Puts the own descriptor on the board, unless it is there.
    async fn post_own(&self, joined: &Joined, board: &Board, notes: &Notes) {
        let text = self.own_note();
        let worth = |note: &[u8]| match self.signed_url(note, joined.is_local) {
            None => Worth::Junk,
            Some(_) if note == text => Worth::Same,
            Some(_) if self.is_own(note) => Worth::Own,
            Some(_) => Worth::Good,
        };
        let Some(slot) = choose(notes, worth, self.home(), wall()) else { return };
        if let Err(error) = board.write(&joined.dht, slot, &text).await {
            tracing::debug!(error, "this node is not on the board");
        }
    }

    /// The own descriptor, as it is given out.
    pub(super) fn own_note(&self) -> Vec<u8> {
        serde_json::to_vec(self.mesh.membership().own()).unwrap_or_default()
    }

    /// Whether a note is a descriptor of this node.
    pub(super) fn is_own(&self, note: &[u8]) -> bool {
        let note: Value = serde_json::from_slice(note).unwrap_or_default();
        note["publicKey"] == self.mesh.courier.public_key()
    }

    /// Where on a board this node looks for room first.
    pub(super) fn home(&self) -> u8 {
        Sha256::digest(self.mesh.courier.public_key())[0]
    }
}
