//! A call of real pages that goes on in another network, by an ICE restart.
#![cfg(target_os = "linux")]

use std::thread;

use pigeonhub_tests::wires::{Roamer, can_be_laid, leave_the_network};
use pigeonhub_tests::{Mesh, one_browser_test_at_a_time};
use serde_json::json;
use tokio::runtime;

use crate::page::serve;
use crate::story::{assert_media_flows, assert_talk, join};

#[test]
fn a_call_of_two_browsers_goes_on_when_they_come_into_another_network() {
    if let Err(why) = can_be_laid() {
        return eprintln!("not tested: {why}");
    }
    let story = thread::spawn(|| {
        leave_the_network().unwrap();
        let machine = Roamer::new().unwrap();
        // Nodes and browsers are started by this thread, so they are in its network.
        runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(call(&machine));
    });
    story.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

async fn call(machine: &Roamer) {
    let _turn = one_browser_test_at_a_time().await;
    let (mesh, server) = (Mesh::patient(2).await, serve().await);
    let (ada, ada_id) = join(&server, &mesh.nodes[0], "Ada").await;
    let (ben, ben_id) = join(&server, &mesh.nodes[1], "Ben").await;
    let sides = [(&ada, &ben_id), (&ben, &ada_id)];
    ada.until("data", [ben_id.as_str()]).await;
    ada.call("dial", json!([ben_id, true])).await;
    ben.until("state", [ada_id.as_str()]).await;

    assert_talk((&ada, &ada_id), (&ben, &ben_id), "at home").await;
    assert_media_flows(&ben, &ada_id).await;
    let mut names = Vec::new();
    for (page, other) in sides {
        names.push(page.call("iceName", [other.as_str()]).await);
    }
    machine.leave().unwrap();
    for (page, other) in sides {
        page.until("isIn", [other.as_str(), "interrupted"]).await;
    }
    machine.enter().unwrap();
    for ((page, other), before) in sides.into_iter().zip(names) {
        page.until("isIn", [other.as_str(), "connected"]).await;
        let name = page.call("iceName", [other.as_str()]).await;
        assert!(name.is_string() && name != before, "ICE was not restarted: {name}, before {before}");
    }
    assert_talk((&ada, &ada_id), (&ben, &ben_id), "on the road").await;
    assert_media_flows(&ben, &ada_id).await;
    for (page, other) in sides {
        let states = page.call("statesOf", [other.as_str()]).await;
        let mut states = states.as_array().unwrap().iter();
        assert!(states.clone().any(|state| state == "interrupted"), "{states:?}");
        assert!(states.all(|state| state == "connected" || state == "interrupted"), "it was the same link");
    }
}
