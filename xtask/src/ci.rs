//! `cargo xtask ci`: the tests as a build server wants them.

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::house::House;
use crate::step::{step, table};
use crate::test;

/// Test everything, print the time of each step, and fail if that changed the work tree.
#[derive(Args)]
pub struct Options {}

pub fn run(house: &House, _: &Options) -> Result<()> {
    let before = changes(house)?;
    let tested = test::run(house, &test::Options::EVERYTHING).and_then(|()| {
        step("work tree unchanged", || {
            let after = changes(house)?;
            // An outdated lock file, or something built that git does not ignore.
            ensure!(before == after, "git status was\n{before}\nand is now\n{after}");
            Ok(())
        })
    });
    table();
    tested
}

fn changes(house: &House) -> Result<String> {
    let output = house
        .command("git")
        .args(["status", "--porcelain"])
        .output()
        .context("git is missing; it is needed to see whether the work tree changed")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
