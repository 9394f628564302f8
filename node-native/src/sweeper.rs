//! What is due: leases that end, mail that nobody read, paces of who has been quiet.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::Event;

use crate::clock::now;
use crate::host::Host;

/// How often networks are looked after.
const TICK: Duration = Duration::from_millis(250);

impl Host {
    /// Sweeps until the node stops.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            if self.is_stopped() {
                return;
            }
            self.paces.forget(now());
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
