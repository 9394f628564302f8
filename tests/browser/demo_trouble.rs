//! The demo says what is wrong, what it means and what to do.

use pigeonhub_tests::{Mesh, TestNode, one_browser_test_at_a_time};

use crate::visitor::{Visitor, assert_chat};

const NO_CAMERA: &str = "--use-fake-device-for-media-stream=device-count=0";
const DENIED: &str = "--use-fake-ui-for-media-stream=deny";

#[tokio::test]
async fn a_browser_without_a_camera_is_told_so_and_the_call_goes_on_without() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(2).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[]).await;
    let (node, query) = (mesh.nodes[0].url(""), format!("join=1&nodes={}", mesh.nodes[0].url("")));
    for (flag, words) in [
        (
            NO_CAMERA,
            "Your camera was not found. The call goes on with your voice only. Plug one in and turn it on below.",
        ),
        (
            DENIED,
            "Your camera or microphone may not be used. The call goes on without them: you still see, hear \
             and chat. Allow it beside the page's address, then turn it on below.",
        ),
    ] {
        let mut ada = Visitor::open("Ada", &node, &query, &[flag]).await;
        ada.is_inside().await;
        ada.call(&ben, "call-video").await;
        ada.is_told("[data-testid=media-trouble]", words).await;
        ben.connected(&ada).await;
        assert_chat(&ada, &ben, "Can you hear me?").await;

        let mute = Visitor::in_call(&ben, "mute");
        if flag == NO_CAMERA {
            ada.click(&mute).await;
        }
        // It says so again to who tries again, and who was muted stays so.
        ada.click("[data-testid=media-trouble] button").await;
        ada.gone("[data-testid=media-trouble]").await;
        ada.click(&Visitor::in_call(&ben, "camera")).await;
        ada.is_told("[data-testid=media-trouble]", words).await;
        ada.find(&format!("{mute}[aria-pressed=true]")).await;
    }
}

#[tokio::test]
async fn a_browser_that_reaches_no_node_is_told_so_and_joins_by_another() {
    let _turn = one_browser_test_at_a_time().await;
    let mut node = TestNode::alone("node-a").await;
    let mut gone = TestNode::alone("gone").await;
    gone.kill();
    let query = format!("join=1&nodes={}", gone.url(""));
    let mut ada = Visitor::open("Ada", &node.url(""), &query, &[]).await;
    ada.is_told("[data-testid=trouble]", "None of the chosen nodes answers.").await;
    ada.find(&format!("[data-testid=join-node][data-node-url='{}'][data-state=down]", gone.url(""))).await;

    // What it says helps: the address of one that is up.
    ada.find("[data-testid=join-add-node]").await.send_keys(node.url("")).await.unwrap();
    ada.click("[data-testid=join-add]").await;
    ada.click("[data-testid=join]").await;
    ada.is_inside().await;
    ada.gone("[data-testid=trouble]").await;

    node.kill();
    ada.logs("Lost node-a, looking for another node.").await;
}

#[tokio::test]
async fn who_calls_a_browser_that_sleeps_or_is_gone_is_told_so() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(2).await;
    let ada = Visitor::join("Ada", &mesh.nodes[0], &[]).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[]).await;
    let state = Visitor::in_call(&ben, "link-state");
    ada.find(&format!("[data-testid='peer-{}']", ben.id)).await;

    ben.browser.freeze().await;
    ada.click(&format!("[data-testid='peer-{}'] [data-testid=call-chat]", ben.id)).await;
    ada.is_told(
        &format!("{state}[data-state=failed]"),
        "Ben did not answer. Their page may be closed or asleep; try again in a moment.",
    )
    .await;
    ben.browser.thaw().await;

    ada.click(&Visitor::in_call(&ben, "call-again")).await;
    ben.connected(&ada).await;
    ben.click("[data-testid=leave]").await;
    ada.is_told(&format!("{state}[data-state=closed]"), "The call is over").await;
    ada.click(&Visitor::in_call(&ben, "call-again")).await;
    ada.is_told(
        &format!("{state}[data-state=failed]"),
        "No node knows Ben any more. They have to open the page again.",
    )
    .await;
}
