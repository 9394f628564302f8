//! The hosts of URLs.

use core::net::{IpAddr, Ipv6Addr};

/// Names that are of a local network only (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
const LOCAL_ENDINGS: [&str; 5] = [".localhost", ".local", ".internal", ".test", ".home.arpa"];

/// The host of an authority, without port and brackets.
fn host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

/// Whether a URL, an authority or a name is of this machine or of a private network: there plain
/// `ws` and `http` make sense, and nobody elsewhere can know what is there.
#[must_use]
pub fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host(rest.split('/').next().unwrap_or_default());
    match host.parse() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => is_local_v6(ip),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            !host.contains('.') || LOCAL_ENDINGS.iter().any(|ending| host.ends_with(ending))
        }
    }
}

fn is_local_v6(ip: Ipv6Addr) -> bool {
    ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback() || ip.is_private() || ip.is_link_local())
        || ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
}
