//! The demo, as two and then three people use it.

use std::path::Path;

use pigeonhub_tests::{Mesh, PATIENCE, eventually, fresh_id, one_browser_test_at_a_time};
use serde_json::json;
use thirtyfour::prelude::*;

use crate::control::Control;
use crate::visitor::{Visitor, assert_chat};

#[tokio::test]
async fn a_call_of_two_browsers_across_nodes_survives_a_node_and_a_newcomer_reaches_both() {
    let _turn = one_browser_test_at_a_time().await;
    let mut mesh = Mesh::patient(3).await;
    let ada = Visitor::join("Ada", &mesh.nodes[0], &[&mesh.nodes[2]]).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[&mesh.nodes[2]]).await;

    ada.call(&ben, "call-video").await;
    ben.connected(&ada).await;
    ben.sees_video(&ada).await;
    ben.click(&Visitor::in_call(&ada, "answer-video")).await;
    ada.sees_video(&ben).await;
    assert_chat(&ada, &ben, "Hello").await;

    let (dir, length) = (std::env::temp_dir().join(format!("pigeonhub-{}", fresh_id())), 1_500_000);
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("letter.pdf"), vec![7; length]).unwrap();
    ada.send_file(&ben, &dir.join("letter.pdf"), length).await;
    std::fs::remove_dir_all(dir).unwrap();

    if let Some(path) = std::env::var_os("PIGEONHUB_SCREENSHOT") {
        ada.browser.run("document.activeElement.blur(); scrollTo(0, 0)", &[]).await;
        ada.browser.screenshot(Path::new(&path)).await;
    }

    // The node of one side goes.
    mesh.nodes[0].kill();
    ada.find("[data-testid='node-node-a'][data-state=down]").await;
    ada.sees_video(&ben).await;
    ben.sees_video(&ada).await;
    assert_chat(&ada, &ben, "Still here").await;

    let cleo = Visitor::join("Cleo", &mesh.nodes[2], &[]).await;
    for other in [&ada, &ben] {
        cleo.call(other, "call-chat").await;
        other.connected(&cleo).await;
        assert_chat(&cleo, other, "Hello from a newcomer").await;
    }
    ada.sees_video(&ben).await;
    ben.sees_video(&ada).await;
}

/// What the page shows of a note with this text; null if there is none.
const NOTE: &str = "const note = [...document.querySelectorAll('[data-testid=note]')]
    .find((note) => note.querySelector('p').textContent === args[0]);
    return note ? { by: note.dataset.peerId, mine: note.dataset.mine, verified: note.dataset.verified } : null";

#[tokio::test]
async fn a_board_of_two_browsers_across_nodes_shows_whose_notes_are_whose() {
    let _turn = one_browser_test_at_a_time().await;
    let mut mesh = Mesh::patient(3).await;
    let ada = Visitor::join("Ada", &mesh.nodes[0], &[&mesh.nodes[2]]).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[&mesh.nodes[2]]).await;
    for (visitor, other) in [(&ada, &ben), (&ben, &ada)] {
        visitor.find(&format!("[data-testid='peer-{}'] [data-testid=verified]", other.id)).await;
    }
    for (visitor, text) in [(&ada, "Pizza at eight"), (&ben, "Bring your own plates")] {
        visitor.find("[data-testid=note-input]").await.send_keys(text).await.unwrap();
        visitor.click("[data-testid=note-send]").await;
    }
    let sees = async |visitor: &Visitor, text: &str, expected: serde_json::Value| {
        eventually(&format!("{} sees {text}: {expected}", visitor.name), PATIENCE * 2, async || {
            (visitor.browser.run(NOTE, &[json!(text)]).await == expected).then_some(())
        })
        .await;
    };
    let note = |by: &Visitor, mine: &str| json!({"by": by.id, "mine": mine, "verified": "true"});
    for (visitor, mine, theirs) in [(&ada, "true", "false"), (&ben, "false", "true")] {
        sees(visitor, "Pizza at eight", note(&ada, mine)).await;
        sees(visitor, "Bring your own plates", note(&ben, theirs)).await;
    }
    if let Some(path) = std::env::var_os("PIGEONHUB_SCREENSHOT_BOARD") {
        ada.browser.screenshot(Path::new(&path)).await;
    }

    // The node that Ben's page watched is dead; the note that Ada takes down is gone for Ben, too.
    mesh.nodes[1].kill();
    mesh.nodes[2].sees(1).await;
    ada.click("[data-testid=note-remove]").await;
    sees(&ada, "Pizza at eight", json!(null)).await;
    sees(&ben, "Pizza at eight", json!(null)).await;
    sees(&ben, "Bring your own plates", note(&ben, "true")).await;
}

#[tokio::test]
async fn a_visitor_kills_a_node_from_the_browser_and_the_call_goes_on() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(3).await;
    let [a, b, c] = [0, 1, 2].map(|index| mesh.nodes[index].url(""));
    let control = Control::over(mesh.nodes).await;
    let ada = Visitor::join_at("Ada", &[a, c.clone()], &control.fragment()).await;
    let ben = Visitor::join_at("Ben", &[b, c], "").await;
    ada.call(&ben, "call-chat").await;
    ben.connected(&ada).await;
    assert_chat(&ada, &ben, "Hello").await;
    let offers = ben.browser.driver.find_all(By::Css("[data-testid^=kill-]")).await.unwrap();
    assert!(offers.is_empty(), "only who has the secret may kill nodes");

    ada.click("[data-testid=kill-node-a]").await;
    ada.find("[data-testid='node-node-a'][data-state=down]").await;
    ada.logs("You killed node-a: SIGKILL").await;
    ada.logs("node-a is down; you are on node-c now. The call goes on.").await;
    assert_chat(&ada, &ben, "Still here").await;

    ada.click("[data-testid=start-node-a]").await;
    ada.find("[data-testid='node-node-a'][data-state=up]").await;
    ada.logs("You started node-a again").await;
    assert_chat(&ada, &ben, "All the time").await;
}
