//! `cargo xtask demo`: a mesh on this machine that serves the demo page.

use std::env;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use clap::Args;

use crate::house::House;
use crate::mesh::{self, Node};
use crate::spin::Spin;
use crate::step::step;
use crate::{control, node, tools, wasm};

/// Build everything, start a mesh of nodes and serve the demo page until Ctrl-C.
#[derive(Args)]
pub struct Options {
    /// How many nodes; the last of several is serverless
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    nodes: u16,
    /// The first node's port; the others take the next free ones
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Only native nodes
    #[arg(long)]
    no_spin: bool,
    /// Build the nodes for speed (takes longer to compile)
    #[arg(long)]
    release: bool,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
}

pub fn run(house: &House, options: &Options) -> Result<()> {
    wasm::build(house)?;
    let binary = node::build(house, options.release)?;
    let spin = match options.nodes {
        2.. if !options.no_spin => Some(Spin::find(house, options.release)?),
        _ => None,
    };
    let native = options.nodes - u16::from(spin.is_some());
    let mut nodes = step("start the nodes", || mesh::start(house, &binary, native, options.port))?;
    if let Some(spin) = &spin {
        step("start the serverless node", || mesh::add_spin(house, spin, &mut nodes))?;
    }
    let first = nodes[0].port;
    let nodes = Arc::new(Mutex::new(nodes));
    let control = control::offer(&nodes)?;
    welcome(&nodes.lock().unwrap_or_else(PoisonError::into_inner), spin.as_ref(), &control);
    if !options.no_open {
        open(&page(first, &control));
    }
    mesh::watch(&nodes)
}

fn page(port: u16, control: &str) -> String {
    format!("http://localhost:{port}/demo/{control}")
}

fn welcome(nodes: &[Node], spin: Option<&Spin>, control: &str) {
    eprintln!("\n    Open one of these in two tabs, or one tab per node:\n");
    for node in nodes {
        eprintln!("      {}  {}", node.name, page(node.port, control));
    }
    if let (Some(spin), Some(node)) = (spin, nodes.last()) {
        eprintln!("\n    {} is serverless: a WebAssembly component {}.", node.name, spin.name());
    }
    eprintln!(
        "\n    Call from one tab to the other, then press \"Kill this node\" beside a node in the picture:"
    );
    eprintln!(
        "    it gets SIGKILL, and the call goes on. Only pages opened with the part after # can do that."
    );
    eprintln!("    Ctrl-C stops everything.\n");
}

/// Opens a browser if there is a desktop; the address was printed, so failing is no matter.
fn open(url: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if (desktop || cfg!(target_os = "macos")) && tools::on_path(opener).is_some() {
        // Not one of our children to end: the browser belongs to the visitor.
        let _ = Command::new(opener)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}
