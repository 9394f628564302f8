//! What a browser downloads of the client, if it has been built.

use std::fs;
use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::machine;
use crate::table::{Aim, Table};

const DOWNLOADS: [&str; 3] =
    ["pkg/wasm/pigeonhub_wasm_bg.wasm", "pkg/wasm/pigeonhub_wasm.js", "pkg/index.js"];
/// KB of 1,000 bytes.
const KB: f64 = 1_000.0;

pub fn measure() -> Result<()> {
    println!("\n## Size of the client\n");
    let mut table = Table::new(&["file", "bytes", "gzip, KB (aim ≤ 120)"]);
    let (mut bytes, mut compressed) = (0, 0);
    for name in DOWNLOADS {
        let Ok(content) = fs::read(machine::house().join(name)) else {
            println!("No {name}: `cargo xtask build` makes it.");
            return Ok(());
        };
        let gzip = gzip_length(&content)?;
        table.row([name.into(), content.len().to_string(), format!("{:.1}", gzip as f64 / KB)]);
        bytes += content.len();
        compressed += gzip;
    }
    table.row(["in all".into(), bytes.to_string(), Aim::AtMost(120.0).judge(compressed as f64 / KB)]);
    println!("{table}");
    Ok(())
}

fn gzip_length(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
