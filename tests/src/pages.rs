//! A small server for the pages of the browser tests, and for the packages that they import.

use std::path::Path;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tower_http::services::ServeDir;

use crate::node_modules;

/// A page with nothing on it. `localhost` is a secure context, so cameras work.
const EMPTY: Html<&str> = Html("<!doctype html><meta charset=utf-8><title>test</title>");

/// Serves an empty page at `/`, the installed npm packages below `/node_modules`, and the pages of
/// a directory below `/pages`.
pub struct PageServer {
    port: u16,
    server: AbortHandle,
}

impl PageServer {
    /// Starts it at a port that the system gives.
    pub async fn start(pages: &Path) -> Self {
        let routes = Router::new()
            .route("/", get(async || EMPTY))
            .nest_service("/pages", ServeDir::new(pages))
            .nest_service("/node_modules", ServeDir::new(node_modules()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, server: server.abort_handle() }
    }

    /// A URL on this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}
