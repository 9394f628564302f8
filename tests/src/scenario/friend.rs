//! Somebody in a story.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::live::{Ether, LiveClient, View, Wish};
use crate::{PATIENCE, TestNode, eventually};

/// Somebody with a client.
pub(super) struct Friend {
    name: &'static str,
    pub(super) client: LiveClient,
    view: Arc<Mutex<View>>,
}

impl Friend {
    /// Goes on all of these nodes.
    pub(super) async fn join(name: &'static str, nodes: &[&TestNode], ether: &Ether) -> Self {
        let (view, urls) = (Arc::<Mutex<View>>::default(), nodes.iter().map(|node| node.for_clients()));
        let wish = Wish {
            peer: LiveClient::fresh_id(),
            network: "friends",
            name,
            nodes: urls.collect(),
            sessions: nodes.len(),
        };
        let hears = Arc::clone(&view);
        let hear = move |event| hears.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
        let friend = Self { name, client: LiveClient::start(wish, ether, hear), view };
        let what = format!("{name} is on {} nodes", nodes.len());
        friend.until(&what, |view| view.open_nodes() == nodes.len()).await;
        friend
    }

    /// Waits until it knows somebody.
    pub(super) async fn knows(&self, other: &Self) {
        let what = format!("{self} knows {other}");
        self.until(&what, |view| view.whereabouts(other.client.peer).is_some()).await;
    }

    /// Waits until it knows somebody to be at this node.
    pub(super) async fn finds(&self, other: &Self, node: &TestNode) {
        let what = format!("{self} finds {other} at {}", node.id);
        let is_there =
            |view: &View| view.whereabouts(other.client.peer).is_some_and(|at| at.as_str() == node.id);
        self.until(&what, is_there).await;
    }

    /// Waits until it does not know somebody any more.
    pub(super) async fn misses(&self, other: &Self) {
        let what = format!("{self} knows that {other} is gone");
        self.until(&what, |view| view.whereabouts(other.client.peer).is_none()).await;
    }

    /// Calls somebody, and waits until both are connected.
    pub(super) async fn calls(&self, other: &Self) {
        self.client.dial(other.client.peer);
        for (one, two) in [(self, other), (other, self)] {
            let what = format!("{one} is connected to {two}");
            one.until(&what, |view| view.is_connected(two.client.peer)).await;
        }
        for (one, two) in [(self, other), (other, self)] {
            one.view().take_change(two.client.peer);
        }
    }

    /// Hangs up, and waits until both know.
    pub(super) async fn hangs_up(&self, other: &Self) {
        self.client.hang_up(other.client.peer);
        for (one, two) in [(self, other), (other, self)] {
            let what = format!("{one} knows that the call with {two} is over");
            one.until(&what, |view| view.is_over(two.client.peer)).await;
        }
    }

    /// Whether anything happened to the call with somebody since it was connected.
    pub(super) fn is_disturbed(&self, other: &Self) -> bool {
        self.view().take_change(other.client.peer)
    }

    async fn until(&self, what: &str, is_so: impl Fn(&View) -> bool) {
        eventually(what, PATIENCE, async || is_so(&self.view()).then_some(())).await;
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Friend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
