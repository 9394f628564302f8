//! The demo, embedded: `GET /demo/`.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use pigeonhub_node_core::rest::Reply;
use pigeonhub_protocol::Code;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::response;

/// What was built into `demo-app/dist`, or a page that says how to (see `build.rs`).
#[derive(RustEmbed)]
#[folder = "$DEMO_DIST"]
struct Dist;

/// Relative addresses in the page need the slash.
pub async fn to_index() -> Redirect {
    Redirect::permanent("/demo/")
}

/// The page.
pub async fn index(method: Method, headers: HeaderMap) -> Response {
    serve(&method, &headers, "index.html")
}

/// A file beside the page.
pub async fn file(method: Method, headers: HeaderMap, Path(path): Path<String>) -> Response {
    serve(&method, &headers, &path)
}

fn serve(method: &Method, headers: &HeaderMap, path: &str) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return response(Reply::method_not_allowed("GET, HEAD, OPTIONS"));
    }
    let Some(EmbeddedFile { data, metadata }) = Dist::get(path) else {
        return response(Reply::refuse(Code::NotFound));
    };
    let hash: String = metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    // The names of the files stay the same from build to build, so browsers ask each time, and are
    // told in a few bytes that nothing has changed.
    let caching = [(ETAG, tag.as_str()), (CACHE_CONTROL, "no-cache")];
    if is_known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    (caching, [(CONTENT_TYPE, mime.as_ref())], data).into_response()
}

/// Whether a browser has the file with this tag. Proxies that compress make tags weak (`W/`).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
