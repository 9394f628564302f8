//! The stories of a mesh: peers find each other across nodes, call each other, nodes keep what they
//! are given, and one of them dies.
//!
//! Each starts the nodes and clients that it needs, says what it does and sees, and panics if that
//! is not what it should be. People play them with `cargo xtask scenario`, tests play them all.

mod friend;

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use self::friend::Friend;
use crate::live::Ether;
use crate::{PATIENCE, TestNode, eventually, http};

/// Two native nodes and a serverless one, each told only of the one before it.
async fn mesh() -> [TestNode; 3] {
    say("Three nodes start, each told only of the one before it; the last one is serverless.");
    let one = TestNode::start("node-1", &[], &[]).await;
    let two = TestNode::start("node-2", &[&one], &[]).await;
    let three = TestNode::spin("node-3", &[&two], &[]).await;
    let nodes = [one, two, three];
    for node in nodes.iter().rev() {
        node.sees(2).await;
        see(&format!("{} at {} knows the two others", node.id, node.url("")));
    }
    nodes
}

/// Peers on different nodes find each other, and hear when somebody leaves.
pub async fn discovery() {
    let ([one, two, three], ether) = (mesh().await, Ether::default());
    say("Alice goes on node-1, Bob on node-2, Carol on the serverless node-3: one node each.");
    let alice = Friend::join("Alice", &[&one], &ether).await;
    let bob = Friend::join("Bob", &[&two], &ether).await;
    let carol = Friend::join("Carol", &[&three], &ether).await;
    for (here, there, node) in [
        (&alice, &bob, &two),
        (&alice, &carol, &three),
        (&bob, &alice, &one),
        (&bob, &carol, &three),
        (&carol, &alice, &one),
        (&carol, &bob, &two),
    ] {
        here.finds(there, node).await;
        see(&format!("{here} finds {there} at {}", node.id));
    }
    say("Bob leaves.");
    bob.client.close();
    for here in [&alice, &carol] {
        here.misses(&bob).await;
        see(&format!("{here} knows that {bob} is gone"));
    }
}

/// Peers on different nodes call each other.
pub async fn signaling() {
    let ([one, two, three], ether) = (mesh().await, Ether::default());
    say("Alice goes on node-1, Bob on node-2, Carol on the serverless node-3.");
    let alice = Friend::join("Alice", &[&one], &ether).await;
    let bob = Friend::join("Bob", &[&two], &ether).await;
    let carol = Friend::join("Carol", &[&three], &ether).await;
    for (caller, callee, at) in [(&alice, &bob, &two), (&bob, &carol, &three), (&carol, &alice, &one)] {
        caller.finds(callee, at).await;
        say(&format!("{caller} calls {callee}: offer, answer and candidates go from node to node."));
        let (began, before) = (Instant::now(), ether.counts());
        caller.calls(callee).await;
        let (took, now) = (began.elapsed().as_millis(), ether.counts());
        let (said, taken) = (now.said - before.said, now.taken - before.taken);
        see(&format!("they are connected after {took} ms; {said} signals were said, {taken} arrived"));
        assert_eq!((said, now.repeated), (taken, 0), "each signal arrives, and once");
    }
}

/// What one node is given to keep, all have; also when the node that was asked is gone.
pub async fn replication() {
    let mut nodes = mesh().await;
    for number in 0..nodes.len() {
        let (topic, data) = (format!("topic-{number}"), json!({"text": format!("number {number}")}));
        say(&format!("Something is published at {}: POST /api/publish {data}", nodes[number].id));
        let publish = http::request(Method::POST, nodes[number].url("/api/publish"));
        let receipt = http::send(publish.json(&json!({"topic": topic, "data": data}))).await.ok();
        see(&format!("it says: replicated to {} other nodes", receipt["replicatedTo"]));
        for node in &nodes {
            assert_eq!(found(node, &topic).await, data);
            see(&format!("GET /api/find/{topic} at {} has it", node.id));
        }
    }
    say("node-1 is killed.");
    nodes[0].kill();
    for node in &nodes[1..] {
        assert_eq!(found(node, "topic-0").await, json!({"text": "number 0"}));
        see(&format!("{} still has what was published there", node.id));
    }
}

/// A node dies under a call, and comes back.
pub async fn recovery() {
    let ([mut one, two, three], ether) = (mesh().await, Ether::default());
    say("Alice and Bob go on two nodes each: Alice on node-1 and node-2, Bob on node-1 and node-3.");
    let alice = Friend::join("Alice", &[&one, &two], &ether).await;
    let bob = Friend::join("Bob", &[&one, &three], &ether).await;
    alice.knows(&bob).await;
    alice.calls(&bob).await;
    see("Alice calls Bob, and they are connected");

    say("node-1 is killed with SIGKILL.");
    let carol = Friend::join("Carol", &[&three], &ether).await;
    carol.knows(&alice).await;
    one.kill();
    let began = Instant::now();
    carol.calls(&alice).await;
    see(&format!(
        "Carol, of node-3, calls Alice at once: connected after {} ms",
        began.elapsed().as_millis()
    ));
    two.sees(1).await;
    see("the other nodes know that it is gone");
    assert!(!alice.is_disturbed(&bob) && !bob.is_disturbed(&alice), "the call knows nothing of it");
    see("the call of Alice and Bob knows nothing of it");
    alice.hangs_up(&bob).await;
    bob.calls(&alice).await;
    see("Bob hangs up and calls Alice: connected, through the other nodes");

    say("node-1 is started again.");
    one.restart().await;
    one.sees(2).await;
    two.sees(2).await;
    see("it knows the others and they know it");
    let dora = Friend::join("Dora", &[&one], &ether).await;
    for friend in [&alice, &bob] {
        dora.knows(friend).await;
        dora.calls(friend).await;
        see(&format!("Dora, a newcomer on node-1, calls {friend}: connected"));
    }
    assert_eq!(ether.counts().lost, 0);
    see("no signal was lost");
}

/// The one record of a topic, once the node has it.
async fn found(node: &TestNode, topic: &str) -> Value {
    eventually(&format!("{} has {topic}", node.id), PATIENCE, async || {
        let found = http::get(node.url(&format!("/api/find/{topic}"))).await.ok();
        (found["count"] == 1).then(|| found["records"][0]["data"].clone())
    })
    .await
}

/// What is done.
fn say(line: &str) {
    println!("\n→ {line}");
}

/// What is seen.
fn see(line: &str) {
    println!("  ✓ {line}");
}
