//! What a node makes of nodes that it cannot dial: whom it asks for a way, whom it believes, and what
//! it passes on for others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_node_core::relay::{self, Seal};
use pigeonhub_node_core::rest::Reply;
use pigeonhub_node_core::{Detour, Impostor, Membership, MeshChange, Passage, Way};
use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor, Relayed};
use pigeonhub_protocol::{Code, Millis, Moment, NodeId};

fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn descriptor(name: &str) -> NodeDescriptor {
    NodeDescriptor {
        node_id: id(name),
        t: "ws".into(),
        u: format!("ws://{name}"),
        public_key: format!("key of {name}"),
        region: None,
        priority: None,
        version: String::new(),
        timestamp: Millis(0),
        more: Default::default(),
    }
}

/// What a node says that reaches these.
fn meeting(name: &str, reaches: &[&str]) -> Meeting {
    let nodes = reaches.iter().map(|name| descriptor(name)).collect();
    Meeting { node: descriptor(name), nodes, incarnation: 7 }
}

fn at(now: u64) -> Moment {
    Moment { now: Millis(now), seed: now.wrapping_mul(0x9e37_79b9) }
}

/// A mesh in which these are up since time 0, and each reaches all others.
fn mesh_with(names: &[&str]) -> Membership {
    let urls = names.iter().map(|name| format!("ws://{name}")).collect();
    let mut mesh = Membership::new(descriptor("me"), 1, urls);
    for name in names {
        mesh.met(&format!("http://{name}"), meeting(name, names), at(0)).unwrap();
    }
    mesh
}

fn relays(mesh: &Membership, name: &str) -> Vec<String> {
    let detours = mesh.detours(&format!("http://{name}"));
    assert!(detours.iter().all(|detour| detour.node == id(name)));
    detours.into_iter().map(|detour| detour.relay.to_string()).collect()
}

fn via(mesh: &Membership, name: &str) -> Option<String> {
    mesh.find(&id(name)).unwrap().via.as_ref().map(ToString::to_string)
}

#[test]
fn those_who_say_that_they_reach_a_node_are_asked_for_a_way_after_two_misses() {
    let mut mesh = mesh_with(&["b", "c"]);
    assert_eq!(relays(&mesh, "c"), [""; 0], "one missed heartbeat may be chance");
    assert_eq!(mesh.failed("http://c", at(5_000)), []);
    assert_eq!(relays(&mesh, "c"), ["b"]);
    assert_eq!(mesh.met_via("http://c", &id("b"), meeting("c", &[]), at(5_010)), Ok(vec![]));
    assert_eq!(via(&mesh, "c").as_deref(), Some("b"), "and nothing happened to the peers there");
    let detour = Detour { node: id("c"), relay: id("b"), url: "http://b".into() };
    let public_key = "key of c".into();
    assert_eq!(mesh.way(&id("c")), Some(Way::Via { detour, public_key }));
    assert_eq!(mesh.way(&id("b")), Some(Way::Direct("http://b".into())));
}

#[test]
fn who_does_not_reach_it_or_is_not_reached_itself_is_not_asked() {
    let mut mesh = mesh_with(&["b", "c", "d", "e", "f"]);
    mesh.failed("http://c", at(5_000));
    assert_eq!(relays(&mesh, "c"), ["b", "d"], "two are enough");
    mesh.met("http://b", meeting("b", &["d"]), at(5_000)).unwrap();
    mesh.left(&id("d"), at(5_000));
    assert_eq!(relays(&mesh, "c"), ["e", "f"]);
}

/// It would be two hops, and in the end a circle.
#[test]
fn a_node_that_is_reached_through_another_is_no_way_and_is_not_spoken_of() {
    let mut mesh = mesh_with(&["b", "c", "d"]);
    mesh.failed("http://c", at(5_000));
    mesh.met_via("http://c", &id("b"), meeting("c", &["d"]), at(5_010)).unwrap();
    mesh.failed("http://d", at(6_000));
    assert_eq!(relays(&mesh, "d"), ["b"]);
    let told: Vec<_> = mesh.greeting("http://b", Millis(6_000)).nodes;
    assert_eq!(told, [descriptor("b"), descriptor("d")]);
    assert_eq!(mesh.up().count(), 3);
}

