//! Programs of the tests that start nodes by themselves.

use anyhow::Result;

use crate::house::House;
use crate::step::step;
use crate::{children, node, spin};

/// Builds one with the nodes that it starts, and runs it.
pub fn run(house: &House, name: &str, release: bool, arguments: &[String]) -> Result<()> {
    let binary = node::build(house, release)?;
    let (spin_host, spin_component) = spin::build(house, release)?;
    let program =
        step(&format!("build `{name}`"), || node::program(house, "pigeonhub-tests", name, release))?;
    step(name, || {
        children::run(
            house
                .command(program)
                .args(arguments)
                .env("PIGEONHUB_BIN", &binary)
                .env("PIGEONHUB_SPIN_HOST", &spin_host)
                .env("PIGEONHUB_SPIN_COMPONENT", &spin_component),
        )
    })
}
