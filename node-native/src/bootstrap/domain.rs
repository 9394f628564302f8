//! What an operator names in `BOOTSTRAP_DOMAINS`.

use std::net::IpAddr;

use pigeonhub_bootstrap::{is_local, txt_name};
use pigeonhub_protocol::mesh::is_node_url;

use crate::Error;

/// A domain, or a server.
#[derive(Debug, PartialEq, Eq)]
pub struct Domain {
    /// Where its documents are.
    pub url: String,
    /// Where its TXT records are, if it has a name.
    pub dns: Option<String>,
    /// Whether it is of this machine or a private network.
    pub is_local: bool,
}

/// Reads the list; blanks are left out.
///
/// # Errors
/// [`Error::Option`]: one of them is neither domain nor URL.
pub fn read(list: &[String]) -> Result<Vec<Domain>, Error> {
    list.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(read_one).collect()
}

fn read_one(text: &str) -> Result<Domain, Error> {
    let is_local = is_local(text);
    let url = match text.split_once("://") {
        Some(_) => text.trim_end_matches('/').to_owned(),
        None if is_local => format!("http://{text}"),
        None => format!("https://{text}"),
    };
    if !is_node_url(&url) || url.parse::<axum::http::Uri>().is_err() {
        let reason = format!("{text} is not of the form example.org or https://example.org");
        return Err(Error::Option { option: "BOOTSTRAP_DOMAINS", reason });
    }
    let authority = url.split_once("://").map_or("", |(_, authority)| authority);
    let host = if authority.starts_with('[') { "" } else { authority.split(':').next().unwrap_or_default() };
    let has_name = !host.is_empty() && host.parse::<IpAddr>().is_err();
    Ok(Domain { dns: has_name.then(|| txt_name(host)), url, is_local })
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
            assert_eq!(read(&[format!(" {text} "), String::new()]).unwrap(), [expected], "{text}");
        }
        for junk in ["ftp://a.example", "https://a.example/path", "a b", "user@a.example"] {
            assert!(read(&[junk.into()]).is_err(), "{junk}");
        }
    }
}
