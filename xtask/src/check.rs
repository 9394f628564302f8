//! `cargo xtask check`: all that a machine can say about the code without running it.

mod modules;
mod tidy;
mod walls;

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::house::{BROWSER, House, NATIVE, SPIN, SPIN_TARGET, WASM_TARGET};
use crate::step::step;
use crate::{children, tools};

/// A target without a standard library: what compiles for it uses none.
const NO_STD_TARGET: &str = "wasm32v1-none";

/// Check house rules, dependency walls, format, lints and documentation.
#[derive(Args)]
pub struct Options {}

pub fn run(house: &House, _: &Options) -> Result<()> {
    step("house rules", || none(&tidy::faults(house)?))?;
    step("every file is a module", || none(&modules::faults(house)?))?;
    step("dependency walls", || none(&walls::faults(house)?))?;
    step("format", || {
        tools::ensure_component(house, "rustfmt", "fmt")?;
        children::run(house.cargo("fmt").args(["--all", "--check"]))
    })?;
    step("no standard library in the cores", || {
        tools::ensure_target(house, NO_STD_TARGET, "prove that the cores need no standard library")?;
        let mut cargo = house.cargo("check");
        for core in walls::NO_STD {
            cargo.args(["--package", core]);
        }
        children::run(cargo.args(["--target", NO_STD_TARGET]))
    })?;
    step("lints", || {
        tools::ensure_component(house, "clippy", "clippy")?;
        lint(house.cargo("clippy").args(NATIVE))
    })?;
    step("lints for browsers", || {
        tools::ensure_target(house, WASM_TARGET, "compile the client and the demo for browsers")?;
        lint(house.cargo("clippy").args(BROWSER))
    })?;
    step("lints for Spin", || {
        tools::ensure_target(house, SPIN_TARGET, "compile the serverless node")?;
        lint(house.cargo("clippy").args(SPIN))
    })?;
    step("documentation", || document(house.cargo("doc").args(NATIVE)))?;
    step("documentation for browsers", || document(house.cargo("doc").args(BROWSER)))
}

fn lint(cargo: &mut Command) -> Result<()> {
    children::run(cargo.args(["--all-targets", "--", "--deny", "warnings"]))
}

fn document(cargo: &mut Command) -> Result<()> {
    children::run(cargo.arg("--no-deps").env("RUSTDOCFLAGS", "--deny warnings"))
}

fn none(faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    bail!("\n    {}", faults.join("\n    "))
}
