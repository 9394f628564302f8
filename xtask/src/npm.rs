//! npm packages that tests need, in a directory of their own under the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::house::House;
use crate::step::note;
use crate::tools::Tool;
use crate::{children, sync, tools};

const NODE: Tool = Tool {
    names: &["node"],
    variable: None,
    purpose: "run the JavaScript that tests compare with",
    package: "nodejs",
};

const NPM: Tool = Tool {
    names: &["npm"],
    variable: None,
    purpose: "fetch the npm packages that tests need",
    package: "npm",
};

/// Where they are installed; a cache that survives from run to run.
pub fn dir(house: &House) -> PathBuf {
    house.target.join("npm")
}

/// Installs what `tests/package.json` names, if it is there and not installed already, and
/// links our own package beside it, as somebody who uses it would have it.
pub fn install(house: &House) -> Result<()> {
    let wanted = house.root.join("tests/package.json");
    if !wanted.is_file() {
        note("tests/package.json is not there: nothing to install");
        return Ok(());
    }
    let lock = wanted.with_file_name("package-lock.json");
    let dir = dir(house);
    let stamp = dir.join("installed");
    let state = fs::read_to_string(&wanted)? + &fs::read_to_string(&lock).unwrap_or_default();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == state) {
        note("unchanged");
        return link_own(house);
    }
    tools::ensure_tools(house, &[&NODE, &NPM])?;
    sync::copy_file(&wanted, &dir.join("package.json"))?;
    let how = if lock.is_file() {
        sync::copy_file(&lock, &dir.join("package-lock.json"))?;
        "ci"
    } else {
        "install"
    };
    // Install scripts run as us, and the one of PeerPigeon's WebRTC for Node.js compiles for minutes,
    // if it can, what no browser needs.
    let arguments = [how, "--ignore-scripts", "--no-audit", "--no-fund"];
    children::run(house.command("npm").current_dir(&dir).args(arguments))?;
    fs::write(stamp, state)?;
    link_own(house)
}

fn link_own(house: &House) -> Result<()> {
    let package = house.root.join("pkg");
    let Ok(manifest) = fs::read_to_string(package.join("package.json")) else {
        note("pkg/package.json is not there: our own package is not linked");
        return Ok(());
    };
    let manifest: Value = serde_json::from_str(&manifest).context("pkg/package.json")?;
    let name = manifest["name"].as_str().context("pkg/package.json has no name")?;
    link(&package, &dir(house).join("node_modules").join(name))
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if fs::read_link(at).is_ok_and(|target| target == to) {
        return Ok(());
    }
    if let Some(dir) = at.parent() {
        fs::create_dir_all(dir)?;
    }
    if at.is_symlink() {
        fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {}", at.display()))
}