#[test]
fn a_direct_answer_wins_and_nobody_notices() {
    let mut mesh = mesh_with(&["b", "c"]);
    mesh.failed("http://c", at(5_000));
    mesh.met_via("http://c", &id("b"), meeting("c", &[]), at(5_010)).unwrap();
    assert_eq!(mesh.due(Millis(11_000)), ["http://b", "http://c"], "it is dialled as ever");
    assert_eq!(mesh.met("http://c", meeting("c", &[]), at(11_010)), Ok(vec![]));
    assert_eq!(via(&mesh, "c"), None);
    // An answer that took the long way comes too late.
    assert_eq!(mesh.met_via("http://c", &id("b"), meeting("c", &[]), at(11_020)), Ok(vec![]));
    assert_eq!(via(&mesh, "c"), None);
}

#[test]
fn without_a_way_it_is_down() {
    let mut mesh = mesh_with(&["b", "c"]);
    mesh.failed("http://c", at(5_000));
    mesh.met_via("http://c", &id("b"), meeting("c", &[]), at(5_010)).unwrap();
    mesh.left(&id("b"), at(6_000));
    assert_eq!(mesh.way(&id("c")), None, "nor does its way lead anywhere");
    mesh.silent(&id("c"), Millis(6_000));
    assert_eq!(mesh.due(Millis(6_000)), ["http://c"]);
    assert_eq!(mesh.failed("http://c", at(6_010)), [MeshChange::Down(id("c"))]);
    assert_eq!(via(&mesh, "c"), None);
}

/// Both sides learn of each other by the one in the middle only.
#[test]
fn a_node_that_was_never_reached_is_reached_on_the_word_of_one_that_does() {
    let mut mesh = mesh_with(&["b"]);
    mesh.met("http://b", meeting("b", &["c"]), at(10)).unwrap();
    assert_eq!(mesh.due(Millis(10)), ["http://c"]);
    assert_eq!(relays(&mesh, "c"), ["b"]);
    let up = Ok(vec![MeshChange::Up(id("c"))]);
    assert_eq!(mesh.met_via("http://c", &id("b"), meeting("c", &[]), at(20)), up);

    let mut other = mesh_with(&["b"]);
    assert_eq!(other.heard_via(&id("b"), meeting("c", &["b"]), at(10)), Ok(vec![]));
    assert_eq!(other.due(Millis(10)), ["http://c"]);
    assert_eq!(relays(&other, "c"), ["b"], "the way there is the way back");
}

#[test]
fn who_answers_through_another_is_who_was_asked_for() {
    let mut mesh = mesh_with(&["b"]);
    mesh.met("http://b", meeting("b", &["c"]), at(10)).unwrap();
    let mut answer = |meeting| mesh.met_via("http://c", &id("b"), meeting, at(20));
    assert_eq!(answer(meeting("d", &[])), Err(Impostor));
    assert_eq!(answer(meeting("me", &[])), Err(Impostor));
    let mut elsewhere = meeting("c", &[]);
    elsewhere.node.u = "ws://elsewhere".into();
    assert_eq!(answer(elsewhere), Err(Impostor));
    assert_eq!(mesh.up().count(), 1);
}

#[test]
fn a_key_that_was_found_is_not_replaced_on_the_word_of_another() {
    let thief = || {
        let mut thief = meeting("c", &[]);
        thief.node.public_key = "another".into();
        thief
    };
    let mut mesh = mesh_with(&["b", "c"]);
    mesh.failed("http://c", at(5_000));
    assert_eq!(mesh.met_via("http://c", &id("b"), thief(), at(5_010)), Err(Impostor));
    assert_eq!(mesh.failed("http://c", at(5_010)), [MeshChange::Down(id("c"))]);
    assert_eq!(mesh.met_via("http://c", &id("b"), thief(), at(5_020)), Err(Impostor));
    assert_eq!(mesh.heard_via(&id("b"), thief(), at(5_020)), Err(Impostor));
    assert_eq!(mesh.heard_via(&id("b"), meeting("c", &[]), at(5_030)), Ok(vec![]));
}

