//! A stand-in for Fermyon Spin in tests and in the demo: serves a Spin component over real HTTP.
//!
//! Checked against the source of Spin 4 and its documentation, it does what a component can notice:
//! a fresh instance for each request, a thousand at once at most, Spin's SQLite, variables and allowed
//! hosts, streamed bodies, Spin's headers. It has one component on the route `/...`, no TLS, and none of
//! Spin's other interfaces: a component that imports more does not start.

#![warn(missing_docs)]

mod allowed;
mod bindings;
mod headers;
mod instance;
mod outbound;
mod server;
mod sqlite;
mod variables;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Precompiled};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use instance::{App, Instance};
use outbound::Outbound;
use server::Server;
use sqlite::Databases;

/// What `spin.toml` and the command line of `spin up` say.
#[derive(Clone, Debug)]
pub struct Options {
    /// The component, a `.wasm` file, or what [`precompile`] made of it.
    pub component: PathBuf,
    /// Folders that the component may read, and where it sees them (`files`).
    pub files: Vec<(PathBuf, String)>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The component's variables, by name.
    pub variables: HashMap<String, String>,
    /// Where the databases are, a file for each label; `None` is a folder that goes with the host.
    pub data_dir: Option<PathBuf>,
    /// Labels of the databases that the component may open (`sqlite_databases`).
    pub databases: Vec<String>,
    /// Where the component may send requests (`allowed_outbound_hosts`), as `http://127.0.0.1:*`.
    pub allowed_outbound_hosts: Vec<String>,
    /// Instances at once; a request above fails with 500 (`SPIN_MAX_INSTANCE_COUNT`).
    pub max_instances: u32,
}

impl Options {
    /// Spin's defaults, on a free port of this machine.
    pub fn new(component: impl Into<PathBuf>) -> Self {
        Self {
            component: component.into(),
            files: Vec::new(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            variables: HashMap::new(),
            data_dir: None,
            databases: vec!["default".to_owned()],
            allowed_outbound_hosts: Vec::new(),
            max_instances: 1_000,
        }
    }
}

/// The host; see [`SpinHost::start`].
pub struct SpinHost;

impl SpinHost {
    /// Compiles the component and accepts requests on the current tokio runtime.
    pub async fn start(options: Options) -> Result<Running> {
        for name in options.variables.keys() {
            if let Some(reason) = variables::fault_of(name) {
                bail!("variable {name:?}: a name {reason}");
            }
        }
        let app = Arc::new(App {
            outbound: Outbound::new(&options.allowed_outbound_hosts)?,
            files: options.files,
            variables: options.variables,
            databases: Databases::new(options.databases, options.data_dir).context("databases")?,
            open: AtomicUsize::new(0),
        });
        let (file, limit) = (options.component, options.max_instances);
        let component = tokio::task::spawn_blocking(move || compile(&file, limit)).await??;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let server = Arc::new(Server { app, component, stop: stopped });
        tokio::spawn(Arc::clone(&server).serve(listener));
        Ok(Running { addr, server: Some(server), stop })
    }
}

/// A host that serves until it is stopped or dropped.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    server: Option<Arc<Server>>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Instances that exist now: requests being answered and streams being written.
    pub fn open_instances(&self) -> usize {
        self.server.as_ref().map_or(0, |server| server.open_instances())
    }

    /// Ends all connections and instances at once and waits until they are gone, as if the process died.
    pub async fn stop(mut self) {
        self.server = None;
        self.stop.send_replace(true);
        self.stop.closed().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Compiles a component to the machine code of this machine, for hosts of this very version. That takes
/// a debug build half a minute, and loading the result a few milliseconds.
///
/// # Errors
/// The file is no component, or cannot be read.
pub fn precompile(component: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    Ok(Engine::new(&config(1))?.precompile_component(&bytes)?)
}

/// Errors of the last two steps name the import that this host lacks, or the export that is missing.
fn compile(file: &Path, max_instances: u32) -> Result<ProxyPre<Instance>> {
    let engine = Engine::new(&config(max_instances))?;
    let component = load(&engine, file)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot load {}", file.display()))?;
    let ready = instance::imports(&engine)?.instantiate_pre(&component)?;
    Ok(ProxyPre::new(ready)?)
}

#[allow(unsafe_code, reason = "machine code is run as it is; wasmtime checks that its own version wrote it")]
fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    if Engine::detect_precompiled_file(file)? == Some(Precompiled::Component) {
        // SAFETY: the file is what `precompile` wrote; the operator of a test host names no other.
        unsafe { Component::deserialize_file(engine, file) }
    } else {
        Component::from_file(engine, file)
    }
}

/// Spin's numbers, so that its limits bite where they bite on Spin.
fn config(max_instances: u32) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(max_instances)
        .total_memories(max_instances)
        .total_stacks(max_instances)
        .total_tables(2 * max_instances)
        .total_core_instances(4 * max_instances)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_tables_per_module(2)
        .max_memories_per_module(2)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(1 << 19);
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
