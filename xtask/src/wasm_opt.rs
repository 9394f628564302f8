//! Binaryen's wasm-opt makes modules smaller. Used when found, never required.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::house::House;
use crate::step::note;
use crate::{children, npm, tools};

/// What rustc emits by default and every current browser runs; anything newer stays off.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// On `PATH`, or from the npm package `binaryen` where npm was asked for it.
pub fn find(house: &House) -> Option<PathBuf> {
    let in_npm = |dir: PathBuf| dir.join("node_modules/.bin/wasm-opt");
    tools::on_path("wasm-opt")
        .or_else(|| [npm::dir(house), house.root.clone()].into_iter().map(in_npm).find(|file| file.is_file()))
}

/// Optimises a module in place.
pub fn shrink(house: &House, optimizer: &Path, wasm: &Path) -> Result<()> {
    let smaller = wasm.with_extension("opt");
    children::run(house.command(optimizer).arg("-Oz").args(FEATURES).arg(wasm).arg("-o").arg(&smaller))?;
    let (before, after) = (fs::metadata(wasm)?.len(), fs::metadata(&smaller)?.len());
    note(&format!("wasm-opt: {} KiB to {} KiB", before / 1024, after / 1024));
    fs::rename(smaller, wasm)?;
    Ok(())
}
