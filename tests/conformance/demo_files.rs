//! The demo's files, as browsers that keep them ask for them.

use pigeonhub_tests::{TestNode, http};
use reqwest::Method;

async fn ask(node: &TestNode, method: Method, known: Option<&str>) -> http::Answer {
    let request = http::request(method, node.url("/demo/"));
    http::send(known.into_iter().fold(request, |request, known| request.header("if-none-match", known))).await
}

#[tokio::test]
async fn a_file_of_the_demo_that_a_browser_has_is_not_sent_again() {
    let node = TestNode::alone("node").await;
    let whole = ask(&node, Method::GET, None).await;
    assert_eq!((whole.status, whole.header("cache-control")), (200, "no-cache"));
    assert!(!whole.text.is_empty());
    let tag = whole.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");

    // What RFC 9110 lets clients and proxies say: one tag, several, weak ones, any.
    for known in [tag, &format!("W/{tag}"), &format!(r#""old", {tag}"#), &format!(r#"{tag},"old""#), "*"] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&node, method, Some(known)).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
            assert_eq!(answer.header("etag"), tag, "{known}");
        }
    }
    for unknown in [r#""old""#, r#"W/"old""#, tag.trim_matches('"'), &format!(r#""x{}"#, &tag[1..])] {
        let answer = ask(&node, Method::GET, Some(unknown)).await;
        assert_eq!((answer.status, &answer.text), (200, &whole.text), "{unknown}");
    }
}
