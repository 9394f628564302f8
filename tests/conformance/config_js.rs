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

/// A script's `ask(domains, options)`: what is found, without the built-in list, and what is refused; and its
/// storage, `kept`.
const ASK: &str = "
    const kept = new Map();
    const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text) };
    const ask = async (domains, options) => {
      const refused = [];
      const onrefused = ({ code, source, peer }) => refused.push([code, source, peer?.u ?? null]);
      const peers = await config.discoverBootstrapPeers(undefined, { domains, storage, environment: 'local', onrefused, ...options });
      return { found: peers.map((peer) => peer.u).filter((u) => !/:300[0-3]$/.test(u)), refused };
    };";

/// Nobody listens there, and it may name local addresses.
const NOBODY: &str = "http://127.0.0.1:9";

/// The descriptor of a node that signs for itself.
fn signed_at(u: &str, timestamp: u64) -> Value {
    let mut descriptor = json!({ "t": u.split(':').next(), "u": u, "uptime": 0.1 });
    sign(&mut descriptor, &SigningKey::from_bytes(&[5; 32]), Millis(timestamp), 60);
    descriptor
}

fn with(mut value: Value, field: &str, new: Value) -> Value {
    value[field] = new;
    value
}

#[tokio::test]
async fn javascript_finds_nodes_checks_them_and_keeps_them() {
    let a = TestNode::alone("a").await;
    let b = TestNode::start("b", &[&a], &[]).await;
    a.sees(1).await;
    let now = now();
    let document = |peers: &[Value]| json!({ "app": "pigeonhub-mesh", "peers": peers });
    let good = signed_at("ws://127.0.0.1:7", now);
    // Without a signature it says nothing about the time of what is signed.
    let mut ahead = with(good.clone(), "timestamp", json!(now + 1));
    ahead.as_object_mut().unwrap().remove("signature");
    let peers = [
        with(signed_at("ws://127.0.0.1:1", now), "u", json!("ws://127.0.0.1:2")),
        signed_at("ws://127.0.0.1:3", now - 61_000),
        signed_at("ws://127.0.0.1:4", now + 3_600_000),
        json!({ "t": "wss", "u": "ws://127.0.0.1:5" }),
        json!({ "t": "ws", "u": "ws://far.example" }),
        json!({ "t": "ws", "u": "ws://127.0.0.1:6" }),
        good,
        ahead,
    ];
    let server = DocumentServer::with(PATH, &document(&peers)).await;
    let other = DocumentServer::with(PATH, &json!({ "app": "other", "peers": peers })).await;
    let replaying = DocumentServer::with(PATH, &document(&[signed_at("ws://127.0.0.1:7", now - 1)])).await;
    let junk = DocumentServer::with(PATH, &json!("no document")).await;
    let script = "
        const found = await ask([given.node, given.other, given.junk, given.server]);
        return { found, gone: await ask([given.nobody]), replayed: await ask([given.replaying]) };";
    let given = json!({
        "node": a.url(""), "other": other.url, "server": server.url, "replaying": replaying.url,
        "junk": junk.url, "nobody": NOBODY,
    });
    let result = run(&[ASK, script].concat(), &given).await;
    // Signed ones first: the node and what it has reached, then the document's; then those unsigned.
    let all = json!([a.ws(), b.ws(), "ws://127.0.0.1:7", "ws://127.0.0.1:6"]);
    let at = |server: &DocumentServer| server.url.clone() + PATH;
    let refused = [
        json!(["other-app", at(&other), null]),
        json!(["invalid", at(&junk), null]),
        json!(["forged", at(&server), "ws://127.0.0.1:2"]),
        json!(["expired", at(&server), "ws://127.0.0.1:3"]),
        json!(["future", at(&server), "ws://127.0.0.1:4"]),
        json!(["invalid", at(&server), "ws://127.0.0.1:5"]),
        json!(["invalid", at(&server), "ws://far.example"]),
    ];
    assert_eq!(result["found"], json!({ "found": all, "refused": refused }));
    assert_eq!(result["gone"], json!({ "found": all, "refused": [] }), "from the storage");
    let refused = [json!(["replayed", at(&replaying), "ws://127.0.0.1:7"])];
    assert_eq!(result["replayed"], json!({ "found": all, "refused": refused }));
}

