//! Tickets, sealed by the node. Over HTTP: who a caller is, so that no table of sessions is kept and
//! nobody reads another's mail by naming it. For sockets: whose the next one is.

use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use pigeonhub_protocol::{Code, Millis, NetworkName, PeerId, Ticket};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Caller, SessionId};

/// How long a ticket is good for, unless a later answer brings a new one.
pub const TICKET: u64 = 10 * 60 * 1000;

/// The node's secret for sealing tickets.
#[derive(Clone)]
pub struct TicketKey([u8; 32]);

impl core::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TicketKey(…)")
    }
}

impl TicketKey {
    /// Made from the node's secret key; tells nothing about it.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(Sha256::new().chain_update(b"pigeonhub ticket\0").chain_update(secret).finalize().into())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        mac.unwrap_or_else(|_| unreachable!("any length will do")).chain_update(text.as_bytes())
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    peer: PeerId,
    session: u64,
    network: Option<NetworkName>,
    until: Millis,
}

/// Seals a caller into a ticket.
#[must_use]
pub fn seal(caller: &Caller, key: &TicketKey, now: Millis) -> String {
    let Caller { peer, session, network } = caller;
    let written =
        Written { peer: *peer, session: session.0, network: network.clone(), until: now.plus(TICKET) };
    let text = URL_SAFE_NO_PAD.encode(serde_json::to_string(&written).unwrap_or_default());
    let mac = URL_SAFE_NO_PAD.encode(key.mac(&text).finalize().into_bytes());
    format!("{text}.{mac}")
}

/// Opens a ticket.
///
/// # Errors
/// [`Code::TicketInvalid`]: not sealed by this node. [`Code::TicketExpired`].
pub fn open(ticket: &str, key: &TicketKey, now: Millis) -> Result<Caller, Code> {
    let read = || {
        let (text, mac) = ticket.split_once('.')?;
        key.mac(text).verify_slice(&URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        serde_json::from_slice::<Written>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    };
    let Written { peer, session, network, until } = read().ok_or(Code::TicketInvalid)?;
    if until <= now {
        return Err(Code::TicketExpired);
    }
    Ok(Caller { peer, session: SessionId(session), network })
}

/// The ticket of a socket's session: whoever shows it on another socket may take that session over.
/// It is good as long as the session is the peer's present one, so it needs no time.
#[must_use]
pub fn of_socket(peer: &PeerId, session: SessionId, key: &TicketKey) -> Ticket {
    let text = socket_text(peer, session);
    let mac = URL_SAFE_NO_PAD.encode(key.mac(&text).finalize().into_bytes());
    mac.parse().unwrap_or_else(|_| unreachable!("43 characters of base64"))
}

/// Whether this is the ticket of that session.
#[must_use]
pub fn is_of_socket(ticket: &Ticket, peer: &PeerId, session: SessionId, key: &TicketKey) -> bool {
    let mac = URL_SAFE_NO_PAD.decode(ticket.as_str()).unwrap_or_default();
    key.mac(&socket_text(peer, session)).verify_slice(&mac).is_ok()
}

/// What is sealed: unlike any ticket of a visit, which has no spaces.
fn socket_text(peer: &PeerId, session: SessionId) -> String {
    format!("socket {peer} {}", session.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unaltered_ticket_of_this_node_opens_and_only_in_its_time() {
        let key = TicketKey::from_secret(&[1; 32]);
        let caller = Caller {
            peer: PeerId::from_bytes([7; 20]),
            session: SessionId(u64::MAX),
            network: Some("room".parse().unwrap()),
        };
        let ticket = seal(&caller, &key, Millis(1000));
        assert_eq!(open(&ticket, &key, Millis(2000)), Ok(caller.clone()));
        assert_eq!(open(&ticket, &key, Millis(1000 + TICKET)), Err(Code::TicketExpired));

        let other = seal(&Caller { session: SessionId(1), ..caller }, &key, Millis(1000));
        let (text, mac) = (ticket.split_once('.').unwrap().0, other.split_once('.').unwrap().1);
        for forged in [format!("{text}.{mac}"), format!("{text}."), text.into(), String::new()] {
            assert_eq!(open(&forged, &key, Millis(2000)), Err(Code::TicketInvalid), "{forged}");
        }
        let another_node = TicketKey::from_secret(&[2; 32]);
        assert_eq!(open(&ticket, &another_node, Millis(2000)), Err(Code::TicketInvalid));
    }

    #[test]
    fn a_sockets_ticket_is_good_for_its_session_only() {
        let (key, another_node) = (TicketKey::from_secret(&[1; 32]), TicketKey::from_secret(&[2; 32]));
        let (peer, other) = (PeerId::from_bytes([7; 20]), PeerId::from_bytes([8; 20]));
        let ticket = of_socket(&peer, SessionId(3), &key);
        assert!(is_of_socket(&ticket, &peer, SessionId(3), &key));
        assert!(!is_of_socket(&ticket, &peer, SessionId(4), &key));
        assert!(!is_of_socket(&ticket, &other, SessionId(3), &key));
        assert!(!is_of_socket(&ticket, &peer, SessionId(3), &another_node));
        assert!(!is_of_socket(&"x".parse().unwrap(), &peer, SessionId(3), &key));
        assert_eq!(open(ticket.as_str(), &key, Millis(0)), Err(Code::TicketInvalid));
    }
}
