//! The node as a Spin component, and the host that runs it where no Spin is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use clap::Args;

use crate::children;
use crate::house::{House, SPIN, SPIN_TARGET};
use crate::step::{note, step};
use crate::{node, tools, wasm};

/// As `spin.toml` expects it.
const PROFILE: &str = "wasm";

/// Build the node as a Spin component, and the demo page and the npm package that it serves.
///
/// `spin build` calls this.
#[derive(Args)]
pub struct Options {}

pub fn run(house: &House, _: &Options) -> Result<()> {
    wasm::build(house)?;
    component(house).map(drop)
}

/// What runs the component.
pub enum Spin {
    /// Fermyon Spin itself.
    Real(PathBuf),
    /// Our stand-in for it.
    StandIn {
        /// The program `spin-host`.
        host: PathBuf,
        /// The component, compiled for this machine, so that it is loaded at once.
        component: PathBuf,
    },
}

impl Spin {
    /// Spin if it is installed, else our stand-in; and the component for it.
    pub fn find(house: &House, release: bool) -> Result<Self> {
        match tools::on_path("spin") {
            Some(spin) => component(house).map(|_| Self::Real(spin)),
            None => build(house, release).map(|(host, component)| Self::StandIn { host, component }),
        }
    }

    /// What it is, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Real(_) => "on Spin",
            Self::StandIn { .. } => "on our stand-in for Spin, which is not installed",
        }
    }

    /// The command that runs a node.
    pub fn command(&self, house: &House, port: u16, variables: &[(&str, &str)]) -> Command {
        let mut command = match self {
            Self::Real(spin) => {
                let mut command = house.command(spin);
                command.args(["up", "--from", "spin.toml"]);
                command
            }
            Self::StandIn { host, component } => {
                let mut command = house.command(host);
                command.arg("--component").arg(component);
                command.args(["--files", "demo-app/dist=/demo", "--files", "pkg=/pkg"]);
                command.args(["--allowed-outbound-host", "http://*:*"]);
                command
            }
        };
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        command
    }
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

/// Builds our stand-in, for speed or for a short wait, and the component for it: where both are.
pub fn build(house: &House, release: bool) -> Result<(PathBuf, PathBuf)> {
    let component = component(house)?;
    let host = step("build the host for the component", || {
        node::program(house, "pigeonhub-spin-host", "spin-host", release)
    })?;
    let compiled = host.with_file_name("pigeonhub_node_spin.cwasm");
    step("component: compile for this machine", || precompile(house, &host, &component, &compiled))?;
    Ok((host, compiled))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names that stand left of `=` in a section.
    fn names(manifest: &str, section: &str) -> BTreeSet<String> {
        let lines = manifest.lines().skip_while(|line| *line != section).skip(1);
        let lines = lines.take_while(|line| !line.starts_with('['));
        lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
    }

    #[test]
    fn manifest_and_template_have_the_variables_that_the_node_reads() {
        let settings = include_str!("../../node-spin/src/settings.rs");
        let read = |function: &str| {
            let calls = settings.split(function).skip(1);
            calls.filter_map(|call| Some(call.split_once('"')?.0.to_owned())).collect::<Vec<_>>()
        };
        let read: BTreeSet<_> = ["text(\"", "number(\"", "list(\""].into_iter().flat_map(read).collect();
        assert!(read.len() > 8, "{read:?}");
        let manifest = include_str!("../../spin.toml");
        let template = include_str!("../../templates/pigeonhub-node/content/spin.toml");
        for section in ["[variables]", "[component.node.variables]"] {
            assert_eq!(names(manifest, section), read, "{section}");
            assert_eq!(names(template, section), read, "{section} of the template");
        }
    }
}
