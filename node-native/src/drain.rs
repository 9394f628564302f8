//! Going: a node that is told to end hands on what it has before it does.
//!
//! 1. It takes nobody in: sockets are closed with 1012, requests are answered 503, both with a hint
//!    where else to go; `GET /health` says `draining`. Nor does it take signals of other nodes: they find
//!    another home of the target, or wait where they are until it turns up.
//! 2. Peers get what waits for them, and what they said before they heard of it is still heard. Then
//!    they are away: the others hear of it only if they do not turn up elsewhere.
//! 3. Signals that wait follow their targets to where they turn up.
//! 4. What is left when the time is over goes back to its senders, and the other nodes are told.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::{Caller, Event};
use pigeonhub_protocol::mesh::Departure;
use pigeonhub_protocol::{Close, Moment};
use tokio::time::{sleep, timeout};

use crate::host::{Host, Stage};

/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(10);
/// What is kept of the time for what goes back, at most.
const RETURNS: Duration = Duration::from_millis(500);

impl Host {
    /// Hands on what there is, within this time, and leaves the mesh.
    pub(crate) async fn drain(self: &Arc<Self>, limit: Duration) {
        self.stage.send_replace(Stage::Draining);
        self.sessions.close_all(Close::RESTART);
        let returns = RETURNS.min(limit / 4);
        let hand_on = async {
            done(|| self.sessions.count() == 0).await;
            self.end_visits();
            done(|| !self.store.has_mail() && self.mesh.is_idle()).await;
        };
        if timeout(limit - returns, hand_on).await.is_err() {
            tracing::info!("some of what waited goes back to its senders");
            self.end_visits();
            self.return_mail();
            // Whatever is not brought by then is lost with the node.
            let _ = timeout(returns, done(|| self.mesh.is_idle())).await;
        }
        self.leave_mesh().await;
    }

    /// Why a socket is closed, for people; and where else to go, if the node goes.
    pub(crate) fn reason(&self, close: Close) -> String {
        if close != Close::RESTART {
            return close.reason.into();
        }
        let mut urls: Vec<String> = self.mesh.membership().direct().map(|node| node.u.clone()).collect();
        // Not all to the same one.
        let first = usize::try_from(self.clock.dice()).unwrap_or_default() % urls.len().max(1);
        urls.rotate_left(first);
        Close::restart_hinting(urls.iter().map(String::as_str))
    }

    /// Peers that come over plain HTTP have no socket that could end.
    fn end_visits(self: &Arc<Self>) {
        for presence in self.store.here().flatten() {
            if let pigeonhub_node_core::Home::Here(session) = presence.home {
                let network = Some(presence.network.clone());
                let caller = Caller { peer: presence.peer, session, network };
                self.happen(Event::Gone(caller, Departure::Lost));
            }
        }
    }

    /// Nothing waits any longer.
    fn return_mail(self: &Arc<Self>) {
        let Moment { now, seed } = self.clock.moment();
        let at = Moment { now: now.plus(2 * self.node.settings.hold), seed };
        for network in self.store.networks().flatten() {
            let errands = self.step(Event::Passed(network), at).errands;
            self.carry_out(errands);
        }
    }
}

async fn done(is_done: impl Fn() -> bool) {
    while !is_done() {
        sleep(LOOK).await;
    }
}
