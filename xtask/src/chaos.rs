//! `cargo xtask chaos`: real nodes break under real clients; what it cost them.

use anyhow::Result;
use clap::Args;

use crate::house::House;
use crate::programs;

/// Break real nodes under 200 clients, one fault after another, and print what it cost.
///
/// Faults of the network need root, Linux and `ip`; without they are left out, and it says so.
#[derive(Args)]
pub struct Options {
    /// Build everything for speed (takes longer to compile)
    #[arg(long)]
    release: bool,
    /// Arguments for it; `cargo xtask chaos -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    programs::run(house, "chaos", options.release, &options.arguments)
}
