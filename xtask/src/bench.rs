//! `cargo xtask bench`: how fast the node is, and how large the client.

use std::fs;
use std::io::Write;

use anyhow::{Context, Result};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::house::House;
use crate::{programs, wasm};

/// What a browser downloads of the package.
const DOWNLOADS: [&str; 3] = ["wasm/pigeonhub_wasm_bg.wasm", "wasm/pigeonhub_wasm.js", "index.js"];

/// The aim for all of them together, compressed.
const AIM: usize = 120_000;

/// Measure the node beside a bare frame relay, and the size of the client.
#[derive(Args)]
pub struct Options {
    /// Only the size of the client
    #[arg(long)]
    size: bool,
    /// Arguments for the benchmark; `cargo xtask bench -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    if options.size {
        wasm::build_client(house)?;
        return sizes(house);
    }
    wasm::build(house)?;
    programs::run(house, "bench", true, &options.arguments)?;
    sizes(house)
}

fn sizes(house: &House) -> Result<()> {
    println!("\n| client | bytes | gzip |\n| --- | ---: | ---: |");
    let (mut plain, mut compressed) = (0, 0);
    for name in DOWNLOADS {
        let file = house.root.join("pkg").join(name);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let gzip = gzip_length(&bytes)?;
        println!("| {name} | {} | {gzip} |", bytes.len());
        plain += bytes.len();
        compressed += gzip;
    }
    println!("| in all (aim: at most {AIM} gzip) | {plain} | {compressed} |");
    Ok(())
}

fn gzip_length(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
