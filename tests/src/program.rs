//! Which program a node is, and how it is told what it is to be.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::{node_binary, repository, spin_component, spin_host};

/// The program of a node.
#[derive(Clone)]
pub enum Program {
    /// The native node.
    Native,
    /// The serverless node on our stand-in for Spin; its database is in a folder of its own.
    Spin(Arc<TempDir>),
}

impl Program {
    /// The serverless node, with an empty database.
    #[must_use]
    pub fn spin() -> Self {
        Self::Spin(Arc::new(tempfile::tempdir().expect("a folder for the database")))
    }

    /// The command that runs it at this address and port, by this name, with these nodes to meet
    /// first.
    #[must_use]
    pub fn command(&self, host: &str, port: u16, id: &str, bootstrap: &str) -> Command {
        match self {
            Self::Native => {
                let mut command = Command::new(node_binary());
                command.args(["--host", host, "--port", &port.to_string(), "--node-id", id]);
                command.args(["--log", "info,pigeonhub=debug"]);
                if !bootstrap.is_empty() {
                    command.args(["--bootstrap-peers", bootstrap]);
                }
                command
            }
            Self::Spin(folder) => {
                let mut command = Command::new(spin_host());
                command.arg("--component").arg(spin_component());
                command.args(["--listen", &format!("{host}:{port}")]);
                command.arg("--data-dir").arg(folder.path());
                command.arg("--files").arg(format!("{}=/pkg", repository().join("pkg").display()));
                command.args(["--allowed-outbound-host", "http://*:*"]);
                command.args(["--variable", &format!("node_id={id}")]);
                command.args(["--variable", &format!("bootstrap_peers={bootstrap}")]);
                command
            }
        }
    }

    /// An option of the node, as this program wants it: `("node-key", "…")`.
    #[must_use]
    pub fn option(&self, name: &str, value: &str) -> [String; 2] {
        match self {
            Self::Native => [format!("--{name}"), value.into()],
            Self::Spin(_) => ["--variable".into(), format!("{}={value}", name.replace('-', "_"))],
        }
    }

    /// The file of its database, if it has one.
    #[must_use]
    pub fn database(&self) -> Option<impl AsRef<Path> + use<>> {
        match self {
            Self::Native => None,
            Self::Spin(folder) => Some(folder.path().join("default.db")),
        }
    }
}
