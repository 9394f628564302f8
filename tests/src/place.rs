//! Where a node runs: on this machine's own loopback, or in a room of its own.

use std::io;
use std::process::{Child, Command};

#[cfg(target_os = "linux")]
use crate::wires::Room;

/// Where a node runs.
#[derive(Clone)]
pub enum Place {
    /// Beside everything else on this machine.
    Loopback,
    /// On a machine of its own, as far as the network is concerned.
    #[cfg(target_os = "linux")]
    Room(Room),
}

impl Place {
    /// The address that a node has there.
    #[must_use]
    pub fn host(&self) -> String {
        match self {
            Self::Loopback => "127.0.0.1".into(),
            #[cfg(target_os = "linux")]
            Self::Room(room) => room.host(),
        }
    }

    /// Starts a process there.
    pub(crate) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        match self {
            Self::Loopback => command.spawn(),
            #[cfg(target_os = "linux")]
            Self::Room(room) => room.spawn(command),
        }
    }
}
