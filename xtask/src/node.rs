//! `cargo xtask node`: one node, built and run with the arguments given.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::children;
use crate::house::{House, NATIVE};
use crate::step::{note, step};

/// Build and run one node.
#[derive(Args)]
pub struct Options {
    /// Arguments for the node; `cargo xtask node -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    if !house.root.join("demo-app/dist/index.html").is_file() {
        note("the node comes without the demo page: `cargo xtask build` makes it");
    }
    let binary = build(house, false)?;
    let ended = children::run(house.command(binary).args(&options.arguments));
    // Ctrl-C is how one stops a node.
    if children::stopping() { Ok(()) } else { ended }
}

/// Builds the node, for speed or for a short wait, and says where it is.
pub fn build(house: &House, release: bool) -> Result<PathBuf> {
    step("build the node", || program(house, "pigeonhub", "pigeonhub", release))
}

/// Builds a program of ours, for speed or for a short wait, and says where it is.
pub fn program(house: &House, package: &str, name: &str, release: bool) -> Result<PathBuf> {
    let mut cargo = house.cargo("build");
    cargo.args(["--bin", name]);
    let profile_dir = if release {
        // By itself, with exactly the features that it asks for: this is what people run.
        cargo.args(["--package", package, "--release"]);
        "release"
    } else {
        cargo.args(NATIVE);
        "debug"
    };
    children::run(&mut cargo)?;
    Ok(house.binary(profile_dir, name))
}
