//! What a node makes of other nodes: when it dials whom, whom it believes, when it gives one up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_node_core::{Impostor, Membership, MeshChange, Standing};
use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor};
use pigeonhub_protocol::{Millis, Moment, NodeId};

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

fn meeting(name: &str) -> Meeting {
    Meeting { node: descriptor(name), nodes: Vec::new(), incarnation: 7 }
}

fn at(now: u64) -> Moment {
    Moment { now: Millis(now), seed: now.wrapping_mul(0x9e37_79b9) }
}

fn mesh(bootstrap: &[&str]) -> Membership {
    Membership::new(descriptor("me"), 1, bootstrap.iter().map(|url| (*url).to_owned()).collect())
}

/// A mesh in which these are up since time 0.
fn mesh_with(names: &[&str]) -> Membership {
    let urls: Vec<_> = names.iter().map(|name| format!("ws://{name}")).collect();
    let mut mesh = mesh(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    mesh.due(Millis(0));
    for name in names {
        mesh.met(&format!("http://{name}"), meeting(name), at(0)).unwrap();
    }
    mesh
}

fn standing(mesh: &Membership, name: &str) -> Standing {
    mesh.find(&id(name)).unwrap().standing
}

#[test]
fn a_clock_that_is_set_back_stops_no_heartbeat() {
    let mut mesh = mesh_with(&["a"]);
    assert_eq!(mesh.due(Millis(5_000)), ["http://a"]);
    mesh.met("http://a", meeting("a"), at(1_000_000)).unwrap();
    assert_eq!(mesh.due(Millis(900_000)), ["http://a"]);
    assert!(mesh.due(Millis(900_001)).is_empty(), "once");
}

#[test]
fn bootstrap_peers_are_dialled_at_once_and_then_as_heartbeats() {
    let mut mesh = mesh(&["wss://a.example/", " ws://b:3000 ", "junk", "ws://a b", "ws://me"]);
    assert_eq!(mesh.due(Millis(0)), ["https://a.example", "http://b:3000"]);
    assert!(mesh.due(Millis(100)).is_empty(), "a dial is under way");
    mesh.met("http://b:3000", meeting("b"), at(200)).unwrap();
    assert!(mesh.due(Millis(4_000)).is_empty());
    assert_eq!(mesh.due(Millis(5_200)), ["http://b:3000"]);
    // A dial without any outcome is not waited for in eternity.
    assert_eq!(mesh.due(Millis(15_000)), ["https://a.example"]);
}

#[test]
fn who_answers_is_up_once() {
    let mut mesh = mesh(&["ws://b"]);
    mesh.due(Millis(100));
    assert_eq!(mesh.met("http://b", meeting("b"), at(130)), Ok(vec![MeshChange::Up(id("b"))]));
    assert_eq!(mesh.met("http://b", meeting("b"), at(5_000)), Ok(vec![]));
    assert_eq!(mesh.find(&id("b")).unwrap().round_trip, Some(4_900));
    assert_eq!(mesh.up().count(), 1);
}

#[test]
fn being_met_only_makes_us_dial() {
    let mut mesh = mesh(&[]);
    assert_eq!(mesh.heard(meeting("b"), at(10)), Ok(vec![]));
    assert_eq!(standing(&mesh, "b"), Standing::Unknown);
    assert_eq!(mesh.due(Millis(10)), ["http://b"]);
    assert_eq!(mesh.met("http://b", meeting("b"), at(20)), Ok(vec![MeshChange::Up(id("b"))]));
}

#[test]
fn a_new_incarnation_is_forgotten_and_told_anew() {
    let mut mesh = mesh_with(&["b", "c"]);
    let anew = |name| Meeting { incarnation: 8, ..meeting(name) };
    let restarted = vec![MeshChange::Restarted(id("b")), MeshChange::Up(id("b"))];
    assert_eq!(mesh.met("http://b", anew("b"), at(100)), Ok(restarted));

    // Heard of it before we dialled: forgotten at once, told only when our dial is answered.
    assert_eq!(mesh.heard(anew("c"), at(100)), Ok(vec![MeshChange::Restarted(id("c"))]));
    assert_eq!(mesh.due(Millis(100)), ["http://c"]);
    assert_eq!(mesh.met("http://c", anew("c"), at(120)), Ok(vec![MeshChange::Up(id("c"))]));
}

#[test]
fn one_missed_heartbeat_is_asked_again_and_two_are_down() {
    let mut mesh = mesh_with(&["b"]);
    assert_eq!(mesh.failed("http://b", at(5_000)), []);
    assert_eq!(mesh.due(Millis(5_000)), ["http://b"]);
    assert_eq!(mesh.failed("http://b", at(5_001)), [MeshChange::Down(id("b"))]);
    assert_eq!(mesh.failed("http://b", at(5_500)), []);
    assert_eq!(mesh.up().count(), 0);
}

/// The pauses after so many failures in a row.
fn pauses(mesh: &mut Membership, url: &str, count: usize) -> Vec<u64> {
    let (mut now, mut pauses) = (0, Vec::new());
    while pauses.len() < count {
        if mesh.due(Millis(now)).iter().any(|due| due == url) {
            mesh.failed(url, at(now));
            pauses.push(mesh.at(url).unwrap().next_try.0 - now);
        }
        now += 50;
    }
    pauses
}

#[test]
fn who_was_met_or_is_configured_is_asked_as_often_as_when_it_was_up() {
    let mut met = mesh(&[]);
    met.heard(meeting("b"), at(0)).unwrap();
    for mut mesh in [mesh(&["ws://b"]), met] {
        let pauses = pauses(&mut mesh, "http://b", 40);
        assert!(pauses[0] <= 500 && pauses[0] >= 250, "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| (2_500..=5_000).contains(pause)), "{pauses:?}");
        assert!(pauses[10..].windows(2).any(|pair| pair[0] != pair[1]), "no jitter");
    }
}

#[test]
fn who_was_only_heard_of_is_asked_less_and_less() {
    let mut mesh = mesh(&[]);
    mesh.suggest("ws://b", Millis(0));
    let pauses = pauses(&mut mesh, "http://b", 20);
    assert!(pauses[0] <= 500 && pauses[0] >= 250, "{pauses:?}");
    assert!(pauses[10..].iter().all(|pause| (15_000..=30_000).contains(pause)), "{pauses:?}");
}

#[test]
fn who_comes_back_hears_a_new_incarnation_of_us() {
    let mut mesh = mesh_with(&["b", "c"]);
    let said = |mesh: &Membership, name| mesh.greeting(&format!("http://{name}"), Millis(0)).incarnation;
    let before = (said(&mesh, "b"), said(&mesh, "c"));
    assert_eq!(mesh.lost(&id("b"), at(100)), [MeshChange::Down(id("b"))]);
    assert_eq!(mesh.due(Millis(100)), ["http://b"], "it may be well, so it is dialled at once");
    assert_ne!(said(&mesh, "b"), before.0);
    assert_eq!(mesh.answer(&id("b"), Millis(0)).incarnation, said(&mesh, "b"));
    assert_eq!(said(&mesh, "c"), before.1, "the others have nothing to do with it");
    assert_eq!(mesh.met("http://b", meeting("b"), at(110)), Ok(vec![MeshChange::Up(id("b"))]));
}

/// The dial said nothing of the loss, so the other node would keep what it is no longer told of.
#[test]
fn an_answer_to_a_dial_from_before_a_loss_does_not_count() {
    let mut mesh = mesh_with(&["b"]);
    assert_eq!(mesh.due(Millis(6_000)), ["http://b"]);
    mesh.lost(&id("b"), at(6_010));
    assert_eq!(mesh.met("http://b", meeting("b"), at(6_020)), Ok(vec![]));
    assert_eq!(mesh.due(Millis(6_020)), ["http://b"]);
    assert_eq!(mesh.met("http://b", meeting("b"), at(6_030)), Ok(vec![MeshChange::Up(id("b"))]));
}

#[test]
fn what_does_not_reach_a_node_is_a_reason_to_dial_it_once() {
    let mut mesh = mesh_with(&["b"]);
    for now in [1_000, 1_001] {
        mesh.silent(&id("b"), Millis(now));
    }
    assert_eq!(standing(&mesh, "b"), Standing::Up);
    assert_eq!(mesh.due(Millis(1_001)), ["http://b"]);
    mesh.silent(&id("b"), Millis(1_002));
    assert!(mesh.due(Millis(1_002)).is_empty(), "a dial is under way");
    assert_eq!(mesh.failed("http://b", at(1_100)), [MeshChange::Down(id("b"))]);
}

#[test]
fn who_leaves_is_down_until_it_speaks() {
    let mut mesh = mesh_with(&["b"]);
    assert_eq!(mesh.left(&id("b"), at(100)), [MeshChange::Down(id("b"))]);
    assert!(mesh.due(Millis(2_000)).is_empty());
    mesh.spoke(&id("b"), Millis(2_000));
    assert_eq!(mesh.due(Millis(2_000)), ["http://b"]);
}

#[test]
fn hearsay_is_dialled_and_not_believed() {
    let mut mesh = mesh(&["ws://b"]);
    mesh.due(Millis(0));
    let nodes = vec![descriptor("c"), descriptor("me"), descriptor("b")];
    mesh.met("http://b", Meeting { nodes, ..meeting("b") }, at(10)).unwrap();
    assert_eq!(mesh.find(&id("c")).map(|contact| &contact.url), None, "nobody at c has spoken yet");
    assert_eq!(mesh.due(Millis(10)), ["http://c"]);
    let told: Vec<_> = mesh.greeting("http://c", Millis(10)).nodes;
    assert_eq!(told, [descriptor("b")]);
    // Who answers there is what counts.
    mesh.met("http://c", meeting("d"), at(20)).unwrap();
    assert_eq!(mesh.find(&id("d")).unwrap().url, "http://c");
}

#[test]
fn hearsay_has_an_end() {
    let mut mesh = mesh(&["ws://b"]);
    let nodes = (0..1000).map(|number| descriptor(&format!("n{number}"))).collect();
    mesh.met("http://b", Meeting { nodes, ..meeting("b") }, at(10)).unwrap();
    assert_eq!(mesh.contacts().len(), 256);
}

#[test]
fn only_what_was_heard_of_is_forgotten() {
    let mut mesh = mesh(&["ws://b"]);
    mesh.heard(meeting("c"), at(0)).unwrap();
    let mut now = 0;
    while now < 11 * 60 * 1000 {
        for url in mesh.due(Millis(now)) {
            mesh.failed(&url, at(now));
        }
        now += 1000;
    }
    let urls: Vec<_> = mesh.contacts().iter().map(|contact| contact.url.as_str()).collect();
    assert_eq!(urls, ["http://b"]);
}

#[test]
fn oneself_is_recognised_by_id_and_key() {
    let mut mesh = mesh(&["ws://other-name-of-me", "ws://b"]);
    mesh.due(Millis(0));
    assert_eq!(mesh.met("http://other-name-of-me", meeting("me"), at(10)), Ok(vec![]));
    assert_eq!(mesh.contacts().len(), 1);
    assert_eq!(mesh.heard(meeting("me"), at(10)), Ok(vec![]));
    let mut thief = meeting("me");
    thief.node.public_key = "another".into();
    assert_eq!(mesh.met("http://b", thief.clone(), at(10)), Err(Impostor));
    assert_eq!(mesh.heard(thief, at(10)), Err(Impostor));
    assert_eq!(mesh.up().count(), 0);
}

#[test]
fn two_urls_of_one_node_are_one_node() {
    let mut mesh = mesh(&["ws://b", "ws://alias-of-b"]);
    mesh.due(Millis(0));
    assert_eq!(mesh.met("http://b", meeting("b"), at(10)), Ok(vec![MeshChange::Up(id("b"))]));
    assert_eq!(mesh.met("http://alias-of-b", meeting("b"), at(20)), Ok(vec![]));
    assert_eq!(mesh.contacts().len(), 1);
    // When one of them fails the other is tried.
    mesh.failed("http://alias-of-b", at(30));
    mesh.failed("http://alias-of-b", at(40));
    assert_eq!(mesh.due(Millis(10_000)), ["http://b"]);
    assert_eq!(mesh.met("http://b", meeting("b"), at(10_010)), Ok(vec![MeshChange::Up(id("b"))]));
}

#[test]
fn an_id_belongs_to_its_key_while_its_holder_is_up() {
    let mut mesh = mesh_with(&["b"]);
    let mut thief = meeting("b");
    thief.node.public_key = "another".into();
    thief.node.u = "ws://thief".into();
    assert_eq!(mesh.heard(thief.clone(), at(10)), Err(Impostor));
    assert_eq!(mesh.find(&id("b")).unwrap().descriptor, Some(descriptor("b")));
    // When it is gone for good the name is free: a node without a fixed key may have moved.
    mesh.failed("http://b", at(20));
    mesh.failed("http://b", at(30));
    assert!(mesh.heard(thief, at(40)).is_ok());
}

#[test]
fn the_same_url_with_a_new_key_has_restarted() {
    let mut mesh = mesh_with(&["b"]);
    let mut anew = meeting("b");
    anew.node.public_key = "a fresh one".into();
    let expected = vec![MeshChange::Restarted(id("b")), MeshChange::Up(id("b"))];
    assert_eq!(mesh.met("http://b", anew, at(10)), Ok(expected));
}

#[test]
fn the_same_url_with_a_new_node_is_another_node() {
    let mut mesh = mesh_with(&["b"]);
    let expected = vec![MeshChange::Down(id("b")), MeshChange::Up(id("c"))];
    assert_eq!(mesh.met("http://b", meeting("c"), at(10)), Ok(expected));
    assert!(mesh.find(&id("b")).is_none());
}

#[test]
fn those_that_are_up_hear_soon_of_a_node_that_joins() {
    let mut mesh = mesh_with(&["b", "c"]);
    mesh.due(Millis(6_000));
    for name in ["b", "c"] {
        mesh.met(&format!("http://{name}"), meeting(name), at(6_010)).unwrap();
    }
    mesh.heard(meeting("d"), at(6_100)).unwrap();
    mesh.due(Millis(6_100));
    mesh.met("http://d", meeting("d"), at(6_110)).unwrap();
    assert_eq!(mesh.due(Millis(6_610)), ["http://b", "http://c"]);
}

/// Nodes that reach each other, each with what it was told to dial first.
struct World {
    names: Vec<&'static str>,
    nodes: Vec<Membership>,
    dead: Option<usize>,
    now: u64,
}

impl World {
    fn of(told: &[(&'static str, &[&str])]) -> Self {
        let node = |(name, first): &(&str, &[&str])| {
            let first = first.iter().map(|first| format!("ws://{first}")).collect();
            Membership::new(descriptor(name), 7, first)
        };
        let names = told.iter().map(|(name, _)| *name).collect();
        Self { names, nodes: told.iter().map(node).collect(), dead: None, now: 0 }
    }

    fn live(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            let dead = self.dead;
            for caller in (0..self.nodes.len()).filter(|caller| dead != Some(*caller)) {
                for url in self.nodes[caller].due(Millis(self.now)) {
                    self.dial(caller, &url);
                }
            }
            self.now += 100;
        }
    }

    fn dial(&mut self, caller: usize, url: &str) {
        let now = self.now;
        let callee = self.names.iter().position(|name| url == format!("http://{name}")).unwrap();
        if self.dead == Some(callee) {
            self.nodes[caller].failed(url, at(now));
            return;
        }
        let greeting = self.nodes[caller].greeting(url, Millis(now));
        self.nodes[callee].heard(greeting, at(now)).unwrap();
        let answer = self.nodes[callee].answer(&id(self.names[caller]), Millis(now));
        self.nodes[caller].met(url, answer, at(now + 20)).unwrap();
    }

    fn assert_full(&self) {
        assert!(self.nodes.iter().all(|node| node.up().count() == self.names.len() - 1));
        // And nobody was ever thought to have restarted.
        assert!(self.nodes.iter().flat_map(|node| node.contacts()).all(|contact| contact.incarnation == 7));
    }
}

#[test]
fn a_chain_ends_as_a_full_mesh() {
    let mut world = World::of(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["e"]), ("e", &[])]);
    world.live(10_000);
    world.assert_full();
}

#[test]
fn two_meshes_that_learn_of_one_common_node_become_one() {
    let mut world = World::of(&[("a", &["b"]), ("b", &[]), ("c", &["d"]), ("d", &[])]);
    world.live(10_000);
    assert!(world.nodes.iter().all(|node| node.up().count() == 1));
    world.names.push("x");
    world.nodes.push(Membership::new(descriptor("x"), 7, vec!["ws://a".into(), "ws://d".into()]));
    world.live(2_000);
    world.assert_full();
}

/// Nobody tells it of the others: it is they who find it.
#[test]
fn a_node_that_is_back_from_the_dead_is_found_within_seconds() {
    let mut world = World::of(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]);
    world.live(10_000);
    world.dead = Some(0);
    world.live(5 * 60_000);
    assert_eq!(world.nodes[1].up().count(), 1);
    world.dead = None;
    world.nodes[0] = Membership::new(descriptor("a"), 7, vec![]);
    world.live(6_000);
    assert!(world.nodes.iter().all(|node| node.up().count() == 2));
}
