//! What can break.

use std::fmt;

use clap::ValueEnum;

/// One thing that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Nothing: what all others are compared with
    None,
    /// A native node gets SIGKILL, and is started again later
    Kill,
    /// The serverless node gets SIGKILL, and is started again later
    KillServerless,
    /// A native node ends in an orderly way (SIGTERM), and is started again
    Restart,
    /// A native node gets SIGSTOP, and SIGCONT later
    Stop,
    /// The only node gets SIGKILL, and is started again later: times are from when it is back
    OnlyNode,
    /// Nothing comes to or from a native node for a while
    Blackhole,
    /// A native node and the other nodes do not hear each other for a while; clients hear all
    Partition,
    /// 5 % of all packets are lost for a while
    Loss,
    /// All packets are 200 ms late for a while
    Delay,
}

impl Fault {
    /// Whether it takes a network that is not the machine's own.
    #[must_use]
    pub const fn needs_wires(self) -> bool {
        matches!(self, Self::Blackhole | Self::Partition | Self::Loss | Self::Delay)
    }

    /// Whether all clients are without a node meanwhile.
    #[must_use]
    pub const fn leaves_nobody(self) -> bool {
        matches!(self, Self::OnlyNode)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Kill => "SIGKILL of a node",
            Self::KillServerless => "SIGKILL of the serverless node",
            Self::Restart => "orderly restart of a node",
            Self::Stop => "SIGSTOP of a node, SIGCONT later",
            Self::OnlyNode => "SIGKILL of the only node, from when it is back",
            Self::Blackhole => "a node is cut off from everybody",
            Self::Partition => "a node is cut off from the other nodes",
            Self::Loss => "5 % of all packets lost",
            Self::Delay => "all packets 200 ms late",
        })
    }
}
