//! How the npm package comes into a page.

use pigeonhub_tests::{TestNode, one_browser_test_at_a_time};
use serde_json::json;

use crate::page::{Page, serve};

#[tokio::test]
async fn a_browser_that_imports_the_package_loads_no_module_yet_and_has_no_other_globals() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let page = Page::open(&server, "Ada", "loading.js").await;
    let used = page.call("use", [node.ws()]).await;
    assert_eq!(used[0], json!({"changed": [], "instances": 0}), "imported");
    assert_eq!(used[1], json!({"changed": [], "instances": 1}), "connected");
}

#[tokio::test]
async fn a_browser_loads_the_module_once_however_often_and_by_whom_it_is_asked() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let page = Page::open(&server, "Ada", "loading.js").await;
    let loaded = page.call("load", [node.ws()]).await;
    let nothing = json!([null, null]);
    let expected = json!({"failure": "load-failed", "loaded": 1, "results": nothing, "met": true});
    assert_eq!(loaded, expected);
}

#[tokio::test]
async fn a_browser_connects_without_loading_anything_first() {
    let _turn = one_browser_test_at_a_time().await;
    let (node, server) = (TestNode::alone("node").await, serve().await);
    let page = Page::open(&server, "Ada", "loading.js").await;
    assert_eq!(page.call("connect", [node.ws()]).await, json!({"instances": 1, "isPeer": true}));
}
