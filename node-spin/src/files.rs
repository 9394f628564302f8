//! The demo and the npm package, as files that the manifest mounts.

use std::fs;
use std::path::{Component, Path};

use spin_sdk::http::ResponseOutparam;

use crate::request::{head, write};

/// Where files are, and under which path they are served.
const PLACES: [&str; 2] = ["demo", "pkg"];

/// The file that a path names, and its type; `None` if there is none.
pub fn find(path: &str) -> Option<(Vec<u8>, &'static str)> {
    let relative = path.trim_start_matches('/');
    let file = if relative.ends_with('/') { format!("{relative}index.html") } else { relative.to_owned() };
    let file = Path::new(&file);
    let mut parts = file.components();
    let place = parts.next()?;
    let known = PLACES.iter().any(|known| place == Component::Normal(known.as_ref()));
    // Nothing but plain names: a path stays in its place.
    if !known || !file.components().all(|part| matches!(part, Component::Normal(_))) {
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

/// Serves a file.
pub async fn serve(out: ResponseOutparam, (body, content_type): (Vec<u8>, &str), cors: &str) {
    let length = body.len().to_string();
    let more = [("content-length", length.as_str()), ("cache-control", "no-cache")];
    write(out, head(200, content_type, cors, &more), body).await;
}
