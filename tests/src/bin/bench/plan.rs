//! What to measure, and for how long: the command line and what it stands for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measure the node beside a bare frame relay.
#[derive(Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Command {
    /// Be the bare frame relay, on a free port of 127.0.0.1
    Relay,
}

#[derive(Args)]
struct Measure {
    /// About a minute in all: shorter and fewer runs
    #[arg(long)]
    quick: bool,
    /// Only these topics
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Topic>,
    /// Numbers of pairs that signal to each other
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50, 500])]
    pairs: Vec<usize>,
    /// Messages under way per pair at saturation; the more, the fewer system calls for each
    #[arg(long, value_delimiter = ',', default_values_t = [2, 4, 32])]
    window: Vec<usize>,
    /// Length of one run [default: 3; with --quick 0.5]
    #[arg(long)]
    seconds: Option<f64>,
    /// Runs of each kind, relay and node in turn [default: 3; with --quick 2]
    #[arg(long)]
    rounds: Option<usize>,
    /// The node under test [default: `pigeonhub` beside this program]
    #[arg(long, env = "PIGEONHUB_BIN", value_name = "BINARY")]
    node: Option<PathBuf>,
    /// The host of the serverless node
    #[arg(long, env = "PIGEONHUB_SPIN_HOST", value_name = "BINARY")]
    spin_host: Option<PathBuf>,
    /// The serverless node
    #[arg(long, env = "PIGEONHUB_SPIN_COMPONENT", value_name = "COMPONENT")]
    spin_component: Option<PathBuf>,
}

/// One part of the report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// Messages per second and CPU per message at saturation
    Relay,
    /// Latency at a moderate rate
    Latency,
    /// Memory of idle connections
    Memory,
    /// Cost of an announce as a network grows
    Announce,
    /// Streams of events, native and serverless
    Events,
    /// Download size of the client
    Size,
}

/// The command line with everything decided.
pub struct Plan {
    pub topics: Vec<Topic>,
    pub pairs: Vec<usize>,
    pub windows: Vec<usize>,
    pub run: Duration,
    pub rounds: usize,
    pub node: Option<PathBuf>,
    pub spin_host: Option<PathBuf>,
    pub spin_component: Option<PathBuf>,
}

/// Sizes of `data` in a relayed signal, in bytes: a candidate, and a small description.
pub const DATA: [usize; 2] = [300, 2048];

/// Before each run, until caches and buffers have their size.
pub const WARM_UP: Duration = Duration::from_millis(200);

impl Options {
    pub const fn is_relay(&self) -> bool {
        matches!(self.command, Some(Command::Relay))
    }

    pub fn plan(self) -> Plan {
        let Measure { quick, only, pairs, window, seconds, rounds, node, spin_host, spin_component } =
            self.measure;
        let topics = if only.is_empty() { Topic::value_variants().to_vec() } else { only };
        let seconds = seconds.unwrap_or(if quick { 0.5 } else { 3.0 });
        Plan {
            topics,
            pairs,
            windows: window.into_iter().map(|window| window.max(2)).collect(),
            run: Duration::from_secs_f64(seconds.clamp(0.1, 600.0)),
            rounds: rounds.unwrap_or(if quick { 2 } else { 3 }).max(1),
            node,
            spin_host,
            spin_component,
        }
    }
}
