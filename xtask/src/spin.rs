//! The node as a Spin component, and the host that runs it where no Spin is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::children;
use crate::house::{House, NATIVE, SPIN, SPIN_TARGET};
use crate::step::{note, step};
use crate::tools;

/// As `spin.toml` builds it.
const PROFILE: &str = "wasm";

/// Our stand-in for Spin, and the component in a form that it loads at once.
pub struct Spin {
    /// The program `spin-host`.
    pub host: PathBuf,
    /// The component, compiled for this machine.
    pub component: PathBuf,
}

/// Builds the component as people deploy it.
pub fn component(house: &House) -> Result<PathBuf> {
    step("Spin's target", || {
        tools::ensure_target(house, SPIN_TARGET, "compile the serverless node as a component")
    })?;
    step("component: compile to WebAssembly", || {
        children::run(house.cargo("build").args(SPIN).args(["--profile", PROFILE]))
    })?;
    let component = house.target.join(SPIN_TARGET).join(PROFILE).join("pigeonhub_node_spin.wasm");
    note(&format!("the component: {} KiB", fs::metadata(&component)?.len() / 1024));
    Ok(component)
}

/// Builds the component and the host, for speed or for a short wait.
pub fn build(house: &House, release: bool) -> Result<Spin> {
    let component = component(house)?;
    let mut cargo = house.cargo("build");
    cargo.args(["--bin", "spin-host"]);
    let profile_dir = if release {
        cargo.args(["--package", "pigeonhub-spin-host", "--release"]);
        "release"
    } else {
        cargo.args(NATIVE);
        "debug"
    };
    step("build the host for the component", || children::run(&mut cargo))?;
    let host = house.binary(profile_dir, "spin-host");
    let compiled = house.target.join(profile_dir).join("pigeonhub_node_spin.cwasm");
    step("component: compile for this machine", || precompile(house, &host, &component, &compiled))?;
    Ok(Spin { host, component: compiled })
}

/// Unless it would only do again what it did last time.
fn precompile(house: &House, host: &Path, component: &Path, compiled: &Path) -> Result<()> {
    let made_of = format!("{} {}", version(host)?, version(component)?);
    let stamp = compiled.with_extension("cwasm.stamp");
    if compiled.is_file() && fs::read_to_string(&stamp).is_ok_and(|last| last == made_of) {
        note("unchanged");
        return Ok(());
    }
    children::run(house.command(host).arg("--component").arg(component).arg("--precompile").arg(compiled))?;
    fs::write(stamp, made_of)?;
    Ok(())
}

fn version(file: &Path) -> Result<String> {
    let metadata = fs::metadata(file).with_context(|| format!("cargo left no {}", file.display()))?;
    Ok(format!("{} {:?}", metadata.len(), metadata.modified()?.duration_since(UNIX_EPOCH)?))
}
