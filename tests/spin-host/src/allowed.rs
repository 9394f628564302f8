//! `allowed_outbound_hosts`: where a component may send requests, in the words of a Spin manifest.

use std::ops::Range;

use anyhow::{Context, Result, bail};
use hyper::Uri;

/// One entry: `<scheme>://<host>[:<port>]`.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// `None` is any.
    scheme: Option<String>,
    host: Host,
    ports: Range<u32>,
}

#[derive(Clone, Debug)]
enum Host {
    Any,
    /// With the dot in front.
    Below(String),
    Exactly(String),
}

impl Allowed {
    pub(crate) fn parse(entry: &str) -> Result<Self> {
        let (scheme, rest) = entry.split_once("://").with_context(|| format!("{entry:?} has no scheme"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // A colon inside brackets belongs to an IPv6 address.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if host.contains('/') {
            bail!("{entry:?}: paths and address ranges are not supported");
        }
        let ports = match port {
            Some("*") => 0..u32::from(u16::MAX) + 1,
            Some(port) => ports(port).with_context(|| format!("{entry:?}: bad port"))?,
            None => {
                let port =
                    usual_port(scheme).with_context(|| format!("{entry:?}: the scheme has no usual port"))?;
                port..port + 1
            }
        };
        let host = match host.strip_prefix("*.") {
            _ if host == "*" => Host::Any,
            Some(domain) if !domain.contains('*') => Host::Below(format!(".{domain}")),
            None if !host.contains('*') && !host.is_empty() => Host::Exactly(host.to_owned()),
            _ => bail!("{entry:?}: a host is a name, *, or *.name"),
        };
        Ok(Self { scheme: (scheme != "*").then(|| scheme.to_owned()), host, ports })
    }

    pub(crate) fn allows(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
        let port = uri.port_u16().map(u32::from).or_else(|| usual_port(scheme));
        let host_fits = match &self.host {
            Host::Any => true,
            Host::Below(domain) => host.to_ascii_lowercase().ends_with(domain),
            Host::Exactly(name) => host.eq_ignore_ascii_case(name),
        };
        host_fits
            && self.scheme.as_deref().is_none_or(|known| known == scheme)
            && port.is_some_and(|port| self.ports.contains(&port))
    }
}

/// `80`, or `8000..8010` without the last.
fn ports(text: &str) -> Result<Range<u32>> {
    if let Some((first, end)) = text.split_once("..") {
        return Ok(first.parse::<u16>()?.into()..end.parse::<u16>()?.into());
    }
    let port = u32::from(text.parse::<u16>()?);
    Ok(port..port + 1)
}

fn usual_port(scheme: &str) -> Option<u32> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        Allowed::parse(entry).unwrap().allows(&uri.parse().unwrap())
    }

    #[test]
    fn an_entry_allows_what_it_names() {
        for (entry, uri) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/x?y"),
            ("http://127.0.0.1:*", "http://127.0.0.1:9/"),
            ("http://*:*", "http://node.example/"),
            ("*://*:*", "https://node.example/"),
            ("http://node.example", "http://Node.Example/"),
            ("https://node.example/", "https://node.example:443/"),
            ("http://*.example:80", "http://a.b.example/"),
            ("http://localhost:8000..8010", "http://localhost:8009/"),
            ("http://[::1]:80", "http://[::1]/"),
            ("http://[::1]", "http://[::1]/"),
        ] {
            assert!(allows(entry, uri), "{entry} {uri}");
        }
    }

    #[test]
    fn an_entry_allows_nothing_else() {
        for (entry, uri) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3001/"),
            ("http://127.0.0.1:3000", "https://127.0.0.1:3000/"),
            ("http://node.example", "http://node.example:8080/"),
            ("http://*.example", "http://example/"),
            ("http://*.example", "http://badexample/"),
            ("http://localhost:8000..8010", "http://localhost:8010/"),
            ("http://*:*", "/relative"),
        ] {
            assert!(!allows(entry, uri), "{entry} {uri}");
        }
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for entry in
            ["", "*", "localhost:80", "http://a.*:80", "http://:80", "http://a/b", "http://a:x", "*://a"]
        {
            assert!(Allowed::parse(entry).is_err(), "{entry}");
        }
    }
}
