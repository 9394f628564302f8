//! Where an operator wants nodes to be looked for: domains, or servers.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

use pigeonhub_protocol::mesh::is_node_url;

use crate::{is_local, txt_name};

/// A domain, or a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Where its documents are.
    pub url: String,
    /// Where its TXT records are, if it has a name.
    pub dns: Option<String>,
    /// Whether it is of this machine or a private network.
    pub is_local: bool,
}

impl Domain {
    /// Reads `example.org`, `example.org:8443` or `https://example.org`; `None` if it is none of these.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let is_local = is_local(text);
        let url = match text.split_once("://") {
            Some(_) => text.trim_end_matches('/').to_owned(),
            None if is_local => format!("http://{text}"),
            None => format!("https://{text}"),
        };
        let (_, authority) = url.split_once("://")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if !is_node_url(&url) || !authority.chars().all(allowed) {
            return None;
        }
        let host = if authority.starts_with('[') { "" } else { authority.split(':').next()? };
        let has_name = !host.is_empty() && host.parse::<IpAddr>().is_err();
        Some(Self { dns: has_name.then(|| txt_name(host)), is_local, url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_documents_and_records_and_an_address_has_documents() {
        for (text, url, dns, is_local) in [
            ("a.example", "https://a.example", Some("_pigeonhub-bootstrap.a.example."), false),
            ("a.example:8443", "https://a.example:8443", Some("_pigeonhub-bootstrap.a.example."), false),
            ("http://a.example/", "http://a.example", Some("_pigeonhub-bootstrap.a.example."), false),
            ("mesh.test", "http://mesh.test", Some("_pigeonhub-bootstrap.mesh.test."), true),
            ("127.0.0.1:3000", "http://127.0.0.1:3000", None, true),
            ("https://[::1]:3000", "https://[::1]:3000", None, true),
        ] {
            let expected = Domain { url: url.into(), dns: dns.map(Into::into), is_local };
            assert_eq!(Domain::read(text), Some(expected), "{text}");
        }
        for junk in ["ftp://a.example", "https://a.example/path", "a b", "user@a.example", ""] {
            assert_eq!(Domain::read(junk), None, "{junk}");
        }
    }
}
