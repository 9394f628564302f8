//! Panics name source files. Where those are on this machine is nobody's concern: modules are
//! published, and shorter names make them smaller.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::house::House;

/// What separates the flags in [`VARIABLE`].
const SEPARATOR: &str = "\x1f";

/// Where cargo looks for flags first.
pub const VARIABLE: &str = "CARGO_ENCODED_RUSTFLAGS";

/// The compiler's flags as the developer has them, and one more for each place of sources.
pub fn flags(house: &House) -> Result<String> {
    let mut flags: Vec<String> = match (env::var(VARIABLE), env::var("RUSTFLAGS")) {
        (Ok(encoded), _) => encoded.split(SEPARATOR).map(Into::into).collect(),
        (_, Ok(plain)) => plain.split_whitespace().map(Into::into).collect(),
        _ => Vec::new(),
    };
    flags.retain(|flag| !flag.is_empty());
    let places = [vec![house.root.clone()], registries()?].concat();
    flags.extend(places.iter().map(|place| format!("--remap-path-prefix={}=", place.display())));
    Ok(flags.join(SEPARATOR))
}

/// Fails if a module tells where this machine keeps its sources.
pub fn check(house: &House, module: &Path) -> Result<()> {
    let bytes = fs::read(module)?;
    for place in [house.root.clone(), cargo_home()?] {
        let name = place.as_os_str().as_encoded_bytes();
        if bytes.windows(name.len()).any(|window| window == name) {
            bail!("{} has the path {} in it", module.display(), place.display());
        }
    }
    Ok(())
}

/// The directories with the sources of dependencies, one for each registry.
fn registries() -> Result<Vec<PathBuf>> {
    // Vendored sources are below the root.
    let Ok(entries) = fs::read_dir(cargo_home()?.join("registry/src")) else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn cargo_home() -> Result<PathBuf> {
    let given = env::var_os("CARGO_HOME").filter(|home| home.as_os_str() != OsStr::new(""));
    let usual = || Some(env::home_dir()?.join(".cargo"));
    given.map(PathBuf::from).or_else(usual).context("neither CARGO_HOME nor a home directory")
}
