//! `cargo xtask build`: everything that people download.

use anyhow::Result;
use clap::Args;

use crate::house::House;
use crate::{node, spin, wasm};

/// Build the npm package, the demo page and the node (for speed), native and as a Spin component.
#[derive(Args)]
pub struct Options {}

pub fn run(house: &House, _: &Options) -> Result<()> {
    wasm::build(house)?;
    let binary = node::build(house, true)?;
    let component = spin::component(house)?;
    eprintln!("\n    npm package  {}", house.root.join("pkg").display());
    eprintln!("    demo page    {}", house.root.join("demo-app/dist").display());
    eprintln!("    node         {}", binary.display());
    eprintln!("    component    {}", component.display());
    Ok(())
}