#[tokio::test]
async fn javascript_believes_its_storage_no_more_than_anybody_else() {
    let now = now();
    let good = json!({ "peer": signed_at("wss://good.example", now), "seen": now });
    let entry = |peer: Value| with(good.clone(), "peer", peer);
    let at = |u: &str| entry(json!({ "t": u.split(':').next(), "u": u }));
    let forged = with(signed_at("wss://honest.example", now), "u", json!("wss://forged.example"));
    let peer_of = |entry: &Value| entry["peer"]["u"].clone();
    let cases = [
        (at("ws://127.0.0.1:1"), Some("invalid")),
        (at("wss://192.168.0.1"), Some("invalid")),
        (at("ws://far.example"), Some("invalid")),
        (at("wss://far.example/path"), Some("invalid")),
        (entry(forged), Some("forged")),
        (entry(signed_at("wss://old.example", now - 61_000)), Some("expired")),
        (with(at("wss://forgotten.example"), "seen", json!(now - 86_400_000)), Some("expired")),
        (with(at("wss://soon.example"), "seen", json!(now + 60_000)), Some("future")),
        (with(at("wss://never.example"), "seen", Value::Null), Some("invalid")),
        (with(at("wss://checked.example"), "misses", json!("none")), Some("invalid")),
        (json!(7), Some("invalid")),
        (at("wss://unsigned.example"), None),
        (good.clone(), None),
    ];
    let refused = |(entry, code): &(Value, Option<&str>)| Some(json!([(*code)?, "cache", peer_of(entry)]));
    let expected = json!({
        "found": ["wss://good.example", "wss://unsigned.example"],
        "refused": cases.iter().filter_map(refused).collect::<Vec<_>>(),
    });
    let entries: Vec<_> = cases.iter().map(|(entry, _)| entry.clone()).collect();
    let many: Vec<_> = (0..60).map(|number| at(&format!("wss://n{number}.example"))).collect();
    let texts = [
        json!(entries).to_string(),
        format!("[{}{good}]", " ".repeat(300_000)),
        "{".into(),
        "{}".into(),
        format!(
            r#"[{{"seen":{now},"peer":{{"t":"wss","u":"wss://deep.example","x":{}{}}}}}]"#,
            "[".repeat(50_000),
            "]".repeat(50_000)
        ),
        json!(many).to_string(),
        json!([at("ws://127.0.0.1:1")]).to_string(),
    ];
    let script = "
        const results = [];
        for (const [index, text] of given.texts.entries()) {
          kept.set('pigeonhub-bootstrap-pigeonhub-mesh', text);
          // The last time somebody local is asked.
          results.push(await ask(index === given.texts.length - 1 ? [given.nobody] : []));
        }
        return results;";
    let given = json!({ "texts": texts, "nobody": NOBODY });
    let results = run(&[ASK, script].concat(), &given).await;
    assert_eq!(results[0], expected);
    for (index, what) in [(1, "large"), (2, "no JSON"), (3, "no list")] {
        assert_eq!(results[index], json!({ "found": [], "refused": [["invalid", "cache", null]] }), "{what}");
    }
    assert_eq!(results[4]["refused"], json!([["invalid", "cache", "wss://deep.example"]]));
    assert_eq!(results[5]["found"].as_array().unwrap().len(), 50);
    assert_eq!(results[6], json!({ "found": ["ws://127.0.0.1:1"], "refused": [] }));
}

#[tokio::test]
async fn javascript_asks_what_it_kept_how_it_does_and_puts_the_silent_last() {
    let node = TestNode::alone("a").await;
    let now = now();
    let five_minutes_ago = now - 5 * 60_000;
    let entry = |u: &str, seen, misses| json!({ "peer": { "t": "ws", "u": u, "priority": misses }, "seen": seen, "misses": misses });
    // Nobody is there: once a node to be asked, once one that was asked a moment ago.
    let (gone, fresh) = ("ws://127.0.0.1:9", "ws://127.0.0.1:10");
    let entries = [
        entry(gone, five_minutes_ago, 2),
        entry(&node.ws(), five_minutes_ago, 5),
        entry(fresh, now - 1000, 1),
    ];
    let script = "
        const name = 'pigeonhub-bootstrap-pigeonhub-mesh';
        kept.set(name, JSON.stringify(given.entries));
        const { found: first } = await ask([given.nobody]);
        const written = kept.get(name);
        while (kept.get(name) === written) await new Promise((resolve) => setTimeout(resolve, 10));
        const health = JSON.parse(kept.get(name));
        return { first, health, second: (await ask([given.nobody])).found };";
    let given = json!({ "entries": entries, "nobody": NOBODY });
    let result = run(&[ASK, script].concat(), &given).await;
    assert_eq!(result["first"], json!([fresh, gone, node.ws()]), "who failed five times is last");
    assert_eq!(result["second"], json!([fresh, node.ws(), gone]), "who failed for the third time is last");
    let health = result["health"].as_array().unwrap();
    let of = |u: &str| health.iter().find(|kept| kept["peer"]["u"] == u).unwrap();
    assert_eq!((&of(gone)["misses"], &of(gone)["seen"]), (&json!(3), &json!(five_minutes_ago)));
    assert_eq!(of(&node.ws())["misses"], 0);
    assert!(of(&node.ws())["roundTrip"].is_u64());
    assert!(of(&node.ws())["seen"].as_u64().unwrap() >= now, "kept for another day");
    assert_eq!((&of(fresh)["misses"], &of(fresh)["checked"]), (&json!(1), &Value::Null), "not asked");
}

#[tokio::test]
async fn javascript_asks_what_it_kept_every_five_minutes() {
    let node = TestNode::alone("a").await;
    let script = "
        const timers = new Map();
        globalThis.setInterval = (look, every) => {
          const timer = { unref() {} };
          timers.set(timer, [look, every]);
          return timer;
        };
        globalThis.clearInterval = (timer) => timers.delete(timer);
        await ask([given]);
        await ask([given]);
        const start = Date.now();
        const looks = [];
        for (const minutes of [1, 4, 5, 6, 9, 10]) {
          Date.now = () => start + minutes * 60_000;
          for (const [look] of timers.values()) await look();
          const [{ checked, seen }] = JSON.parse(kept.get('pigeonhub-bootstrap-pigeonhub-mesh'));
          looks.push([minutes, checked === seen ? Math.round((checked - start) / 60_000) : null]);
        }
        return { every: [...timers.values()].map(([, every]) => every), looks };";
    let result = run(&[ASK, script].concat(), &json!(node.url(""))).await;
    assert_eq!(result["every"], json!([60_000]), "one timer, however often it is asked for nodes");
    let looks = json!([[1, null], [4, null], [5, 5], [6, 5], [9, 5], [10, 10]]);
    assert_eq!(result["looks"], looks, "minutes, and when the node was last asked");
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
