//! Where things are: `cargo xtask test` builds and installs them, and says so in the environment.

use std::env;
use std::path::{Path, PathBuf};

fn path(variable: &str, what: &str) -> PathBuf {
    let Some(value) = env::var_os(variable) else {
        panic!("{variable} is not set: it names {what}. Run these tests with `cargo xtask test`.");
    };
    let path = PathBuf::from(value);
    assert!(
        path.exists(),
        "{variable} names {}, which is not there. Run these tests with `cargo xtask test`.",
        path.display()
    );
    path
}

/// The node's binary.
#[must_use]
pub fn node_binary() -> PathBuf {
    path("PIGEONHUB_BIN", "the binary of the node")
}

/// The program that runs the node as a Spin component.
#[must_use]
pub fn spin_host() -> PathBuf {
    path("PIGEONHUB_SPIN_HOST", "the host of the serverless node")
}

/// The node as a Spin component, compiled for this machine.
#[must_use]
pub fn spin_component() -> PathBuf {
    path("PIGEONHUB_SPIN_COMPONENT", "the serverless node")
}

/// Chromium.
#[must_use]
pub fn chrome() -> PathBuf {
    path("CHROME", "the browser for tests in real pages")
}

/// Chromium's driver.
#[must_use]
pub fn chromedriver() -> PathBuf {
    path("CHROMEDRIVER", "the driver of the browser")
}

/// A Python that has libtorrent.
#[must_use]
pub fn libtorrent() -> PathBuf {
    path("PIGEONHUB_LIBTORRENT", "a Python with libtorrent, the DHT that is not ours")
}

/// Installed npm packages: the PeerPigeon client, and our own package.
#[must_use]
pub fn node_modules() -> PathBuf {
    path("PIGEONHUB_NODE_MODULES", "the directory of the installed npm packages")
}

/// The root of this repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
