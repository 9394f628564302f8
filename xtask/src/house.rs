//! Where things are: the workspace, its target directory, cargo itself.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The target that browsers run.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The target that Spin runs.
pub const SPIN_TARGET: &str = "wasm32-wasip2";

/// Selects every crate that runs on the machine itself: not in browsers, not on Spin.
///
/// Always this same selection, so that cargo unifies features the same way every time and
/// compiles no dependency twice.
pub const NATIVE: [&str; 7] = [
    "--workspace",
    "--exclude",
    "pigeonhub-wasm",
    "--exclude",
    "demo-app",
    "--exclude",
    "pigeonhub-node-spin",
];

/// Selects every crate that runs in browsers only.
pub const BROWSER: [&str; 6] =
    ["--package", "pigeonhub-wasm", "--package", "demo-app", "--target", WASM_TARGET];

/// Selects the crate that runs on Spin only.
pub const SPIN: [&str; 4] = ["--package", "pigeonhub-node-spin", "--target", SPIN_TARGET];

/// The workspace as cargo sees it.
pub struct House {
    /// The directory of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo builds to; follows `CARGO_TARGET_DIR` and cargo's configuration.
    pub target: PathBuf,
    /// `cargo metadata` of the workspace members.
    pub metadata: Value,
    cargo: PathBuf,
}

impl House {
    /// Asks cargo for the workspace that this crate belongs to.
    pub fn find() -> Result<Self> {
        let cargo = env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        // At run time by preference, so that a moved or copied checkout still finds itself.
        let crate_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let output = Command::new(&cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(crate_dir.join("Cargo.toml"))
            .output()
            .context("cannot start cargo")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata has no {key}"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, cargo, metadata })
    }

    /// A cargo command in the root of the workspace.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command(&self.cargo);
        command.arg(subcommand);
        command
    }

    /// Any program, started in the root of the workspace.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root);
        command
    }

    /// The executable that a profile's build leaves; `dev` builds go to `debug`.
    pub fn binary(&self, profile_dir: &str, name: &str) -> PathBuf {
        let name = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.target.join(profile_dir).join(name)
    }
}
