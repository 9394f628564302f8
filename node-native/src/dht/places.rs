//! Places: who announced itself under a name. Anybody can announce anything, so an address is only
//! somebody to ask.

use std::net::{Ipv4Addr, SocketAddrV4};

use futures_util::StreamExt;
use mainline::Id;
use mainline::async_dht::AsyncDht;
use sha1::{Digest, Sha1};
use tokio::time::timeout;

use super::board::PATIENCE;

/// Addresses of one name that are looked at.
const MOST: usize = 64;

/// The name under which the nodes of an app announce themselves.
pub fn of_app(app: &str) -> String {
    format!("signal:{app}")
}

/// The name under which nodes announce that they keep a topic.
pub fn of_topic(topic: &str) -> String {
    format!("record:{topic}")
}

fn hash(name: &str) -> Id {
    let hash: [u8; 20] = Sha1::digest(name).into();
    hash.into()
}

/// Announces that this node is at this TCP port of its address.
pub async fn announce(dht: &AsyncDht, name: &str, port: u16) -> Result<(), String> {
    match timeout(PATIENCE, dht.announce_peer(hash(name), Some(port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}

/// The URLs of those who announced themselves.
pub async fn find(dht: &AsyncDht, name: &str, is_local: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut answers = dht.get_peers(hash(name));
    let all = async {
        while let Some(places) = answers.next().await {
            for place in places {
                if may_be_asked(place, is_local) && !found.contains(&place) {
                    found.push(place);
                }
            }
            if found.len() >= MOST {
                return;
            }
        }
    };
    // What came until then is used.
    let _ = timeout(PATIENCE, all).await;
    found.truncate(MOST);
    found.into_iter().map(|place| format!("http://{place}")).collect()
}

/// Whether an address may be asked. Anybody could make this node ask machines beside it, were it not
/// for this; in a private DHT they are where the others are.
fn may_be_asked(place: SocketAddrV4, is_local: bool) -> bool {
    place.port() != 0 && if is_local { !place.ip().is_broadcast() } else { is_public(*place.ip()) }
}

fn is_public(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_protocol = a == 192 && b == 0 && ip.octets()[2] == 0;
    // From 224 on: multicast, reserved, broadcast.
    !(a == 0 || a >= 224 || ip.is_loopback() || ip.is_private() || ip.is_link_local())
        && !(ip.is_documentation() || is_shared || is_benchmark || is_protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_beside_this_one_are_asked_in_a_private_dht_only() {
        for local in [
            "127.0.0.1:80",
            "10.0.0.1:80",
            "172.16.0.1:80",
            "192.168.1.1:80",
            "169.254.169.254:80",
            "100.64.0.1:80",
            "0.0.0.0:80",
            "198.18.0.1:80",
        ] {
            let place = local.parse().unwrap();
            assert!(!may_be_asked(place, false), "{local}");
            assert!(may_be_asked(place, true), "{local}");
        }
        for nobody in ["224.0.0.1:80", "255.255.255.255:80", "8.8.8.8:0", "192.0.2.1:80"] {
            assert!(!may_be_asked(nobody.parse().unwrap(), false), "{nobody}");
        }
        assert!(may_be_asked("8.8.8.8:3000".parse().unwrap(), false));
    }
}
