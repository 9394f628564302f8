//! `chaos`: breaks real nodes under real clients, one thing after another, and prints what it cost:
//! Markdown on stdout.
//!
//! `cargo xtask chaos` builds what it needs and calls it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use pigeonhub_tests::chaos::{Fault, Plan, Row, suffer};
use pigeonhub_tests::machine;
use pigeonhub_tests::table::Table;

/// Break real nodes under real clients, and say what it cost.
#[derive(Parser)]
#[command(name = "chaos")]
struct Options {
    /// Only these faults
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fault>,
    /// How many clients; eight at a time know each other
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(8..=2000))]
    clients: u16,
    /// A native node in the place of the serverless one
    #[arg(long)]
    no_spin: bool,
    /// The longest pause between two calls of a pair, milliseconds
    #[arg(long, default_value_t = 1000)]
    pause: u64,
    /// How long what is broken stays so, seconds
    #[arg(long, default_value_t = 20)]
    away: u64,
}

const COLUMNS: [&str; 8] = [
    "fault",
    "clients on the node",
    "signaling works again, ms: p50 / p99 / most (pairs)",
    "calls in negotiation, ms: p50 / p99 / most (calls)",
    "calls made",
    "failed",
    "standing calls disturbed",
    "messages: said / lost / twice",
];

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    machine::raise_file_limit()?;
    println!("{}\n", machine::describe()?);
    let plan = Plan {
        clients: options.clients.into(),
        only_native: options.no_spin,
        pause: Duration::from_millis(options.pause),
        away: Duration::from_secs(options.away),
        around: Duration::from_secs(5),
    };
    let faults = if options.only.is_empty() { Fault::value_variants().to_vec() } else { options.only };
    let (mut table, mut skipped, mut harm) = (Table::new(&COLUMNS), Vec::new(), Vec::new());
    for fault in faults {
        eprintln!("==> {fault}");
        match suffer(fault, plan) {
            Ok(row) => {
                harm.extend(row.harm());
                table.row(cells(&row));
            }
            Err(why) => skipped.push(format!("Not tried, \"{fault}\": {why}.")),
        }
    }
    println!("{table}");
    skipped.iter().for_each(|line| println!("{line}"));
    harm.iter().for_each(|line| eprintln!("HARM: {line}"));
    Ok(if harm.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cells(row: &Row) -> [String; COLUMNS.len()] {
    let messages = row.messages;
    [
        row.fault.to_string(),
        row.affected.to_string(),
        row.again.to_string(),
        row.negotiation.to_string(),
        row.calls.to_string(),
        row.failed.len().to_string(),
        row.disturbed.to_string(),
        format!("{} / {} / {}", messages.said, messages.lost, messages.repeated),
    ]
}
