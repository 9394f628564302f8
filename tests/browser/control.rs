//! A stand-in for the control that `cargo xtask demo` offers to its pages (`xtask/src/control.rs`).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use pigeonhub_tests::TestNode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

type Nodes = Arc<Mutex<Vec<TestNode>>>;

/// What may be done to the nodes.
pub struct Control {
    port: u16,
    server: AbortHandle,
}

impl Control {
    pub async fn over(nodes: Vec<TestNode>) -> Self {
        let nodes = Arc::new(Mutex::new(nodes));
        let routes = Router::new()
            .route("/5ec2e7/nodes", get(names))
            .route("/5ec2e7/nodes/{name}/{order}", post(order))
            .with_state(nodes);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, server: server.abort_handle() }
    }

    /// What the address of a page ends with that may use it.
    pub fn fragment(&self) -> String {
        format!("#control=http://127.0.0.1:{}/5ec2e7", self.port)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn names(State(nodes): State<Nodes>, headers: HeaderMap) -> impl IntoResponse {
    let names: Vec<_> = nodes.lock().await.iter().map(|node| node.id.clone()).collect();
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, headers[ORIGIN].clone())], Json(names))
}

async fn order(
    State(nodes): State<Nodes>,
    Path((name, order)): Path<(String, String)>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let mut nodes = nodes.lock().await;
    let node = nodes.iter_mut().find(|node| node.id == name).unwrap();
    let status = match order.as_str() {
        "kill" => {
            node.kill();
            StatusCode::OK
        }
        "start" => {
            node.restart().await;
            StatusCode::OK
        }
        _ => StatusCode::FORBIDDEN,
    };
    (status, [(ACCESS_CONTROL_ALLOW_ORIGIN, headers[ORIGIN].clone())], Json(json!({})))
}
