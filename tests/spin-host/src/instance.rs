//! What one instance of the component owns; it lives for one request, as on Spin.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::Spin;
use crate::outbound::Outbound;
use crate::sqlite::Databases;

/// What all instances share.
pub(crate) struct App {
    pub(crate) variables: HashMap<String, String>,
    pub(crate) databases: Databases,
    pub(crate) outbound: Outbound,
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) open: AtomicUsize,
}

/// The data of one wasmtime store.
pub(crate) struct Instance {
    pub(crate) app: Arc<App>,
    pub(crate) table: ResourceTable,
    /// SQLite connections open now.
    pub(crate) connections: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
}

impl Instance {
    pub(crate) fn new(app: &Arc<App>) -> Result<Self> {
        let mut wasi = WasiCtx::builder();
        // No environment, arguments or sockets: Spin gives none that the manifest does not name. Both
        // outputs go to stderr, for stdout is where the program says where it listens.
        wasi.stdout(std::io::stderr()).stderr(std::io::stderr());
        for (folder, seen_at) in &app.files {
            wasi.preopened_dir(folder, seen_at, FsPerms::ReadOnly)?;
        }
        app.open.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            app: Arc::clone(app),
            table: ResourceTable::new(),
            connections: 0,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: app.outbound.clone(),
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.app.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// Everything that a component may import, and nothing else: an import that is not here fails the start.
pub(crate) fn imports(engine: &wasmtime::Engine) -> Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Spin::add_to_linker::<_, HasSelf<_>>(&mut linker, |instance| instance)?;
    Ok(linker)
}
