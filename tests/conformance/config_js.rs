//! The JavaScript that finds nodes, in Node.js: it decides as the crate does, and asks real nodes.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{
    Descriptor, Environment, Region, Wanted, get_bootstrap_peers, parse_bootstrap_peers_from_env,
    seed_bundle, sign,
};
use pigeonhub_protocol::Millis;
use pigeonhub_protocol::http_signature::encode_key;
use pigeonhub_tests::{DocumentServer, TestNode};
use serde_json::{Value, json};

use crate::package_js::node;

const PATH: &str = "/.well-known/pigeonhub-bootstrap";

/// Runs a script that has the module as `config` and this as `given`; what it returns.
async fn run(script: &str, given: &Value) -> Value {
    let program = format!(
        "const config = await import('pigeonhub-wasm/config');\nconst given = {given};\n\
         const result = await (async () => {{ {script} }})();\nconsole.log(JSON.stringify(result));"
    );
    node(&program, &[]).await
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

fn json_of(peers: &[Descriptor]) -> Value {
    peers.iter().map(Descriptor::json).collect()
}

#[tokio::test]
async fn javascript_lists_the_same_nodes_as_rust() {
    let texts = [
        "",
        " wss://b.example , ,http://a.example:80/,a.example,ftp://x,,",
        "wss://a.example/path,wss://,ws://[::1]:3000,wss://user@a.example,https://a.example//",
    ];
    let expected: Vec<_> =
        texts.iter().map(|text| json_of(&parse_bootstrap_peers_from_env(text).peers)).collect();
    let read =
        run("return given.map((text) => config.parseBootstrapPeersFromEnv(text));", &json!(texts)).await;
    assert_eq!(read, json!(expected));

    let custom = |u: &str, priority| Descriptor { priority, ..Descriptor::at(u).unwrap() };
    let custom_peers = vec![
        custom("wss://last.example", None),
        custom("wss://one.example", Some(1)),
        custom("wss://zero.example", Some(0)),
        custom("wss://one.example", Some(0)),
    ];
    let (mut given, mut expected) = (Vec::new(), Vec::new());
    for (name, environment) in [("production", Environment::Production), ("development", Environment::Local)]
    {
        for region in [None].into_iter().chain(Region::ALL.map(Some)) {
            for include_local in [false, true] {
                let custom_peers = custom_peers.clone();
                let mut options = json!({ "environment": name, "includeLocal": include_local });
                options["customPeers"] = json_of(&custom_peers);
                if let Some(region) = region {
                    options["region"] = region.name().into();
                }
                given.push(options);
                let wanted = Wanted { environment, region, custom_peers, include_local };
                expected.push(json_of(&get_bootstrap_peers(wanted)));
            }
        }
    }
    let listed =
        run("return given.map((options) => config.getBootstrapPeers(options));", &json!(given)).await;
    assert_eq!(listed, json!(expected));
}

#[tokio::test]
async fn javascript_finds_nodes_checks_them_and_keeps_them() {
    let a = TestNode::alone("a").await;
    let b = TestNode::start("b", &[&a], &[]).await;
    a.sees(1).await;
    let now = now();
    let signed = |u: &str, timestamp| {
        let mut descriptor = json!({ "t": "ws", "u": u, "uptime": 0.1 });
        sign(&mut descriptor, &SigningKey::from_bytes(&[5; 32]), Millis(timestamp), 60);
        descriptor
    };
    let mut forged = signed("ws://127.0.0.1:1", now);
    forged["u"] = json!("ws://127.0.0.1:2");
    let peers = [
        forged,
        signed("ws://127.0.0.1:3", now - 61_000),
        signed("ws://127.0.0.1:4", now + 3_600_000),
        json!({ "t": "wss", "u": "ws://127.0.0.1:5" }),
        json!({ "t": "ws", "u": "ws://far.example" }),
        json!({ "t": "ws", "u": "ws://127.0.0.1:6" }),
        signed("ws://127.0.0.1:7", now),
    ];
    let server = DocumentServer::with(PATH, &json!({ "app": "pigeonhub-mesh", "peers": peers })).await;
    let other = DocumentServer::with(PATH, &json!({ "app": "other", "peers": peers })).await;
    let script = "
        const kept = new Map();
        const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text) };
        const ask = async (domains) => {
          const peers = await config.discoverBootstrapPeers(undefined, { domains, storage, environment: 'local' });
          return peers.map((peer) => peer.u).filter((u) => !/:300[0-3]$/.test(u));
        };
        const found = await ask([given.node, given.other, given.server]);
        const gone = await ask(['http://127.0.0.1:9']);
        const [name] = kept.keys();
        kept.set(name, kept.get(name).replace('ws://127.0.0.1:7', 'ws://127.0.0.1:8'));
        return { found, gone, touched: await ask([]) };";
    let given = json!({ "node": a.url(""), "other": other.url, "server": server.url });
    let result = run(script, &given).await;
    // Signed ones first: the node and what it has reached, then the document's; then those unsigned.
    let all = json!([a.ws(), b.ws(), "ws://127.0.0.1:7", "ws://127.0.0.1:6"]);
    assert_eq!(result["found"], all);
    assert_eq!(result["gone"], all, "from the cache");
    assert_eq!(
        result["touched"],
        json!([a.ws(), b.ws(), "ws://127.0.0.1:6"]),
        "a touched cache is not believed"
    );
}

