//! What the stories of the npm package are made of.

use pigeonhub_tests::{PATIENCE, PageServer, TestNode, eventually};
use serde_json::{Value, json};

use crate::page::Page;

/// A page that joins through one node, and its peer id.
pub async fn join(server: &PageServer, node: &TestNode, name: &'static str) -> (Page, String) {
    join_with(server, name, json!({"nodes": [node.ws()]})).await
}

/// A page that joins with these options, and the usual ones for the rest.
pub async fn join_with(server: &PageServer, name: &'static str, mut options: Value) -> (Page, String) {
    let page = Page::open(server, name, "hub.js").await;
    for (option, usual) in
        [("network", json!("room")), ("sessions", json!(1)), ("data", json!({"name": name}))]
    {
        if options.get(option).is_none() {
            options[option] = usual;
        }
    }
    let id = page.call("join", json!([options])).await;
    (page, id.as_str().unwrap().to_owned())
}

/// Video frames and audio of a peer keep arriving: clearly more than now, later.
pub async fn assert_media_flows(page: &Page, from: &str) {
    let seen = page.call("media", [from]).await;
    let more = |now: &Value, name: &str, by: u64| {
        now[name].as_u64().unwrap_or(0) >= seen[name].as_u64().unwrap_or(0) + by
    };
    eventually(&format!("{page:?} gets more media of {from}"), PATIENCE * 2, async || {
        let now = page.call("media", [from]).await;
        (more(&now, "frames", 10) && more(&now, "audio", 500)).then_some(())
    })
    .await;
}

/// Media of a peer no longer arrive, while it still gets those of this page.
pub async fn assert_media_stops((page, id): (&Page, &str), (from, from_id): (&Page, &str)) {
    eventually(&format!("{page:?} gets no more media of {from:?}"), PATIENCE * 2, async || {
        let before = page.call("media", [from_id]).await;
        assert_media_flows(from, id).await;
        (page.call("media", [from_id]).await == before).then_some(())
    })
    .await;
}

/// Text from each to the other.
pub async fn assert_talk(one: (&Page, &str), other: (&Page, &str), text: &str) {
    for (from, to) in [(one, other), (other, one)] {
        from.0.call("send", [to.1, text]).await;
        to.0.hears(from.1, text).await;
    }
}
