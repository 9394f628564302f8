//! What can go wrong in a node.

use std::io;
use std::net::SocketAddr;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}{}", hint(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system does not say at which address the node listens.
    #[error("cannot tell the address")]
    Local(#[source] io::Error),
    /// The host name of the configuration has no address.
    #[error("cannot find the address of {host}")]
    Host {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// An option of the configuration is not valid.
    #[error("{option}: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// Why.
        reason: String,
    },
    /// The system has no randomness.
    #[error("the system gives no randomness")]
    Randomness(#[source] getrandom::Error),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Another node did not answer.
    #[error("{0}")]
    Unreachable(String),
    /// Another node answered with a refusal.
    #[error("refused with {status}: {body}")]
    Refused {
        /// The status code.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// Another node answered what no node answers.
    #[error("not an answer of a node: {0}")]
    Malformed(serde_json::Error),
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => " (is a node running there already? --port 0 takes a free port)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 usually need a privilege)",
        _ => "",
    }
}

impl Error {
    /// The other node answered, and does not know this one (any more).
    #[must_use]
    pub const fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }
}
