//! The stream of events, on native nodes and on serverless ones: nothing is lost, nothing comes twice,
//! whatever happens to it, and nobody reads another's mail.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use pigeonhub_node_core::ticket::{self, TicketKey};
use pigeonhub_node_core::{Caller, SessionId};
use pigeonhub_protocol::{Millis, limit};
use pigeonhub_tests::{TestNode, Transport, WirePeer, fresh_id, http, meet};
use reqwest::Method;
use serde_json::{Value, json};

use Transport::Events;

/// The same for both.
macro_rules! on_both {
    ($($(#[$doc:meta])* $name:ident($node:ident) $body:block)*) => {
        $($(#[$doc])* async fn $name($node: TestNode) $body)*
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::native().await).await; })* }
        mod spin { $(#[tokio::test] async fn $name() { super::$name(super::spin().await).await; })* }
    };
}

/// The key of the node, so that a test can seal tickets as it does.
const KEY: [u8; 32] = [7; 32];

fn key() -> String {
    KEY.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn native() -> TestNode {
    // A mailbox is filled faster than a peer may speak.
    TestNode::start("node", &[], &["--node-key", &key(), "--rate-limit", "0"]).await
}

async fn spin() -> TestNode {
    TestNode::spin("spin", &[], &[("node-key", &key())]).await
}

async fn pair(node: &TestNode) -> (WirePeer, WirePeer) {
    let mut one = WirePeer::join_by(Events, node, "room").await;
    let mut other = WirePeer::join_by(Events, node, "room").await;
    meet(&mut one, &mut other).await;
    (one, other)
}

fn candidate(target: &str, number: usize) -> Value {
    json!({"type": "ice-candidate", "targetPeerId": target, "data": {"candidate": number}})
}

async fn expect_in_order(peer: &mut WirePeer, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        assert_eq!(peer.expect("ice-candidate").await.json["data"]["candidate"], number);
    }
    peer.fence().await;
    peer.assert_none("ice-candidate");
}

async fn events(node: &TestNode, ticket: &str) -> http::Answer {
    // A stream that should not have begun ends, too, within the patience of the client.
    http::get(node.url(&format!("/signaling/events?ticket={ticket}"))).await
}

on_both! {
    what_is_posted_while_no_stream_is_open_arrives_on_the_next_one(node) {
        let (mut sender, mut target) = pair(&node).await;
        target.stop_listening();
        for number in 0..50 {
            sender.post(&[candidate(&target.id, number)]).await.ok();
        }
        target.listen_again();
        expect_in_order(&mut target, 0..50).await;
    }

    a_stream_that_is_cut_in_a_burst_loses_nothing_and_doubles_nothing(node) {
        const BURST: usize = 600;
        let (mut sender, mut target) = pair(&node).await;
        let id = target.id.clone();
        let sending = tokio::spawn(async move {
            for batch in (0..BURST).collect::<Vec<_>>().chunks(20) {
                let batch: Vec<_> = batch.iter().map(|number| candidate(&id, *number)).collect();
                let said = sender.post(&batch).await.ok();
                assert_eq!(said["messages"], json!([]), "no refusal");
            }
        });
        // The reader checks that the number of each event is greater than that of the last.
        for cut in 0..20 {
            for number in cut * 30..(cut + 1) * 30 {
                assert_eq!(target.expect("ice-candidate").await.json["data"]["candidate"], number);
            }
            target.stop_listening();
            target.listen_again();
        }
        expect_in_order(&mut target, 0..0).await;
        sending.await.unwrap();
    }

    a_newer_stream_of_a_peer_gets_everything(node) {
        let (mut sender, mut target) = pair(&node).await;
        let ticket = target.ticket();
        let url = node.url(&format!("/signaling/events?ticket={ticket}"));
        let older = http::endless(Method::GET, url).send().await.unwrap();
        assert_eq!(older.status(), 200);
        target.stop_listening();
        target.listen_again();
        for number in 0..20 {
            sender.post(&[candidate(&target.id, number)]).await.ok();
        }
        expect_in_order(&mut target, 0..20).await;
        drop(older);
    }

    a_ticket_opens_the_mail_of_its_owner_only(node) {
        let (mut one, mut other) = pair(&node).await;
        let (ours, theirs) = (one.ticket(), other.ticket());
        let (text, seal) = ours.split_once('.').unwrap();
        let (their_text, their_seal) = theirs.split_once('.').unwrap();
        let forged = [
            String::new(), "nonsense".into(), format!("{text}."), format!("{text}.{their_seal}"),
            format!("{their_text}.{seal}"), format!("{text}.{}", "A".repeat(seal.len())),
        ];
        for forged in forged {
            events(&node, &forged).await.assert_error(401, "ticket-invalid");
            let body = json!({"ticket": forged, "poll": true});
            let answer = http::post(node.url("/signaling/exchange"), &body).await;
            answer.assert_error(401, "ticket-invalid");
        }
        // Its own key seals a node's tickets.
        let stranger = TestNode::alone("stranger").await;
        let elsewhere = WirePeer::join_by(Events, &stranger, "room").await.ticket();
        events(&node, &elsewhere).await.assert_error(401, "ticket-invalid");
        // Who has no ticket cannot take the id of one who is here.
        let announce = json!({"type": "announce", "networkName": "room", "data": {}});
        let body = json!({"peerId": one.id, "messages": [announce]});
        let answer = http::post(node.url("/signaling/exchange"), &body).await;
        answer.assert_error(409, "already-connected");
        other.offer(&one.id, "are you still yourself?").await;
        one.expect("offer").await;
    }

    a_ticket_is_good_for_its_time_and_its_session(node) {
        let peer = WirePeer::join_by(Events, &node, "room").await;
        let network = Some("room".parse().unwrap());
        let caller = Caller { peer: peer.id.parse().unwrap(), session: SessionId(1), network };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now = u64::try_from(now).unwrap();
        let sealed = |at| ticket::seal(&caller, &TicketKey::from_secret(&KEY), Millis(at));
        events(&node, &sealed(now - ticket::TICKET)).await.assert_error(401, "ticket-expired");
        events(&node, &sealed(now)).await.assert_error(400, "not-announced");
    }

    a_stream_needs_an_announce(node) {
        let mut peer = WirePeer::visit_as(&node, &fresh_id()).await;
        events(&node, &peer.ticket()).await.assert_error(400, "not-announced");
        let stale = { peer.announce("room").await; peer.ticket() };
        peer.goodbye().await;
        events(&node, &stale).await.assert_error(400, "not-announced");
    }

    who_signals_to_a_full_mailbox_hears_so(node) {
        let (mut sender, mut target) = pair(&node).await;
        target.stop_listening();
        let id = |number: u64| format!("n{number}");
        let (mut sent, mut refused) = (0, BTreeSet::new());
        while refused.is_empty() {
            let numbers = sent..sent + limit::BATCH as u64;
            sent = numbers.end;
            assert!(sent < 2 * limit::MAILBOX_MESSAGES as u64, "the mailbox has no end");
            let batch: Vec<_> = numbers.map(|number| json!({
                "type": "offer", "targetPeerId": target.id, "id": id(number), "data": {"number": number},
            })).collect();
            for refusal in sender.post(&batch).await.ok()["messages"].as_array().unwrap() {
                assert_eq!([&refusal["code"], &refusal["originalType"]], ["mailbox-full", "offer"]);
                assert_eq!(refusal["targetPeerId"], target.id);
                refused.insert(refusal["id"].as_str().unwrap().to_owned());
            }
        }
        // All that was taken arrives in order, or (if this takes longer than it may wait) comes back.
        target.listen_again();
        target.fence().await;
        sender.fence().await;
        let came: Vec<_> =
            target.take("offer").iter().map(|heard| heard.json["data"]["number"].as_u64().unwrap()).collect();
        assert!(came.is_sorted() && came.len() > limit::MAILBOX_MESSAGES / 2, "{}", came.len());
        let back = sender.take("error").into_iter().map(|error| error.json["id"].as_str().unwrap().to_owned());
        refused.extend(back);
        assert_eq!(came.len() + refused.len(), sent as usize, "nothing is lost in silence");
        // And there is room again.
        sender.post(&[candidate(&target.id, 1)]).await.ok();
        target.expect("ice-candidate").await;
    }

    a_first_exchange_may_carry_an_announce_and_signals(node) {
        let mut other = WirePeer::join_by(Events, &node, "room").await;
        let mut peer = WirePeer::visit_as(&node, &fresh_id()).await;
        let announce = json!({"type": "announce", "networkName": "room", "data": {"name": "x"}});
        let offer = json!({"type": "offer", "targetPeerId": other.id, "data": {"sdp": "v=0"}});
        peer.post(&[announce, offer, json!({"type": "ping"})]).await.ok();
        peer.expect_peer(&other.id).await;
        peer.expect("pong").await;
        other.expect_peer(&peer.id).await;
        other.expect("offer").await;
    }

    too_much_in_one_exchange_is_refused_whole(node) {
        let (mut sender, mut target) = pair(&node).await;
        let many: Vec<_> = (0..=limit::BATCH).map(|number| candidate(&target.id, number)).collect();
        sender.post(&many).await.assert_error(413, "message-too-large");
        let large = json!({"type": "offer", "targetPeerId": target.id, "data": "x".repeat(2 * limit::MESSAGE)});
        sender.post(&[large]).await.assert_error(413, "message-too-large");
        target.fence().await;
        target.assert_none("ice-candidate");
        target.assert_none("offer");
    }
}