#[test]
fn the_word_of_another_gives_way_to_what_is_found() {
    let mut mesh = mesh_with(&["b"]);
    mesh.met("http://b", meeting("b", &["c"]), at(10)).unwrap();
    let mut vouched = meeting("c", &[]);
    vouched.node.public_key = "another".into();
    mesh.met_via("http://c", &id("b"), vouched, at(20)).unwrap();
    let expected = vec![MeshChange::Restarted(id("c")), MeshChange::Up(id("c"))];
    assert_eq!(mesh.met("http://c", meeting("c", &[]), at(30)), Ok(expected));
    assert_eq!(mesh.find(&id("c")).unwrap().descriptor, Some(descriptor("c")));

    // Found at another URL than the one that was spoken of.
    let mut mesh = mesh_with(&["b", "moved"]);
    mesh.met("http://b", meeting("b", &["c"]), at(10)).unwrap();
    let mut vouched = meeting("c", &[]);
    vouched.node.public_key = "another".into();
    mesh.met_via("http://c", &id("b"), vouched, at(20)).unwrap();
    assert!(mesh.met("http://moved", meeting("c", &[]), at(30)).is_ok());
    assert_eq!(mesh.find(&id("c")).unwrap().descriptor, Some(descriptor("c")));
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&[name.as_bytes()[0]; 32])
}

fn relayed(from: &str, to: &str, path: &str) -> Relayed {
    let (key, node) = (key(from), id(from));
    Seal { key: &key, node: &node, secret: None }.wrap(&id(to), path, b"{}", 1_000, "once").unwrap()
}

#[test]
fn a_node_passes_on_what_its_neighbours_say_themselves_and_one_hop_only() {
    let mut mesh = mesh_with(&["b", "c", "d"]);
    let passage = |mesh: &Membership, by, relayed| mesh.passage(&id(by), &relayed);
    let route = "/api/route-signal";
    assert_eq!(passage(&mesh, "b", relayed("b", "c", route)), Ok(Passage::On("http://c".into())));
    for (by, from, to, path, code) in [
        ("b", "x", "c", route, Code::Forbidden),
        ("b", "d", "c", route, Code::Forbidden),
        ("x", "x", "c", route, Code::Forbidden),
        ("b", "b", "x", route, Code::NodeUnreachable),
        ("b", "b", "c", "/api/relay", Code::Forbidden),
        ("b", "b", "c", "/signaling/exchange", Code::Forbidden),
    ] {
        assert_eq!(passage(&mesh, by, relayed(from, to, path)), Err(code), "{from} by {by}: {path} to {to}");
    }
    let mut unsigned = relayed("b", "c", route);
    unsigned.proof.signature.clear();
    assert_eq!(passage(&mesh, "b", unsigned), Err(Code::Unauthorized));

    mesh.failed("http://c", at(5_000));
    mesh.met_via("http://c", &id("d"), meeting("c", &[]), at(5_010)).unwrap();
    assert_eq!(passage(&mesh, "b", relayed("b", "c", route)), Err(Code::NodeUnreachable));
}

#[test]
fn only_who_is_reached_directly_brings_what_others_say() {
    let mut mesh = mesh_with(&["b", "c"]);
    let passage = |mesh: &Membership, by, from| mesh.passage(&id(by), &relayed(from, "me", "/api/meet"));
    assert_eq!(passage(&mesh, "b", "x"), Ok(Passage::Here));
    assert_eq!(passage(&mesh, "b", "b"), Err(Code::Forbidden), "that speaks for itself");
    assert_eq!(passage(&mesh, "x", "y"), Err(Code::Forbidden));
    mesh.failed("http://b", at(5_000));
    mesh.met_via("http://b", &id("c"), meeting("b", &[]), at(5_010)).unwrap();
    assert_eq!(passage(&mesh, "b", "x"), Err(Code::Forbidden));
}

#[test]
fn an_answer_is_of_the_node_that_was_asked_and_to_this_request() {
    let (request, other) = (relayed("b", "c", "/api/leave"), relayed("b", "c", "/api/meet"));
    let (key, node) = (key("c"), id("c"));
    let seal = Seal { key: &key, node: &node, secret: None };
    let answer = |request| {
        let reply = seal.answer(request, Reply::ok(&1));
        serde_json::from_str(&reply.body).unwrap()
    };
    let opened = |answer, key: &SigningKey| relay::opened(&request, answer, &key.verifying_key(), None);
    let (status, body) = opened(answer(&request), &key).unwrap();
    assert_eq!((status, body.get()), (200, "1"));
    assert!(opened(answer(&other), &key).is_none());
    assert!(opened(answer(&request), &self::key("d")).is_none());
    let mut altered: pigeonhub_protocol::mesh::RelayedAnswer = answer(&request);
    altered.status = 401;
    assert!(opened(altered, &key).is_none());
}
