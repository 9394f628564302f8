//! What is due: leases that end, mail that nobody read.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::Event;
use tokio::time::sleep;

use crate::clock::now;
use crate::host::Host;

/// How often networks are looked after.
const TICK: Duration = Duration::from_millis(250);
/// When something is due at once, more of it may be about to be.
const GATHER: Duration = Duration::from_millis(5);

impl Host {
    /// Sweeps until the node stops.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = sleep(TICK) => {}
                () = self.store.hurries() => sleep(GATHER).await,
            }
            if self.is_stopped() {
                return;
            }
            for networks in self.store.due(now()) {
                for network in networks {
                    self.happen(Event::Passed(network));
                    // A thousand networks may be due at once; sockets are served in between.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}
