//! The npm package as an app has it: installed, and imported by its name, in Node.js.

use std::process::{Command, Output};

use pigeonhub_tests::node_modules;
use serde_json::{Value, json};

/// Runs a module of an app that has installed the package; the JSON that it prints.
pub async fn node(program: &str, environment: &[(&str, &str)]) -> Value {
    let installed = node_modules();
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", program]).envs(environment.iter().copied());
    node.current_dir(installed.parent().expect("a directory of an app"));
    let run = tokio::task::spawn_blocking(move || node.output().expect("Node.js"));
    let Output { status, stdout, stderr } = run.await.unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

#[tokio::test]
async fn the_main_entry_has_every_part_and_each_part_has_its_own() {
    let program = "
        const main = await import('pigeonhub-wasm');
        const parts = await Promise.all(['config', 'directory'].map((part) => import(`pigeonhub-wasm/${part}`)));
        const isSame = parts.every((part) => Object.entries(part).every(([name, value]) => main[name] === value));
        const names = Object.keys(main);
        console.log(JSON.stringify({ names, parts: parts.map((part) => Object.keys(part)), isSame }));";
    let found = node(program, &[]).await;
    let config = ["discoverBootstrapPeers", "getBootstrapPeers", "parseBootstrapPeersFromEnv"];
    let directory = ["SignalDirectory", "signalTopic"];
    assert_eq!(found["parts"], json!([config, directory]));
    let client = ["PeerLink", "PigeonError", "PigeonEvent", "PigeonHub", "default"];
    let mut all = [&client[..], &config, &directory].concat();
    all.sort_unstable();
    assert_eq!(found["names"], json!(all));
    assert_eq!(found["isSame"], true);
}

#[tokio::test]
async fn importing_the_package_without_a_page_touches_nothing_and_starts_nothing() {
    let program = "
        const touched = [];
        for (const name of [
          'document', 'window', 'self', 'navigator', 'location', 'localStorage', 'indexedDB', 'fetch', 'crypto',
          'WebSocket', 'EventSource', 'RTCPeerConnection', 'addEventListener', 'setTimeout', 'setInterval',
          'setImmediate', 'queueMicrotask', 'WebAssembly', 'console',
        ]) {
          const value = globalThis[name];
          Object.defineProperty(globalThis, name, { configurable: true, get: () => (touched.push(name), value) });
        }
        const look = () => [Reflect.ownKeys(globalThis).map(String), process.eventNames()];
        const before = JSON.stringify(look());
        for (const entry of ['', '/config', '/directory']) await import(`pigeonhub-wasm${entry}`);
        const after = JSON.stringify(look());
        process.stdout.write(JSON.stringify({ touched, isAsBefore: before === after }));";
    // That the program ends says that nothing runs on.
    assert_eq!(node(program, &[]).await, json!({ "touched": [], "isAsBefore": true }));
}
