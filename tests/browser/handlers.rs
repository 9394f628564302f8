//! Apps with mistakes: what their handlers throw, and what they call from within, does the client no harm.

use pigeonhub_tests::{TestNode, fresh_id, one_browser_test_at_a_time};
use serde_json::json;

use crate::page::{Page, serve};

/// What the handler of a message does; the answer that comes of it.
const DEEDS: [(&str, Option<&str>); 6] = [
    ("throw", None),
    ("reply", Some("replied")),
    ("dial", Some("dialled")),
    ("media", Some("has media")),
    ("data", None),
    ("listen", None),
];

/// Two such apps, linked.
async fn linked(node: &TestNode) -> [(Page, String); 2] {
    let server = serve().await;
    let mut pages = Vec::new();
    for name in ["Ada", "Ben"] {
        let page = Page::open(&server, name, "clumsy.js").await;
        let id = page.call("join", json!([node.ws(), "room"])).await.as_str().unwrap().to_owned();
        pages.push((page, id));
    }
    let [(ada, ada_id), (ben, ben_id)] = <[_; 2]>::try_from(pages).unwrap();
    ada.until("knows", [ben_id.as_str()]).await;
    ben.until("knows", [ada_id.as_str()]).await;
    ada.call("dial", [ben_id.as_str()]).await;
    ben.until("state", [ada_id.as_str(), "connected"]).await;
    ben.call("prepare", [ada_id.as_str()]).await;
    [(ada, ada_id), (ben, ben_id)]
}

#[tokio::test]
async fn handlers_in_a_browser_that_throw_and_call_back_keep_no_later_event_away() {
    let _turn = one_browser_test_at_a_time().await;
    let node = TestNode::alone("node").await;
    let [(ada, ada_id), (ben, ben_id)] = linked(&node).await;
    for (deed, answer) in DEEDS {
        ada.call("send", [ben_id.as_str(), deed]).await;
        let after = format!("after {deed}");
        ada.call("send", [ben_id.as_str(), after.as_str()]).await;
        ben.until("hears", [after.as_str()]).await;
        if let Some(answer) = answer {
            ada.until("hears", [answer]).await;
        }
    }
    ada.until("dataOf", [ben_id.as_str(), "changed"]).await;
    assert!(ben.call("made", json!([])).await.as_u64() >= Some(5), "the browser reports what they throw");

    // Within the handler the link goes, and can be had anew; then the hub.
    ada.call("send", [ben_id.as_str(), "hangup"]).await;
    ada.until("state", [ben_id.as_str(), "closed"]).await;
    ben.call("dial", [ada_id.as_str()]).await;
    ada.until("state", [ben_id.as_str(), "connected"]).await;
    ben.call("send", [ada_id.as_str(), "once more"]).await;
    ada.until("hears", ["once more"]).await;
    ada.call("send", [ben_id.as_str(), "close"]).await;
    ada.until("state", [ben_id.as_str(), "closed"]).await;
    ben.until("state", [ada_id.as_str(), "closed"]).await;
    ben.call("join", json!([node.ws(), "room"])).await;
    ben.until("knows", [ada_id.as_str()]).await;
}

#[tokio::test]
async fn what_is_no_stream_is_refused_in_the_browser_and_the_client_goes_on() {
    let _turn = one_browser_test_at_a_time().await;
    let node = TestNode::alone("node").await;
    let [(ada, _), (ben, ben_id)] = linked(&node).await;
    let misused = ada.call("misuse", json!([ben_id, fresh_id()])).await;
    assert_eq!(misused, json!({"codes": ["invalid-stream"], "hasLink": false}));
    ada.call("send", [ben_id.as_str(), "and on it goes"]).await;
    ben.until("hears", ["and on it goes"]).await;
}
