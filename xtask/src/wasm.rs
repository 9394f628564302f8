//! The crates that browsers run: compiled to WebAssembly, wrapped in JavaScript, made small.

use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::children;
use crate::house::{House, WASM_TARGET};
use crate::step::{note, step};
use crate::{glue, sync, tools, wasm_opt, wasm_paths};

/// One WebAssembly module with its JavaScript glue.
struct Module {
    /// What the steps call it.
    title: &'static str,
    /// Arguments for `cargo rustc` that select it.
    select: &'static [&'static str],
    /// The file that cargo leaves.
    artifact: &'static str,
    /// The stem of the files that wasm-bindgen writes.
    out_name: &'static str,
    /// Where to, from the root.
    out_dir: &'static str,
}

/// The library. Its crate type is given here: with an `rlib` built beside the `cdylib`,
/// cargo leaves link-time optimisation out.
const CLIENT: Module = Module {
    title: "client",
    select: &[
        "--package",
        "pigeonhub-wasm",
        "--lib",
        "--crate-type",
        "cdylib",
        "--features",
        "small-allocator",
    ],
    artifact: "pigeonhub_wasm.wasm",
    out_name: "pigeonhub_wasm",
    out_dir: "pkg/wasm",
};

const DEMO: Module = Module {
    title: "demo",
    select: &["--package", "demo-app", "--bin", "demo-app"],
    artifact: "demo-app.wasm",
    out_name: "demo_app",
    out_dir: "demo-app/dist",
};

/// Builds the client into `pkg/wasm`.
pub fn build_client(house: &House) -> Result<()> {
    step("WebAssembly target", || {
        tools::ensure_target(house, WASM_TARGET, "compile the client and the demo for browsers")
    })?;
    CLIENT.build(house)?;
    step("list of nodes", || built_in(house))
}

/// The list is data of the crate that has the rules; the package has it as a module.
fn built_in(house: &House) -> Result<()> {
    let list = house.root.join("bootstrap/src/built_in.json");
    let list = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let module = house.root.join("pkg/wasm/built_in.js");
    sync::write(&module, format!("export default {};\n", list.trim_end()).as_bytes())
}

/// The same, and the demo page into `demo-app/dist`.
pub fn build(house: &House) -> Result<()> {
    build_client(house)?;
    DEMO.build(house)?;
    step("demo page", || page(house))
}

/// The page's static files, and the npm package so that a node serves the library too.
fn page(house: &House) -> Result<()> {
    let (demo, dist) = (house.root.join("demo-app"), house.root.join("demo-app/dist"));
    for name in ["index.html", "style.css"] {
        sync::copy_file(&demo.join(name), &dist.join(name))?;
    }
    sync::mirror(&demo.join("assets"), &dist.join("assets"))?;
    let (package, served) = (house.root.join("pkg"), dist.join("pkg"));
    for name in [
        "package.json",
        "main.js",
        "main.d.ts",
        "index.js",
        "index.d.ts",
        "config.js",
        "config.d.ts",
        "descriptor.js",
        "cache.js",
        "directory.js",
        "directory.d.ts",
        "records.js",
        "signed.js",
    ] {
        sync::copy_file(&package.join(name), &served.join(name))?;
    }
    sync::mirror(&package.join("wasm"), &served.join("wasm"))
}

impl Module {
    fn build(&self, house: &House) -> Result<()> {
        step(&format!("{}: compile to WebAssembly", self.title), || {
            children::run(
                house
                    .cargo("rustc")
                    .args(["--profile", "wasm", "--target", WASM_TARGET])
                    .args(self.select)
                    .env(wasm_paths::VARIABLE, wasm_paths::flags(house)?),
            )
        })?;
        step(&format!("{}: wasm-bindgen", self.title), || self.bind(house))
    }

    /// wasm-bindgen and wasm-opt, unless they would only do again what they did last time.
    fn bind(&self, house: &House) -> Result<()> {
        let input = house.target.join(WASM_TARGET).join("wasm").join(self.artifact);
        let out_dir = house.root.join(self.out_dir);
        let wasm = out_dir.join(format!("{}_bg.wasm", self.out_name));
        let optimizer = wasm_opt::find(house);

        let file = fs::metadata(&input).with_context(|| format!("cargo left no {}", input.display()))?;
        let made_of = format!(
            "{} bytes, {:?}, wasm-opt {optimizer:?}",
            file.len(),
            file.modified()?.duration_since(UNIX_EPOCH)?,
        );
        let stamp = self.stamp(house);
        if wasm.is_file() && fs::read_to_string(&stamp).is_ok_and(|last| last == made_of) {
            note("unchanged");
            return Ok(());
        }

        let output = Bindgen::new()
            .input_path(&input)
            .out_name(self.out_name)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate_output()?;
        glue::emit(output, self.out_name, &out_dir)?;
        wasm_paths::check(house, &wasm)?;
        match optimizer {
            Some(optimizer) => wasm_opt::shrink(house, &optimizer, &wasm)?,
            None => note("wasm-opt is not installed: the module stays larger than it need be"),
        }
        if let Some(dir) = stamp.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(stamp, made_of)?;
        note(&format!("{}: {} KiB", self.out_name, fs::metadata(&wasm)?.len() / 1024));
        Ok(())
    }

    /// Remembers what the output was made of. In the target directory, so that it goes with it.
    fn stamp(&self, house: &House) -> PathBuf {
        house.target.join("xtask").join(self.out_name)
    }
}
