//! libtorrent for Python: the DHT that is not ours, for the tests of the one that is.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::house::House;
use crate::step::note;
use crate::tools::{answers, install, may_install, on_path};

/// Debian's package. It is for Debian's own Python, whichever else comes first.
const PACKAGE: &str = "python3-libtorrent";
const DEBIAN: &str = "/usr/bin/python3";
/// Names another Python that has it.
const VARIABLE: &str = "PIGEONHUB_LIBTORRENT";

/// A Python that has libtorrent; installs it where that is allowed.
pub fn python(house: &House) -> Result<PathBuf> {
    if let Some(python) = find(house) {
        return Ok(python);
    }
    let missing = format!(
        "libtorrent for Python is missing; it is needed to test the DHT against one that is not ours (if it \
         is elsewhere, say which Python in {VARIABLE}). Install with\n\n    sudo apt-get install {PACKAGE}"
    );
    ensure!(may_install(), missing);
    note(&format!("installing {PACKAGE}, needed to test the DHT against one that is not ours"));
    install(house, &[PACKAGE])?;
    find(house).with_context(|| format!("apt-get succeeded, but {missing}"))
}

fn find(house: &House) -> Option<PathBuf> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let candidates = named.into_iter().chain([PathBuf::from(DEBIAN)]).chain(on_path("python3"));
    candidates.into_iter().find(|python| answers(house.command(python).args(["-c", "import libtorrent"])))
}
