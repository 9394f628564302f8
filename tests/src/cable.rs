//! A cable to a node that tests can cut, or pull out: TCP, passed on byte by byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What marks the request for a WebSocket.
const UPGRADE: &str = "upgrade: websocket";

/// A cable to a port of this machine. Dropped, it is gone.
pub struct Cable {
    port: u16,
    /// Where it leads; 0 is nowhere.
    to: Arc<AtomicU16>,
    cuts: Arc<watch::Sender<u32>>,
    listener: AbortHandle,
}

impl Cable {
    /// A cable to this port.
    pub async fn to(port: u16) -> Self {
        Self::lay(port, true).await
    }

    /// A cable that lets no WebSocket pass, as some proxies do.
    pub async fn without_websockets(port: u16) -> Self {
        Self::lay(port, false).await
    }

    /// A cable that leads nowhere yet: see [`Self::plug`].
    pub async fn loose() -> Self {
        Self::lay(0, true).await
    }

    async fn lay(to: u16, websockets: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cuts = Arc::new(watch::Sender::new(0));
        let from_here = Arc::clone(&cuts);
        let to = Arc::new(AtomicU16::new(to));
        let leads = Arc::clone(&to);
        let listener = tokio::spawn(async move {
            while let Ok((page, _)) = listener.accept().await {
                let (mut cut, to) = (from_here.subscribe(), leads.load(Ordering::Relaxed));
                if to == 0 {
                    continue;
                }
                tokio::spawn(async move {
                    tokio::select! {
                        () = pass(page, to, websockets) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { port, to, cuts, listener: listener.abort_handle() }
    }

    /// The URL of its near end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it leads to this port.
    pub fn plug(&self, port: u16) {
        self.to.store(port, Ordering::Relaxed);
    }

    /// Every connection breaks, and new ones do until it is plugged in again.
    pub fn unplug(&self) {
        self.plug(0);
        self.cut();
    }

    /// Every connection breaks; new ones come through.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut();
    }
}

/// Passes a connection on until one side ends it.
async fn pass(mut page: TcpStream, to: u16, websockets: bool) {
    let mut first = vec![0; 16 * 1024];
    let Ok(length) = page.read(&mut first).await else { return };
    let is_upgrade = String::from_utf8_lossy(&first[..length]).to_lowercase().contains(UPGRADE);
    if is_upgrade && !websockets {
        return;
    }
    let Ok(mut node) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    if node.write_all(&first[..length]).await.is_ok() {
        // Whichever side breaks it: it is over.
        let _ = copy_bidirectional(&mut page, &mut node).await;
    }
}
