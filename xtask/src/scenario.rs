//! `cargo xtask scenario`: a story of a mesh, told step by step while it happens.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::house::House;
use crate::programs;

/// Play a story of a mesh on this machine and tell it step by step; the exit code says whether it
/// went as it should.
#[derive(Args)]
pub struct Options {
    /// Which story
    #[arg(value_enum)]
    story: Story,
}

#[derive(Clone, Copy, ValueEnum)]
enum Story {
    /// Peers on different nodes find each other
    Discovery,
    /// Peers on different nodes call each other
    Signaling,
    /// What one node is given to keep, all have
    Replication,
    /// A node dies under a call, and comes back
    Recovery,
    /// One after the other
    All,
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    let story = options.story.to_possible_value().map(|value| value.get_name().to_owned());
    programs::run(house, "scenario", false, &Vec::from_iter(story))
}
