//! How serverless nodes find others: the same sources, and between two requests everything is in the
//! database.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use pigeonhub_bootstrap::built_in;
use pigeonhub_tests::{DocumentServer, PATIENCE, TestNode, eventually};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::bootstrap::{OURS, document, figure, now, refused, signed, unsigned};
use crate::serverless::database;

/// Nobody is there.
const NOBODY: &str = "ws://127.0.0.1:9";

/// What the node keeps under a name like this, as JSON.
fn kept(node: &TestNode, name: &str) -> Option<Value> {
    let sql = "SELECT text FROM kept WHERE name LIKE ?1";
    let text: String = database(node).query_row(sql, [name], |row| row.get(0)).ok()?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// The URLs of all nodes that it dials, in the order in which it was told of them.
fn dialled(node: &TestNode) -> Vec<String> {
    let mesh = kept(node, "mesh %").unwrap_or_default();
    let contacts = mesh["contacts"].as_array().into_iter().flatten();
    contacts.map(|contact| contact["url"].as_str().expect("a URL").to_owned()).collect()
}

/// Lets the node look for others once more, after something was done to its database, and waits until
/// it has. Meanwhile it does not run, so nothing of what it began before comes in between.
async fn look_again(node: &mut TestNode, meanwhile: impl FnOnce(&Connection)) {
    node.kill();
    let database = database(node);
    meanwhile(&database);
    database.execute("DELETE FROM kept WHERE name LIKE 'due look%'", []).expect("an execution");
    // Each time what it knows of the candidates is written anew, without this blank.
    let mark = "UPDATE kept SET text = text || ' ' WHERE name = 'bootstrap memory'";
    database.execute(mark, []).expect("an execution");
    node.restart().await;
    eventually("it looks for nodes", PATIENCE, async || {
        node.health().await;
        let sql = "SELECT 1 FROM kept WHERE name = 'bootstrap memory' AND text NOT LIKE '% '";
        database.query_row(sql, [], |_| Ok(())).ok()
    })
    .await;
}

/// Waits until it has refused something for this reason.
async fn counts(node: &TestNode, reason: &str) {
    let what = format!("{reason} is counted");
    eventually(&what, PATIENCE, async || (refused(node, reason).await > 0).then_some(())).await;
}

#[tokio::test]
async fn a_serverless_node_finds_the_others_by_documents_and_by_dns_over_https() {
    let [a, b] = [TestNode::alone("a").await, TestNode::alone("b").await];
    let bait = json!({ "t": "wss", "u": b.ws() });
    let server = DocumentServer::with(OURS, &document(&[unsigned(&a), bait])).await;
    let records = [format!("v=pigeonhub1; u={}", b.ws()), "v=pigeonhub1; u=wss://127.0.0.1:9".into()];
    let records = records.map(|text| json!({ "type": 16, "data": format!("{text:?}") }));
    server.put("/dns-query", &json!({ "Status": 0, "Answer": records }));
    let resolver = format!("{}/dns-query", server.url);
    let domains = format!("{},mesh.test", server.url);
    let variables = [("bootstrap-domains", domains.as_str()), ("dns-over-https", &resolver)];
    let spin = TestNode::spin("spin", &[], &variables).await;
    eventually("it has met both", PATIENCE, async || (spin.health().await["nodes"] == 2).then_some(())).await;
    a.sees(2).await;
    b.sees(2).await;
}

#[tokio::test]
async fn documents_and_records_of_a_domain_are_asked_at_the_same_time() {
    let [a, b] = [TestNode::alone("a").await, TestNode::alone("b").await];
    let record = json!({ "type": 16, "data": format!("{:?}", format!("v=pigeonhub1; u={}", b.ws())) });
    let records = json!({ "Status": 0, "Answer": [record] }).to_string();
    let named = document(&[unsigned(&a)]).to_string();
    // Nobody has an answer before all three have asked: two documents, and the records.
    let asked = Arc::new(Barrier::new(3));
    let router = Router::new().fallback(move |uri: Uri| async move {
        asked.wait().await;
        if uri.path() == "/dns-query" { records } else { named }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let (domain, resolver) =
        (format!("http://localhost:{port}"), format!("http://localhost:{port}/dns-query"));
    let patient = ("signaling-timeout", "15000");
    let variables = [("bootstrap-domains", domain.as_str()), ("dns-over-https", &resolver), patient];
    let spin = TestNode::spin("spin", &[], &variables).await;
    spin.sees(2).await;
}

#[tokio::test]
async fn what_was_found_is_kept_in_the_database_for_when_its_source_is_gone() {
    let mut a = TestNode::alone("a").await;
    let server = DocumentServer::with(OURS, &document(&[signed(&a.ws(), now().0)])).await;
    let mut spin = TestNode::spin("spin", &[], &[("bootstrap-domains", &server.url)]).await;
    spin.sees(1).await;

    // Nobody remembers anybody: the source is gone, and so is what both knew of the mesh.
    spin.kill();
    drop(server);
    a.restart().await;
    let forget = "DELETE FROM kept WHERE name LIKE 'mesh %'";
    look_again(&mut spin, |database| assert_eq!(database.execute(forget, []).unwrap(), 1)).await;
    spin.sees(1).await;
    a.sees(1).await;

    // What somebody wrote into the database is not believed.
    let touch = "UPDATE kept SET text = replace(text, ?1, ?2) WHERE name = 'bootstrap'";
    look_again(&mut spin, |database| {
        assert_eq!(database.execute(touch, [&a.ws(), NOBODY]).unwrap(), 1);
        assert_eq!(database.execute(forget, []).unwrap(), 1);
    })
    .await;
    counts(&spin, "forged").await;
    assert_eq!(kept(&spin, "bootstrap"), Some(json!([])));
    assert_eq!(dialled(&spin), [""; 0]);
}

#[tokio::test]
async fn the_built_in_list_is_dialled_only_if_asked_for_and_last() {
    let a = TestNode::alone("a").await;
    let server = DocumentServer::with(OURS, &document(&[json!({ "t": "ws", "u": NOBODY })])).await;
    let built_in: Vec<_> =
        built_in().production.into_iter().map(|peer| peer.u.replace("wss://", "https://")).collect();
    assert!(!built_in.is_empty());
    let named = [a.url(""), NOBODY.replace("ws://", "http://")];
    // The stand-in lets nothing through to https, so nobody is disturbed.
    for (wanted, more) in [("", &[][..]), ("staging", &[]), ("production", &built_in)] {
        let variables = [("bootstrap-domains", server.url.as_str()), ("bootstrap-built-in", wanted)];
        let spin = TestNode::spin("spin", &[&a], &variables).await;
        eventually("it has looked for nodes", PATIENCE, async || {
            spin.health().await;
            dialled(&spin).contains(&named[1]).then_some(())
        })
        .await;
        assert_eq!(dialled(&spin), [&named, more].concat(), "{wanted}");
    }
}

#[tokio::test]
async fn how_nodes_do_is_noted_every_five_minutes() {
    let a = TestNode::alone("a").await;
    let server = DocumentServer::with(OURS, &document(&[json!({ "t": "ws", "u": NOBODY })])).await;
    let mut spin = TestNode::spin("spin", &[&a], &[("bootstrap-domains", &server.url)]).await;
    eventually("it has dialled both", PATIENCE, async || {
        spin.health().await;
        let mesh = kept(&spin, "mesh %")?;
        let mut standings = mesh["contacts"].as_array()?.iter().map(|contact| &contact["standing"]);
        (standings.next()? == "Up" && standings.next()?["Down"].is_object()).then_some(())
    })
    .await;
    let (a, nobody) = (a.url(""), NOBODY.replace("ws://", "http://"));
    let noted = |spin: &TestNode| {
        let health = &kept(spin, "bootstrap memory").unwrap_or_default()["health"];
        (health[&a].clone(), health[&nobody].clone())
    };
    // The clock cannot be turned, what is noted of it can.
    let sql = "UPDATE kept SET text = json_set(text, ?1, 0, ?2, 0) WHERE name = 'bootstrap memory'";
    let checked = [&a, &nobody].map(|url| format!("$.health.\"{url}\".checked"));
    look_again(&mut spin, |database| assert_eq!(database.execute(sql, checked).unwrap(), 1)).await;
    let first = noted(&spin);
    assert!(first.0["round_trip"].is_u64() && first.0["misses"] == 0, "{first:?}");
    assert!(first.1["round_trip"].is_null() && first.1["misses"] == 1, "{first:?}");
    // That was now, so it is not to be done again so soon.
    look_again(&mut spin, |_| ()).await;
    assert_eq!(noted(&spin), first);
}

#[tokio::test]
async fn what_is_forged_expired_or_replayed_is_refused_and_counted_over_all_requests() {
    let [a, bait] = [TestNode::alone("a").await, TestNode::alone("bait").await];
    let time = now().0;
    let mut forged = signed(NOBODY, time);
    forged["u"] = json!(bait.ws());
    let expired = signed(&bait.ws(), time - 61_000);
    let server = DocumentServer::with(OURS, &document(&[forged, expired, signed(&a.ws(), time)])).await;
    // It is told of `a`, too: so what is kept of it is not what was signed, but the latest time is.
    let mut spin = TestNode::spin("spin", &[&a], &[("bootstrap-domains", &server.url)]).await;
    counts(&spin, "forged").await;
    counts(&spin, "expired").await;
    assert_eq!(refused(&spin, "replayed").await, 0);
    assert!(figure(&spin, "pigeonhub_bootstrap_found_total").await >= 1);

    // Nothing of it was only in the memory of a process.
    server.put(OURS, &document(&[signed(&a.ws(), time - 1)]));
    let counted = refused(&spin, "forged").await;
    look_again(&mut spin, |_| ()).await;
    counts(&spin, "replayed").await;
    assert!(refused(&spin, "forged").await >= counted);
    // The bait was not even dialled.
    assert_eq!(dialled(&spin), [a.url("")]);
    assert_eq!(bait.health().await["nodes"], 0);
}
