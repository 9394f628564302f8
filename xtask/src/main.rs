//! Every developer command of PigeonHub: `cargo xtask --help`.

mod bench;
mod browser;
mod build;
mod chaos;
mod check;
mod children;
mod ci;
mod control;
mod demo;
mod glue;
mod health;
mod house;
mod mesh;
mod node;
mod npm;
mod programs;
mod scenario;
mod spin;
mod step;
mod sync;
mod test;
mod tools;
mod torrent;
mod typescript;
mod wasm;
mod wasm_opt;
mod wasm_paths;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use house::House;

/// Every developer command of PigeonHub.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Options),
    Node(node::Options),
    Build(build::Options),
    Component(spin::Options),
    Test(test::Options),
    Check(check::Options),
    Ci(ci::Options),
    Bench(bench::Options),
    Chaos(chaos::Options),
    Scenario(scenario::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // What a shell reports for a command that Ctrl-C ended.
        Err(_) if children::stopping() => ExitCode::from(130),
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    children::end_with_us()?;
    let house = House::find()?;
    match cli.command {
        Command::Demo(options) => demo::run(&house, &options),
        Command::Node(options) => node::run(&house, &options),
        Command::Build(options) => build::run(&house, &options),
        Command::Component(options) => spin::run(&house, &options),
        Command::Test(options) => test::run(&house, &options),
        Command::Check(options) => check::run(&house, &options),
        Command::Ci(options) => ci::run(&house, &options),
        Command::Bench(options) => bench::run(&house, &options),
        Command::Chaos(options) => chaos::run(&house, &options),
        Command::Scenario(options) => scenario::run(&house, &options),
    }
}
