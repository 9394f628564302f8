//! Memory is bounded, whatever others say.

use pigeonhub_client_core::{Command, NodeUrl};
use pigeonhub_protocol::PeerId;
use serde_json::json;

use crate::table::*;

fn stranger(number: u32) -> PeerId {
    let mut bytes = [0xaa; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

#[test]
fn of_too_many_peers_the_oldest_without_a_link_are_forgotten() {
    let mut t = linked('9');
    let told = |number: u32| {
        let data = json!({"peerId": stranger(number), "nodeId": "n"});
        frame(1, &json!({"type": "peer-discovered", "networkName": "room", "data": data}))
    };
    for number in 0..4_095 {
        t.now += 1;
        t.quietly([told(number)]);
    }
    assert_eq!(t.client.peers().count(), 4_096);
    let lines = t.tell(told(4_095));
    assert_eq!(lines[0], format!("! gone {}", &stranger(0).as_str()[..1]), "and the app knows it");
    assert_eq!(t.client.peers().count(), 4_096);
    assert!(t.client.peers().any(|view| view.peer == peer('9')));
}

#[test]
fn no_more_links_than_a_browser_could_bear() {
    let mut t = Table::connected();
    for number in 0..600 {
        t.quietly([command(Command::Dial(stranger(number)))]);
    }
    let links = (0..600).filter(|number| t.client.link_state(stranger(*number)).is_some()).count();
    assert_eq!(links, 512);
    t.on(offer(1, '9', 70, "OFFER"), []);
    t.on(dial('9'), ["! link 9 failed negotiation-failed"]);
}

#[test]
fn at_most_64_candidates_wait_per_peer() {
    let mut t = Table::connected();
    for number in 0..100 {
        t.quietly([remote_candidate(1, '9', 70, &format!("r{number}"))]);
    }
    t.quietly([offer(1, '9', 70, "OFFER")]);
    assert_eq!(t.tell(applied('9', 1)).len(), 64);
}

#[test]
fn candidates_wait_for_64_strangers_and_half_a_minute() {
    let mut t = Table::connected();
    let from = |number: u32| {
        let data = json!({"candidate": "r", "negotiation": 70});
        frame(
            1,
            &json!({"type": "ice-candidate", "fromPeerId": stranger(number), "targetPeerId": peer(OWN), "networkName": "room", "data": data}),
        )
    };
    (0..64).for_each(|number| t.quietly([from(number)]));
    t.quietly([remote_candidate(1, '9', 70, "r1"), offer(1, '9', 70, "OFFER")]);
    t.on(applied('9', 1), []);
    t.now = 30_000;
    t.quietly([remote_candidate(1, '8', 70, "r1"), offer(1, '8', 70, "OFFER")]);
    t.on(applied('8', 2), ["8/2 add r1"]);
}

#[test]
fn at_most_64_own_candidates_are_kept_per_link() {
    let mut t = Table::connected();
    t.quietly([dial('9'), described_offer('9', 1, "SDP")]);
    for number in 0..100 {
        t.quietly([candidate('9', 1, &format!("c{number}"))]);
    }
    let again = t.pass(1_500).into_iter().filter(|line| line.contains("ice-candidate")).count();
    assert_eq!(again, 64);
}

#[test]
fn at_most_256_nodes_are_known() {
    let mut t = Table::new(&[]);
    (0..300).for_each(|number| t.quietly([command(Command::AddNode(NodeUrl(format!("{number}"))))]));
    assert_eq!(t.client.nodes().count(), 256);
}
