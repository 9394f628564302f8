//! Finds the demo that is to be embedded; if it was not built, a page that says how to.

use std::path::{Path, PathBuf};
use std::{env, fs};

const PAGE: &str = "<!doctype html>
<meta charset=\"utf-8\">
<title>PigeonHub</title>
<p>The demo was not built into this node. Build both with <code>cargo xtask demo</code>.
";

fn main() -> std::io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let built = root.join("../demo-app/dist");
    let dist = if built.join("index.html").is_file() {
        println!("cargo::rerun-if-changed=../demo-app/dist");
        built
    } else {
        // What is not there cannot be watched.
        println!("cargo::rerun-if-changed=../demo-app");
        stand_in()?
    };
    println!("cargo::rustc-env=DEMO_DIST={}", dist.display());
    Ok(())
}

fn stand_in() -> std::io::Result<PathBuf> {
    let dist = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("demo");
    fs::create_dir_all(&dist)?;
    fs::write(dist.join("index.html"), PAGE)?;
    Ok(dist)
}
