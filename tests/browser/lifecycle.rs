//! What browsers tell pages of their comings and goings, and what the client does about it.

use pigeonhub_tests::{Mesh, PATIENCE, eventually, one_browser_test_at_a_time};
use serde_json::{Value, json};

use crate::page::{Page, serve};
use crate::story::join;

/// A page is about to be frozen, or about to wait in the cache for the way back.
const AWAY: [&str; 2] = ["freeze", "pagehide"];
/// It is back, each of them alone.
const BACK: [&str; 4] = ["resume", "pageshow", "online", "visible"];

async fn dispatch(page: &Page, what: &str) -> Value {
    page.call("dispatch", [what]).await
}

/// Tells the page this while its node is down and rests; the state right after.
async fn while_down(page: &Page, what: &str) -> Value {
    eventually(&format!("{page:?} waits before it dials again"), PATIENCE, async || {
        let seen = dispatch(page, what).await;
        (seen["before"] == "down").then(|| seen["after"].clone())
    })
    .await
}

#[tokio::test]
async fn a_browser_page_that_is_frozen_is_away_for_others_and_makes_up_for_it_at_once() {
    let _turn = one_browser_test_at_a_time().await;
    let (mut mesh, server) = (Mesh::patient(2).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let (ben, _) = join(&server, &mesh.nodes[1], "Ben").await;
    let is_away = async |away: bool| ben.until("isAway", json!([ada_id, away])).await;
    is_away(false).await;

    for (away, back) in AWAY.iter().cycle().zip(BACK) {
        assert_eq!(dispatch(&ada, away).await["said"], json!(["announce"]), "{away}");
        is_away(true).await;
        assert_eq!(dispatch(&ada, "hidden").await["said"], json!([]), "hidden is not back");
        // It says that it is back, and asks its node whether it is still there.
        assert_eq!(dispatch(&ada, back).await["said"], json!(["announce", "ping"]), "{back}");
        is_away(false).await;
        assert_eq!(dispatch(&ada, back).await["said"], json!(["ping"]), "{back}, and was never away");
    }

    // Chromium itself does it.
    ada.freeze().await;
    is_away(true).await;
    ada.thaw().await;
    is_away(false).await;

    // A node that does not answer is left alone for a while; a page that is back does not wait for that.
    mesh.nodes[0].kill();
    assert_eq!(while_down(&ada, "hidden").await, "down");
    for back in BACK {
        assert_eq!(while_down(&ada, back).await, "dialing", "{back}");
    }
}
