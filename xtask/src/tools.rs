//! Programs from outside: found, installed where that is allowed, or asked for plainly.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::children;
use crate::house::House;
use crate::step::note;

/// A program that a command needs.
pub struct Tool {
    /// Names it goes by, the usual one first.
    pub names: &'static [&'static str],
    /// An environment variable that points to it and goes first.
    pub variable: Option<&'static str>,
    /// What it is needed for, as the end of "needed to …".
    pub purpose: &'static str,
    /// Debian's package.
    pub package: &'static str,
}

impl Tool {
    /// Where it is, if it is anywhere.
    pub fn find(&self) -> Option<PathBuf> {
        self.variable
            .and_then(env::var_os)
            .map(PathBuf::from)
            .filter(|path| path.is_file())
            .or_else(|| self.names.iter().find_map(|name| on_path(name)))
    }

    fn why(&self) -> String {
        let elsewhere = self
            .variable
            .map_or_else(String::new, |variable| format!(" (if it is elsewhere, say where in {variable})"));
        format!("{} is missing; it is needed to {}{elsewhere}", self.names[0], self.purpose)
    }
}

/// What is missing, what for, and the one command that installs it all.
fn missing(absent: &[&Tool]) -> String {
    let why: Vec<_> = absent.iter().map(|tool| tool.why()).collect();
    format!("{}. Install with\n\n    sudo apt-get install {}", why.join(";\n"), packages(absent).join(" "))
}

fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    tools.iter().map(|tool| tool.package).collect()
}

/// Finds every tool; those absent are installed from Debian's packages when this process may.
pub fn ensure_tools(house: &House, tools: &[&Tool]) -> Result<()> {
    let absent = absent(tools);
    if absent.is_empty() {
        return Ok(());
    }
    ensure!(may_install(), missing(&absent));
    for tool in &absent {
        note(&format!("installing {}, needed to {}", tool.package, tool.purpose));
    }
    install(house, &packages(&absent))?;
    let absent = self::absent(tools);
    ensure!(absent.is_empty(), "apt-get succeeded, but {}", missing(&absent));
    Ok(())
}

/// Whether Debian's packages may be installed.
pub fn may_install() -> bool {
    nix::unistd::geteuid().is_root() && on_path("apt-get").is_some()
}

/// Installs Debian's packages.
pub fn install(house: &House, packages: &[&str]) -> Result<()> {
    children::run(house.command("apt-get").args(["update", "--quiet"]))?;
    children::run(
        house
            .command("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn absent<'a>(tools: &[&'a Tool]) -> Vec<&'a Tool> {
    tools.iter().copied().filter(|tool| tool.find().is_none()).collect()
}

/// Adds a compilation target to the toolchain in use.
pub fn ensure_target(house: &House, target: &str, purpose: &str) -> Result<()> {
    let output = house
        .command("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .context("cannot start rustc")?;
    let library = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    let missing = format!(
        "Rust's target {target} is missing; it is needed to {purpose}. Install it with\n\n    \
         rustup target add {target}\n"
    );
    ensure!(on_path("rustup").is_some(), "{missing}");
    note(&format!("adding Rust's target {target}, needed to {purpose}"));
    children::run(house.command("rustup").args(["target", "add", target])).context(missing)
}

/// Adds a component (`clippy`, `rustfmt`) to the toolchain in use; `subcommand` is cargo's name
/// for it.
pub fn ensure_component(house: &House, component: &str, subcommand: &str) -> Result<()> {
    if answers(house.cargo(subcommand).arg("--version")) {
        return Ok(());
    }
    let missing = format!(
        "cargo {subcommand} is missing; it is needed to check the code. Install it with\n\n    \
         rustup component add {component}\n"
    );
    ensure!(on_path("rustup").is_some(), "{missing}");
    note(&format!("adding Rust's component {component}"));
    children::run(house.command("rustup").args(["component", "add", component])).context(missing)
}

/// Whether a command runs and succeeds, printing nothing.
pub fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first file of that name in the directories of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tools_are_named_with_their_reasons_and_one_command() {
        let tool = |name, package| Tool { names: name, variable: None, purpose: "show this", package };
        let (one, two) = (tool(&["no-such-one"], "package-one"), tool(&["no-such-two"], "package-two"));
        let text = missing(&absent(&[&one, &two]));
        for part in
            ["no-such-one is missing", "no-such-two", "to show this", "install package-one package-two"]
        {
            assert!(text.contains(part), "{text}");
        }
    }
}
