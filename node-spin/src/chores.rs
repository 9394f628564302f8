//! Chores: what is to be done now and then, by whichever request comes when it is time.
//!
//! When each is due is kept in the database and read with everything else that is kept there. So a
//! request that comes too early asks for nothing more, and never waits for those who write.

use crate::clock::now;
use crate::host::{Host, StoreError};

/// A chore.
#[derive(Clone, Copy)]
pub enum Chore {
    /// Leases end, mail goes back.
    Sweep,
    /// Other nodes are looked for …
    Look,
    /// … more often as long as none can be reached.
    LookAlone,
    /// Records are compared with another node's.
    Compare,
}

impl Chore {
    /// Under which name it is kept when it is due.
    const fn name(self) -> &'static str {
        match self {
            Self::Sweep => "due sweep",
            Self::Look => "due look",
            Self::LookAlone => "due look alone",
            Self::Compare => "due compare",
        }
    }

    /// Milliseconds from one time to the next.
    const fn pause(self) -> u64 {
        match self {
            Self::Sweep => 1_000,
            Self::LookAlone => 10_000,
            Self::Compare => 60_000,
            Self::Look => 5 * 60_000,
        }
    }
}

impl Host {
    /// Whether the chore is due and this request's to do: of several at the same moment one gets it.
    pub async fn takes(&mut self, chore: Chore) -> Result<bool, StoreError> {
        let (name, pause, now) = (chore.name(), chore.pause(), now());
        let kept = self.kept.get(name);
        let due = kept.and_then(|due| due.parse().ok()).unwrap_or(0);
        // Further away than it can be, it is of before the clock was set back.
        if (now.0 + 1..=now.0 + pause).contains(&due) {
            return Ok(false);
        }
        let before = match kept {
            Some(before) => before.clone(),
            None => self.store.keep_first(name, "0").await?,
        };
        let next = now.plus(pause).0.to_string();
        let is_ours = self.store.keep_instead(name, &before, &next).await?;
        // If it is another's, that one chose about the same time.
        self.kept.insert(name.into(), next);
        Ok(is_ours)
    }
}
