//! A server of documents that a test writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Documents = Arc<Mutex<HashMap<String, String>>>;

/// A server that has documents and is no node. Dropping it ends it.
pub struct DocumentServer {
    /// Its URL.
    pub url: String,
    documents: Documents,
    serving: JoinHandle<()>,
}

impl DocumentServer {
    /// Starts one with a document at this path.
    pub async fn with(path: &str, document: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let documents = Documents::default();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&documents));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        let server = Self { url, documents, serving };
        server.put(path, document);
        server
    }

    /// Writes a document.
    pub fn put(&self, path: &str, document: &Value) {
        self.documents.lock().expect("documents").insert(path.into(), document.to_string());
    }
}

impl Drop for DocumentServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(documents): State<Documents>, uri: Uri) -> Result<String, StatusCode> {
    documents.lock().expect("documents").get(uri.path()).cloned().ok_or(StatusCode::NOT_FOUND)
}
