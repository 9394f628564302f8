//! A request as Spin hands it to a component of the route `/...`.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, Uri};

/// Makes the URI absolute and tells the component in headers what it cannot know.
///
/// Spin *adds* its headers: those of the same name that the client sent stay, in front of Spin's.
pub(crate) fn complete<B>(request: &mut Request<B>, client: SocketAddr) -> Result<()> {
    let authority = authority_of(request)?;
    request.headers_mut().remove(CONNECTION);
    if request.headers().values().any(|value| std::str::from_utf8(value.as_bytes()).is_err()) {
        bail!("a header is not UTF-8");
    }

    let mut parts = request.uri().clone().into_parts();
    let path_and_query = parts.path_and_query.as_ref().map_or("/", |path| path.as_str()).to_owned();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(parts)?;

    let host = match request.headers().get(HOST) {
        Some(host) => host.to_str()?,
        None => "localhost",
    };
    let full_url = format!("http://{host}{path_and_query}");
    let path = request.uri().path().to_owned();
    for (name, value) in [
        ("spin-path-info", path),
        ("spin-full-url", full_url),
        ("spin-matched-route", "/...".to_owned()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", "/...".to_owned()),
        ("spin-component-route", String::new()),
        ("spin-client-addr", client.to_string()),
    ] {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(())
}

/// From the `Host` header or the URI, which must agree.
fn authority_of<B>(request: &Request<B>) -> Result<Authority> {
    let named: Option<Authority> =
        request.headers().get(HOST).map(|host| anyhow::Ok(host.to_str()?.parse()?)).transpose()?;
    match (named, request.uri().authority()) {
        (Some(named), Some(other)) if named != *other => bail!("Host header and URI differ"),
        (Some(named), _) => Ok(named),
        (None, other) => other.cloned().context("a request without Host"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(request: hyper::http::request::Builder) -> Result<Request<()>> {
        let mut request = request.body(())?;
        complete(&mut request, ([127, 0, 0, 1], 7).into())?;
        Ok(request)
    }

    #[test]
    fn a_request_carries_what_spin_tells() {
        let request = completed(Request::get("/a/b?c=d").header("host", "node.example:3000")).unwrap();
        let header = |name| request.headers()[name].to_str().unwrap();
        assert_eq!(request.uri(), "http://node.example:3000/a/b?c=d");
        assert_eq!(header("spin-full-url"), "http://node.example:3000/a/b?c=d");
        assert_eq!(header("spin-path-info"), "/a/b");
        assert_eq!(header("spin-component-route"), "");
        assert_eq!(header("spin-client-addr"), "127.0.0.1:7");
    }

    #[test]
    fn what_a_client_forges_stays_in_front_of_the_truth() {
        let request = Request::get("/").header("host", "a").header("spin-client-addr", "1.2.3.4:5");
        let request = completed(request).unwrap();
        let values: Vec<_> = request.headers().get_all("spin-client-addr").iter().collect();
        assert_eq!(values, ["1.2.3.4:5", "127.0.0.1:7"]);
    }

    #[test]
    fn a_request_for_nobody_is_refused() {
        assert!(completed(Request::get("/")).is_err());
        assert!(completed(Request::get("http://a/").header("host", "b")).is_err());
        assert!(completed(Request::get("/").header("host", "a b")).is_err());
    }
}
