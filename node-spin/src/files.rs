//! The demo and the npm package, as files that the manifest mounts.

use std::fs;
use std::path::{Component, Path};

use pigeonhub_node_core::rest::Reply;
use pigeonhub_protocol::Code;
use spin_sdk::http::ResponseOutparam;

use crate::request::{Request, answer, head, write};

/// Where files are, and under which path they are served.
const PLACES: [&str; 2] = ["demo", "pkg"];

/// Whether a path is one of files, there or not.
pub fn is_place(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    first.is_some_and(|first| PLACES.contains(&first))
}

/// Serves a file.
pub async fn serve(out: ResponseOutparam, request: &Request, cors: &str) {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return answer(out, &Reply::method_not_allowed("GET, HEAD, OPTIONS"), cors).await;
    }
    // Relative addresses in the page need the slash.
    if request.path == "/demo" {
        let more = [("location", "/demo/"), ("content-length", "0")];
        return write(out, head(308, "text/plain", cors, &more), Vec::new()).await;
    }
    let Some((body, content_type)) = find(&request.path) else {
        return answer(out, &Reply::refuse(Code::NotFound), cors).await;
    };
    let length = body.len().to_string();
    let more = [("content-length", length.as_str()), ("cache-control", "no-cache")];
    write(out, head(200, content_type, cors, &more), body).await;
}

/// The file that a path names, and its type; `None` if there is none.
fn find(path: &str) -> Option<(Vec<u8>, &'static str)> {
    let relative = path.trim_start_matches('/');
    let file = if relative.ends_with('/') { format!("{relative}index.html") } else { relative.to_owned() };
    let file = Path::new(&file);
    // Nothing but plain names: a path stays in its place.
    if !file.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    Some((fs::read(Path::new("/").join(file)).ok()?, content_type(file)))
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}
