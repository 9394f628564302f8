//! The one thing that is read in SDP: which connection a description belongs to.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// Tells one `RTCPeerConnection` from another. A browser makes a certificate per connection, and
/// its fingerprint is in each of the connection's descriptions; where there is none, the session
/// id of the origin line (`o=`, constant for a connection by RFC 8829) stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(String);

/// The longest fingerprint in use (SHA-512) has 199 characters.
const LONGEST: usize = 256;

impl Fingerprint {
    pub(crate) fn of(sdp: &str) -> Option<Self> {
        let fingerprint = || sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:"));
        let origin = || sdp.lines().find_map(|line| line.strip_prefix("o=")?.split_whitespace().nth(1));
        let text = fingerprint().or_else(origin)?.trim();
        text.get(..text.len().min(LONGEST)).map(|text| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_known_by_its_certificate() {
        let first = Fingerprint::of("v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\na=fingerprint:sha-256 AA:BB\r\n");
        let again =
            Fingerprint::of("v=0\r\no=- 9 3 IN IP4 1.1.1.1\r\nm=audio\r\na=fingerprint:sha-256 AA:BB\r\n");
        let other = Fingerprint::of("v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\na=fingerprint:sha-256 CC:DD\r\n");
        assert!(first.is_some() && first == again && first != other);
    }

    #[test]
    fn without_certificate_the_session_id_counts_but_not_its_version() {
        let of = |origin| Fingerprint::of(origin);
        assert_eq!(of("v=0\no=- 1 2 IN IP4 x"), of("v=0\no=- 1 3 IN IP4 x"));
        assert_ne!(of("v=0\no=- 1 2 IN IP4 x"), of("v=0\no=- 2 2 IN IP4 x"));
        assert_eq!(of("v=0"), None);
    }
}
