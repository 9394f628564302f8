//! The npm package as an app has it: installed, and imported by its name, in Node.js.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use pigeonhub_tests::node_modules;
use serde_json::{Value, json};

/// Runs a module of an app that has installed the package; the JSON that it prints.
pub async fn node(program: &str, environment: &[(&str, &str)]) -> Value {
    let installed = node_modules();
    let mut node = Command::new("node");
    node.arg("--input-type=module").envs(environment.iter().copied());
    node.current_dir(installed.parent().expect("a directory of an app"));
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node.js");
    node.stdin.take().unwrap().write_all(program.as_bytes()).expect("it reads the program");
    let run = tokio::task::spawn_blocking(move || node.wait_with_output());
    let Output { status, stdout, .. } = run.await.unwrap().unwrap();
    assert!(status.success(), "what Node.js says of it is above");
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

#[tokio::test]
async fn apps_of_the_seed_find_their_nodes_with_only_the_import_changed() {
    // What its README calls, with the options that it has there.
    let program = "
        import { getBootstrapPeers, parseBootstrapPeersFromEnv } from 'pigeonhub-wasm/config';
        import { SignalDirectory, discoverBootstrapPeers, getBootstrapPeers as sameFromMain } from 'pigeonhub-wasm';

        const bare = { t: 'wss', u: 'wss://bare.example' };
        const first = { t: 'wss', u: 'wss://first.example', region: 'eu-west', priority: 1, description: 'The first' };
        const contributed = { ...first, u: 'wss://contributed.example', priority: 3, maintainer: 'somebody', uptime: '99.9%' };
        const signed = { t: 'wss', u: 'wss://signed.example', publicKey: 'key', signature: 'signature', timestamp: Date.now() };
        const urls = (peers) => peers.map((peer) => peer.u.replace('wss://', ''));
        console.log(JSON.stringify({
          east: urls(sameFromMain({ environment: 'production', region: 'us-east', customPeers: [bare] })),
          own: urls(getBootstrapPeers({ environment: 'production', region: 'eu-west', customPeers: [first], includeLocal: false })),
          west: urls(getBootstrapPeers({ region: 'us-west', environment: 'production' })),
          anywhere: urls(getBootstrapPeers({ region: null })),
          kinds: urls(getBootstrapPeers({ environment: 'local', customPeers: [contributed, signed] })).filter((u) => /example/.test(u)),
          environment: parseBootstrapPeersFromEnv(process.env.BOOTSTRAP_PEERS),
          none: [parseBootstrapPeersFromEnv(''), parseBootstrapPeersFromEnv(null)],
          found: urls(await discoverBootstrapPeers('an-app')),
          directory: typeof SignalDirectory,
        }));";
    let found = node(program, &[("BOOTSTRAP_PEERS", "wss://a.example,wss://b.example")]).await;
    let [vercel, heroku, railway, fly] =
        ["pigeonhub.vercel.app", "pigeonhub.herokuapp.com", "pigeonhub.railway.app", "pigeonhub.fly.dev"];
    let of_environment = |u| json!({ "t": "wss", "u": u, "region": "custom", "priority": 1 });
    assert_eq!(found["east"], json!([vercel, heroku, fly, "bare.example"]));
    assert_eq!(found["own"], json!(["first.example", vercel, fly]));
    assert_eq!(found["west"], json!([vercel, railway, fly]));
    assert_eq!(found["anywhere"], json!([vercel, heroku, railway, fly]));
    assert_eq!(found["kinds"], json!(["contributed.example", "signed.example"]));
    assert_eq!(found["environment"], json!(["wss://a.example", "wss://b.example"].map(of_environment)));
    assert_eq!(found["none"], json!([[], []]));
    assert_eq!(found["found"], json!(["a.example", "b.example", vercel, heroku, railway, fly]));
    assert_eq!(found["directory"], "function");
}
