//! The package's hand-written types, checked as somebody who uses the package would.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::house::House;
use crate::step::note;
use crate::{children, npm, sync};

/// Checks `tests/typescript/*.ts` with `tsc --strict`.
///
/// The files are copied beside `node_modules`, so that imports resolve through the `exports`
/// of the package and not through a path that only this repository has.
pub fn check(house: &House) -> Result<()> {
    let sources = house.root.join("tests/typescript");
    if !sources.is_dir() {
        note("tests/typescript is not there: nothing to check");
        return Ok(());
    }
    let compiler = npm::dir(house).join("node_modules/.bin/tsc");
    ensure!(
        compiler.is_file(),
        "tsc is missing; it is needed to check the types of the package. \
         Name `typescript` in tests/package.json and `cargo xtask test` installs it"
    );
    let project = npm::dir(house).join("typescript");
    sync::mirror(&sources, &project)?;

    let mut tsc = house.command(compiler);
    if project.join("tsconfig.json").is_file() {
        tsc.arg("--project").arg(&project);
    } else {
        tsc.args(["--target", "es2022", "--lib", "es2022,dom,dom.iterable"])
            .args(["--module", "nodenext"])
            .args(scripts(&project)?);
    }
    children::run(tsc.current_dir(&project).args(["--strict", "--noEmit"]))
}

fn scripts(project: &std::path::Path) -> Result<Vec<PathBuf>> {
    let mut files = sync::files_below(project)?;
    files.retain(|file| sync::extension(file) == "ts");
    Ok(files)
}
