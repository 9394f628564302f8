//! `scenario`: plays a story of a mesh and tells it. `cargo xtask scenario` builds what it needs and
//! calls it.

use std::panic;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use pigeonhub_tests::scenario;
use tokio::runtime::Runtime;

/// Play a story of a mesh.
#[derive(Parser)]
struct Options {
    #[arg(value_enum)]
    story: Story,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Story {
    Discovery,
    Signaling,
    Replication,
    Recovery,
    All,
}

impl Story {
    fn is(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let story = Options::parse().story;
    panic::set_hook(Box::new(|panic| {
        println!("  ✗ {}", panic.payload_as_str().unwrap_or("something else went wrong"));
    }));
    let runtime = Runtime::new()?;
    let told = panic::catch_unwind(|| {
        runtime.block_on(async {
            if story.is(Story::Discovery) {
                scenario::discovery().await;
            }
            if story.is(Story::Signaling) {
                scenario::signaling().await;
            }
            if story.is(Story::Replication) {
                scenario::replication().await;
            }
            if story.is(Story::Recovery) {
                scenario::recovery().await;
            }
        });
    });
    println!("\n{}", if told.is_ok() { "It went as it should." } else { "It did not go as it should." });
    Ok(if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