#[tokio::test]
async fn javascript_reads_the_seed_bundles_of_existing_nodes() {
    const LEGACY: &str = "/.well-known/peerpigeon.json";
    let key = SigningKey::from_bytes(&[6; 32]);
    let url = |number| format!("ws://127.0.0.1:{number}");
    let bundle = |app, at, number| seed_bundle(&key, app, &[url(number)], Millis(at), 60);
    let mut forged = bundle("pigeonhub-mesh", now(), 2);
    forged["seeds"][0]["u"] = json!(url(3));
    let bundles = [
        bundle("pigeonhub-mesh", now(), 1),
        forged,
        bundle("pigeonhub-mesh", now() - 61_000, 4),
        bundle("other", now(), 5),
    ];
    let mut servers = Vec::new();
    for bundle in &bundles {
        servers.push(DocumentServer::with(LEGACY, bundle).await);
    }
    // A node that vouches for itself only.
    let mut own = json!({ "t": "ws", "u": url(7) });
    sign(&mut own, &SigningKey::from_bytes(&[5; 32]), Millis(now()), 60);
    servers.push(DocumentServer::with(PATH, &json!({ "app": "pigeonhub-mesh", "peers": [own] })).await);
    let script = "
        const ask = async (keys) => {
          const options = { domains: given.domains, storage: null, environment: 'local', keys };
          const peers = await config.discoverBootstrapPeers(undefined, options);
          return peers.map((peer) => peer.u).filter((u) => !/:300[0-3]$/.test(u));
        };
        return [await ask([]), await ask([given.key])];";
    let domains: Vec<_> = servers.iter().map(|server| &server.url).collect();
    let given = json!({ "domains": domains, "key": encode_key(&key.verifying_key()) });
    let ranked = [[url(7), url(1)], [url(1), url(7)]];
    assert_eq!(run(script, &given).await, json!(ranked), "whose key it is has to be known");
}

#[tokio::test]
async fn javascript_asks_dns_over_https() {
    let records = [
        r#""v=pigeonhub1; " "u=ws://127.0.0.1:1; priority=2""#,
        "v=pigeonhub1; u=ws://127.0.0.1:2; priority=1",
        r#""{\"t\":\"ws\",\"u\":\"ws://127.0.0.1:3\",\"priority\":3}""#,
        r#""{\"app\":\"pigeonhub-mesh\",\"peers\":[{\"t\":\"ws\",\"u\":\"ws://127.0.0.1:4\"}]}""#,
        "v=spf1 -all",
        "nonsense",
    ];
    let answer: Vec<_> = records.iter().map(|data| json!({ "type": 16, "data": data })).collect();
    let mut answer = json!({ "Answer": answer });
    answer["Answer"].as_array_mut().unwrap().push(json!({ "type": 5, "data": "elsewhere." }));
    let server = DocumentServer::with("/dns-query", &answer).await;
    let script = "
        const options = { domains: [given.domain], dns: given.resolver, storage: null, environment: 'local' };
        const peers = await config.discoverBootstrapPeers(undefined, options);
        return peers.map((peer) => peer.u).filter((u) => !/:300[0-3]$/.test(u));";
    let resolver = format!("{}/dns-query", server.url);
    let given = json!({ "domain": "http://127.0.0.1:9", "resolver": resolver });
    let expected: Vec<_> = [2, 1, 3, 4].map(|number| format!("ws://127.0.0.1:{number}")).into();
    assert_eq!(run(script, &given).await, json!(expected), "best first, and no nonsense");
}
