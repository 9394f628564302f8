//! Pages that are frozen, and the lid of a laptop: closed, no process of the browser runs either.

use std::collections::HashMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::Browser;

/// A lid that is closed. Dropped, it is open again as far as the processes are concerned.
pub struct Lid<'a> {
    browser: &'a Browser,
    stopped: Vec<Pid>,
}

impl Browser {
    /// Freezes the page, as browsers do with one that is in the background for long.
    pub async fn freeze(&self) {
        self.set_lifecycle("frozen").await;
    }

    /// The page runs again.
    pub async fn thaw(&self) {
        self.set_lifecycle("active").await;
    }

    /// Closes the lid.
    pub async fn close_lid(&self) -> Lid<'_> {
        self.freeze().await;
        let stopped = family(self.id);
        for id in &stopped {
            // One that has just ended needs no stopping.
            let _ = kill(*id, Signal::SIGSTOP);
        }
        Lid { browser: self, stopped }
    }

    async fn set_lifecycle(&self, state: &str) {
        self.devtools("Page.setWebLifecycleState", json!({"state": state})).await;
    }
}

impl Lid<'_> {
    /// Opens it.
    pub async fn open(self) {
        let browser = self.browser;
        drop(self);
        browser.thaw().await;
    }
}

impl Drop for Lid<'_> {
    fn drop(&mut self) {
        for id in &self.stopped {
            let _ = kill(*id, Signal::SIGCONT);
        }
    }
}

/// A process and all that it started, and they.
fn family(first: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name, in brackets, may contain anything; its state and its parent follow.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(id);
    }
    let mut family = vec![first.as_raw()];
    let mut next = 0;
    while let Some(id) = family.get(next) {
        family.extend(children.get(id).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    family.into_iter().map(Pid::from_raw).collect()
}
