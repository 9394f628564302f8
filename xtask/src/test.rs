//! `cargo xtask test`: every test there is, with all that they need.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::house::{House, NATIVE};
use crate::step::{note, step};
use crate::{browser, check, children, node, npm, spin, tools, torrent, typescript, wasm};

/// Test everything: checks, unit, simulation, conformance and browser tests, documentation, types.
///
/// Installs Chromium, ChromeDriver, libtorrent and npm packages where they are missing and it may.
/// `cargo nextest` runs the tests when it is installed, `cargo test` otherwise.
#[derive(Args)]
pub struct Options {
    /// Only the tests whose name contains this; with nextest also a filterset such as
    /// `binary(conformance)`. Leaves out checks, documentation and types
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Leave out the tests with `browser` in the name of their file or function
    #[arg(long)]
    no_browser: bool,
    /// How many seeds each simulation runs
    #[arg(long, value_name = "COUNT")]
    seeds: Option<u32>,
}

impl Options {
    /// Nothing left out.
    pub const EVERYTHING: Self = Self { filter: None, no_browser: false, seeds: None };
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    let everything = options.filter.is_none();
    if everything {
        check::run(house, &check::Options {})?;
    }
    let environment = prepare(house, options)?;
    step("tests", || {
        let mut tests = tests(house, options)?;
        children::run(tests.envs(environment.iter().map(|(name, value)| (name, value))))
    })?;
    if everything {
        step("examples in the documentation", || {
            children::run(house.cargo("test").arg("--doc").args(NATIVE))
        })?;
        step("types of the package", || typescript::check(house))?;
    }
    Ok(())
}

/// Builds and installs what the tests use and returns the environment that tells them of it.
fn prepare(house: &House, options: &Options) -> Result<Vec<(&'static str, String)>> {
    let mut environment = if options.no_browser {
        vec![("PIGEONHUB_NO_BROWSER", "1".to_owned())]
    } else {
        step("Chromium", || browser::environment(house))?
    };
    let python = step("libtorrent", || torrent::python(house))?;
    step("npm packages", || npm::install(house))?;
    wasm::build(house)?;
    let binary = node::build(house, false)?;
    let (spin_host, spin_component) = spin::build(house, false)?;
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    environment.push(("PIGEONHUB_LIBTORRENT", text(&python)));
    environment.push(("PIGEONHUB_BIN", text(&binary)));
    environment.push(("PIGEONHUB_SPIN_HOST", text(&spin_host)));
    environment.push(("PIGEONHUB_SPIN_COMPONENT", text(&spin_component)));
    environment.push(("PIGEONHUB_NODE_MODULES", text(&npm::dir(house).join("node_modules"))));
    if let Some(seeds) = options.seeds {
        environment.push(("PIGEONHUB_SEEDS", seeds.to_string()));
    }
    Ok(environment)
}

fn tests(house: &House, options: &Options) -> Result<Command> {
    if tools::answers(house.cargo("nextest").arg("--version")) {
        return Ok(nextest(house, options));
    }
    note("cargo-nextest is not installed: cargo test runs the tests, one file after another");
    ensure!(
        !options.filter.as_deref().is_some_and(is_filterset),
        "cargo-nextest is missing; it is needed for a filterset. Install it with\n\n    \
         cargo install --locked cargo-nextest\n"
    );
    let mut tests = house.cargo("test");
    tests.args(["--tests", "--no-fail-fast"]).args(NATIVE).arg("--").args(options.filter.as_deref());
    if options.no_browser {
        tests.args(["--skip", "browser"]);
    }
    Ok(tests)
}

fn nextest(house: &House, options: &Options) -> Command {
    let mut conditions = Vec::new();
    match options.filter.as_deref() {
        Some(filter) if is_filterset(filter) => conditions.push(format!("({filter})")),
        Some(name) => conditions.push(format!("test(~{name})")),
        None => {}
    }
    if options.no_browser {
        conditions.push("not (binary(~browser) or test(~browser))".to_owned());
    }
    let mut tests = house.cargo("nextest");
    tests.args(["run", "--no-fail-fast"]).args(NATIVE);
    if !conditions.is_empty() {
        tests.args(["--filterset", &conditions.join(" and ")]);
    }
    tests
}

/// An expression in nextest's language, not just a part of a name.
fn is_filterset(filter: &str) -> bool {
    filter.contains('(')
}
