//! A node that wants proofs lets in whoever has one, and nobody else.

use pigeonhub_node_core::{Caller, Event};
use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::proof::{Claim, PROOF};
use pigeonhub_protocol::{MessageId, Millis, PeerId, PeerMessage, RawJson, SignalKind, limit};
use serde_json::{Value, json};

use crate::support::scene::Scene;
use crate::support::words::{NOW, ROOM, caller, network, peer};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn keyed() -> Caller {
    Caller { peer: PeerId::of_key(&key().verifying_key()), ..caller('a', 1) }
}

fn raw(value: &Value) -> RawJson {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// The data with the proof of the keyed peer that it said this, at this time.
fn signed(
    kind: &str,
    target: Option<PeerId>,
    id: Option<&MessageId>,
    timestamp: Millis,
    mut data: Value,
) -> RawJson {
    let (network, words) = (network(ROOM), raw(&data));
    let claim = Claim { kind, from: keyed().peer, target, network: &network, id, timestamp, data: &words };
    data[PROOF] = json!(claim.proof(&key()));
    raw(&data)
}

fn announce(caller: Caller, profile: RawJson) -> Event {
    Event::Said(caller, PeerMessage::Announce { network: network(ROOM), profile })
}

fn profile(timestamp: Millis) -> RawJson {
    signed("announce", None, None, timestamp, json!({"name": "x"}))
}

fn offer(target: char, data: RawJson, id: &MessageId) -> Event {
    let (kind, target, id) = (SignalKind::Offer, peer(target), Some(id.clone()));
    Event::Said(keyed(), PeerMessage::Signal { kind, target, data, id })
}

fn is_refused(scene: &Scene, event: Event) -> bool {
    let replies = scene.decision(event).replies;
    replies.iter().any(|frame| frame.as_str().contains("\"unverified\""))
}

#[test]
fn a_proven_announce_is_let_in() {
    let scene = Scene::default().proven();
    assert!(!is_refused(&scene, announce(keyed(), profile(NOW))));
    let with_away = profile(NOW).get().replacen('{', "{\"away\":true,", 1);
    assert!(!is_refused(&scene, announce(keyed(), serde_json::from_str(&with_away).unwrap())));
}

#[test]
fn what_is_not_proven_is_refused() {
    let scene = Scene::default().proven();
    let altered = profile(NOW).get().replace("\"x\"", "\"y\"");
    let refused = [
        announce(keyed(), raw(&json!({"name": "x"}))),
        announce(keyed(), serde_json::from_str(&altered).unwrap()),
        announce(caller('a', 1), profile(NOW)),
        announce(keyed(), profile(NOW.plus(limit::PROOF + 1))),
    ];
    for event in refused {
        assert!(is_refused(&scene, event.clone()), "{event:?}");
        assert!(!is_refused(&Scene::default(), event), "other nodes do not ask");
    }
}

#[test]
fn signals_need_a_proof_for_just_them() {
    let (scene, id) = (Scene::default().proven(), "m".parse().unwrap());
    let data = || signed("offer", Some(peer('b')), Some(&id), NOW, json!({"sdp": "v=0"}));
    assert!(!is_refused(&scene, offer('b', data(), &id)));
    assert!(is_refused(&scene, offer('c', data(), &id)), "for somebody else");
    assert!(is_refused(&scene, offer('b', data(), &"n".parse().unwrap())), "another message");
    assert!(is_refused(&scene, offer('b', raw(&json!({"sdp": "v=0"})), &id)));
}
