//! The HTTP API as pure functions: which request asks for what, what is refused how, and the fields
//! that existing programs read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_node_core::records::{Stored, on_behalf};
use pigeonhub_node_core::rest::{self, Call, PageQuery, Reply, Request, Status, iso_8601, route};
use pigeonhub_node_core::{Home, Membership, Node, Presence, SessionId, Settings};
use pigeonhub_protocol::http_signature::SigningKey;
use pigeonhub_protocol::mesh::{Meeting, NodeDescriptor, OneOrMany, Routing};
use pigeonhub_protocol::{Millis, Moment, NetworkName, NodeId, PeerId, Record, limit, raw_json};
use serde_json::{Value, json};

fn get(target: &str) -> Result<Call, Reply> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    route(&Request { method: "GET", path, query, body: b"", node: None })
}

fn post(path: &str, body: &str, node: Option<&str>) -> Result<Call, Reply> {
    let node: Option<NodeId> = node.map(|node| node.parse().unwrap());
    route(&Request { method: "POST", path, query: "", body: body.as_bytes(), node: node.as_ref() })
}

fn refusal(call: Result<Call, Reply>) -> (u16, String) {
    let reply = call.map(|call| panic!("{call:?}")).unwrap_err();
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert!(body["error"].is_string(), "{body}");
    (reply.status, body["code"].as_str().unwrap().to_owned())
}

fn code(call: Result<Call, Reply>) -> String {
    refusal(call).1
}

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes([number; 20])
}

fn node() -> Node {
    Node { id: "me".parse().unwrap(), settings: Settings::default() }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn every_route_has_its_method() {
    let gets = ["/", "/health", "/signaling", "/generate-peer-id", "/peers", "/hubs", "/metrics"];
    let known = ["/.well-known/pigeonhub-bootstrap", "/.well-known/peerpigeon.json"];
    let more = ["/api/node", known[0], known[1], "/api/find/t", "/api/watch/t", "/health/"];
    for path in gets.into_iter().chain(more) {
        assert!(get(path).is_ok(), "{path}");
        assert!(route(&Request { method: "HEAD", path, query: "", body: b"", node: None }).is_ok());
        let refused = post(path, "{}", None).unwrap_err();
        assert_eq!((refused.status, refused.headers), (405, vec![("allow", "GET, HEAD, OPTIONS")]), "{path}");
    }
    let posts = [
        "meet",
        "leave",
        "announce-peer",
        "withdraw-peer",
        "route-signal",
        "publish",
        "replicate",
        "records",
        "reconcile",
    ];
    for path in posts.map(|name| format!("/api/{name}")) {
        let refused = get(&path).unwrap_err();
        assert_eq!((refused.status, refused.headers), (405, vec![("allow", "POST, OPTIONS")]), "{path}");
    }
    for path in ["/nothing", "/api", "/api/find", "/peers/x", "//health"] {
        assert_eq!(refusal(get(path)), (404, "not-found".into()), "{path}");
    }
}

#[test]
fn what_is_between_nodes_is_signed() {
    for name in
        ["leave", "announce-peer", "withdraw-peer", "route-signal", "replicate", "records", "reconcile"]
    {
        assert_eq!(
            refusal(post(&format!("/api/{name}"), "{}", None)),
            (401, "unauthorized".into()),
            "{name}"
        );
    }
}

#[test]
fn a_node_speaks_for_itself_only() {
    let announce = json!({ "peerId": peer(1), "nodeId": "b", "data": {} });
    let withdraw = json!({ "peerId": peer(1), "nodeId": "b", "departure": "lost" });
    for (path, body) in [
        ("/api/leave", json!({ "nodeId": "b" })),
        ("/api/interest", json!({ "nodeId": "b", "networkName": "room" })),
        ("/api/announce-peer", announce.clone()),
        ("/api/announce-peer", json!([announce])),
        ("/api/withdraw-peer", withdraw),
    ] {
        let body = body.to_string();
        assert!(post(path, &body, Some("b")).is_ok(), "{path} {body}");
        assert_eq!(refusal(post(path, &body, Some("c"))), (403, "forbidden".into()), "{path}");
    }
}

#[test]
fn bodies_are_one_or_many_in_kind() {
    let signal = json!({
        "type": "offer", "fromPeerId": peer(1), "targetPeerId": peer(2), "networkName": "room",
        "data": { "sdp": "v=0" }, "routingNode": "ignored"
    });
    let back = json!({
        "returnTo": peer(1), "networkName": "room", "code": "peer-unavailable", "error": "gone",
        "originalType": "offer"
    });
    let one = post("/api/route-signal", &signal.to_string(), Some("b"));
    let Ok(Call::RouteSignal(_, OneOrMany::One(Routing::Signal(one)))) = one else { panic!("{one:?}") };
    assert_eq!(one.data.get(), r#"{"sdp":"v=0"}"#);
    let many = post("/api/route-signal", &json!([signal, back]).to_string(), Some("b"));
    let Ok(Call::RouteSignal(_, OneOrMany::Many(many))) = many else { panic!("{many:?}") };
    assert!(matches!(many.as_slice(), [Routing::Signal(_), Routing::Return(_)]));
    let none = post("/api/route-signal", "[]", Some("b"));
    assert!(matches!(none, Ok(Call::RouteSignal(_, OneOrMany::Many(none))) if none.is_empty()));
    let crowd = Value::from(vec![signal; limit::BATCH + 1]).to_string();
    assert_eq!(refusal(post("/api/route-signal", &crowd, Some("b"))), (400, "invalid-request".into()));
}

#[test]
fn data_passes_through_bit_for_bit() {
    let odd = r#"{"z":1,"a":1.0e2,"a":"é\u00e9", "n":12345678901234567890}"#;
    let body = format!(
        r#"[{{"type":"offer","fromPeerId":"{}","targetPeerId":"{}","networkName":"n","data":{odd}}}]"#,
        peer(1),
        peer(2)
    );
    let Ok(Call::RouteSignal(_, OneOrMany::Many(many))) = post("/api/route-signal", &body, Some("b")) else {
        panic!()
    };
    let [Routing::Signal(signal)] = many.as_slice() else { panic!() };
    assert_eq!(signal.data.get(), odd);
}

#[test]
fn bad_bodies_are_told_apart() {
    let publish = |body| refusal(post("/api/publish", body, None));
    assert_eq!(publish("{nope"), (400, "malformed-json".into()));
    assert_eq!(publish(""), (400, "malformed-json".into()));
    assert_eq!(publish("[]"), (400, "invalid-request".into()));
    assert_eq!(refusal(post("/api/meet", "{}", None)), (400, "invalid-request".into()));
    let announce = json!({ "peerId": "short", "nodeId": "b", "data": {} }).to_string();
    assert_eq!(refusal(post("/api/announce-peer", &announce, Some("b"))), (400, "invalid-request".into()));
    let large = json!({ "peerId": peer(1), "nodeId": "b", "data": "x".repeat(limit::PROFILE) }).to_string();
    assert_eq!(refusal(post("/api/announce-peer", &large, Some("b"))), (413, "profile-too-large".into()));
}

#[test]
fn peers_are_paged() {
    let Ok(Call::Peers(query)) = get("/peers") else { panic!() };
    assert_eq!(query, PageQuery { network: NetworkName::default(), cursor: None, limit: 100 });
    let target = format!("/peers?x=y&network=my+room%20%C3%A9&cursor={}&limit=9999", peer(7));
    let Ok(Call::Peers(query)) = get(&target) else { panic!() };
    assert_eq!((query.network.as_str(), query.cursor, query.limit), ("my room é", Some(peer(7)), 500));
    for bad in ["cursor=zz", "limit=-1", "limit=x", "network=%0a"] {
        assert_eq!(refusal(get(&format!("/peers?{bad}"))), (400, "invalid-request".into()), "{bad}");
    }

    let here = |number| {
        let home = if number < 3 { Home::Here(SessionId(1)) } else { Home::At("b".parse().unwrap()) };
        let data = raw_json(&json!({ "name": number }));
        let (network, node) = (NetworkName::default(), "me".parse().unwrap());
        Presence::live(peer(number), network, home, node, data, Millis(0), Millis(limit::LEASE + 5))
    };
    let all: Vec<_> = (1..=3).map(here).collect();
    let page =
        |limit| body(&rest::peers(&node(), &PageQuery { limit, ..query_of("/peers") }, &all, Millis(0)));
    let first = page(2);
    assert_eq!((&first["count"], &first["next"]), (&json!(2), &json!(peer(2))));
    assert_eq!(
        first["peers"][0],
        json!({
            "peerId": "01010101...", "fullPeerId": peer(1), "nodeId": "me", "networkName": "global",
            "connected": true, "timestamp": 5, "data": { "name": 1 }
        })
    );
    let last = page(3);
    assert_eq!((&last["count"], &last["next"]), (&json!(3), &Value::Null));
    assert_eq!(last["peers"][2]["nodeId"], "b");
}

fn query_of(target: &str) -> PageQuery {
    let Ok(Call::Peers(query)) = get(target) else { panic!() };
    query
}

#[test]
fn topics_are_percent_decoded() {
    for (path, topic) in [
        ("/api/find/a", "a"),
        ("/api/find/a%2Fb", "a/b"),
        ("/api/find/a/b", "a/b"),
        ("/api/find/caf%C3%A9+", "café+"),
    ] {
        assert!(matches!(get(path), Ok(Call::Find(found)) if found.topic == topic), "{path}");
    }
    for path in ["/api/find/%FF".into(), format!("/api/find/{}", "x".repeat(257))] {
        assert_eq!(refusal(get(&path)), (400, "invalid-request".into()), "{path}");
    }
}

#[test]
fn publications_become_records() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let record = |body: Value| {
        let call = post("/api/publish", &body.to_string(), None);
        let Ok(Call::Publish(publication)) = call else { panic!("{call:?}") };
        publication.record(&key, &"me".parse().unwrap(), Millis(1_000))
    };
    let usual = record(json!({ "topic": "t", "data": { "x": 1 } }));
    assert_eq!((usual.node_id.as_ref().unwrap().as_str(), usual.expires_at()), ("me", Millis(301_000)));
    assert_eq!(usual.check(Millis(1_000)), Ok(()), "signed by the node");
    assert_eq!(record(json!({ "topic": "t", "data": 1, "ttl": 0.5 })).ttl, 1);
    assert_eq!(record(json!({ "topic": "t", "data": 1, "ttl": 1.5 })).ttl, 2);
    assert_eq!(record(json!({ "topic": "t", "data": 1, "ttl": 1e300 })).ttl, limit::TTL);

    // Whoever signs is not signed for, and is not taken for a node.
    let signed = Record { node_id: None, ..usual.clone() }.signed(&SigningKey::from_bytes(&[8; 32]));
    let same = record(serde_json::to_value(&signed).unwrap());
    assert_eq!((same.publisher, same.signature), (signed.publisher, signed.signature));
    let posed = serde_json::to_string(&usual).unwrap();
    assert_eq!(refusal(post("/api/publish", &posed, None)), (400, "invalid-request".into()));

    for falsy in [json!(null), json!(false), json!(0), json!("")] {
        let body = json!({ "topic": "t", "data": falsy }).to_string();
        assert_eq!(refusal(post("/api/publish", &body, None)), (400, "invalid-request".into()), "{falsy}");
    }
    for body in [json!({ "data": 1 }), json!({ "topic": "t", "data": 1, "ttl": -1 }), json!({ "topic": "t" })]
    {
        assert_eq!(code(post("/api/publish", &body.to_string(), None)), "invalid-request", "{body}");
    }
    let large = json!({ "topic": "t", "data": "x".repeat(limit::RECORD) }).to_string();
    assert_eq!(refusal(post("/api/publish", &large, None)), (413, "message-too-large".into()));
}

#[test]
fn publishers_hear_by_how_many_nodes_a_record_is_kept() {
    let record = on_behalf(
        &SigningKey::from_bytes(&[7; 32]),
        &"b".parse().unwrap(),
        "t".into(),
        raw_json(&1),
        6,
        Millis(1_000),
    );
    let me = "me".parse().unwrap();
    let published = |wanted| rest::published(&me, &record, Stored { by: 3, of: 4, wanted });
    assert_eq!(
        body(&published(3)),
        json!({
            "success": true, "topic": "t", "recordId": record.id(), "seq": 1000, "nodeId": "me",
            "method": "http-replication", "stored": 3, "replicatedTo": 2, "totalNodes": 4, "expiresAt": 7000
        })
    );
    let too_few = published(4);
    assert_eq!((too_few.status, &body(&too_few)["code"]), (503, &json!("not-replicated")));
    assert_eq!((&body(&too_few)["stored"], &body(&too_few)["wanted"]), (&json!(3), &json!(4)));

    let Ok(Call::Find(query)) = get("/api/find/t") else { panic!() };
    let found = body(&rest::found(&me, &query, &[record], Millis(6)));
    assert_eq!((&found["count"], &found["records"][0]["data"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&found["records"][0]["nodeId"], &found["records"][0]["replicated"]),
        (&json!("b"), &json!(true))
    );
    assert_eq!(found["source"], "local-dht");
}

fn descriptor(name: &str) -> NodeDescriptor {
    NodeDescriptor {
        node_id: name.parse().unwrap(),
        t: "ws".into(),
        u: format!("ws://{name}:3000"),
        public_key: format!("key of {name}"),
        region: Some("eu-west".into()),
        priority: None,
        version: "1".into(),
        timestamp: Millis(0),
        more: Default::default(),
    }
}

fn with_status<T>(run: impl FnOnce(&Status<'_>) -> T) -> T {
    let mut mesh = Membership::new(descriptor("me"), 1, vec!["ws://b:3000".into(), "ws://c:3000".into()]);
    let meeting = Meeting { node: descriptor("b"), nodes: Vec::new(), incarnation: 1 };
    let at = Moment { now: Millis(0), seed: 0 };
    mesh.met("http://b:3000", meeting, at).unwrap();
    mesh.failed("http://c:3000", at);
    let now = Millis(1_700_000_000_123);
    run(&Status {
        node: &node(),
        mesh: &mesh,
        app: "app",
        transports: &["websocket"],
        port: 3000,
        started: Millis(now.0 - 1234),
        now,
        connections: 5,
        peers: 7,
        networks: 2,
        draining: false,
        dht_ready: false,
    })
}

#[test]
fn health_has_every_field_that_existing_programs_read() {
    let health = body(&with_status(|status| status.health()));
    assert_eq!(
        health,
        json!({
            "status": "healthy", "nodeId": "me", "port": 3000, "uptime": 1234, "connected": true,
            "isBootstrapping": false, "dhtReady": false, "signalDirReady": false,
            "timestamp": "2023-11-14T22:13:20.123Z", "connections": 5, "region": "eu-west", "version": "1",
            "peers": 7, "networks": 2, "nodes": 1
        })
    );
}

#[test]
fn signaling_tells_what_the_node_offers_and_whom_it_knows() {
    let told = body(&with_status(|status| status.signaling(&[])));
    for field in [
        "nodeId",
        "signalingPort",
        "wsUrl",
        "webrtcUrl",
        "generatePeerIdUrl",
        "connectedPeers",
        "totalConnections",
        "peerDataEntries",
        "instructions",
        "alternativeUrls",
        "timestamp",
    ] {
        assert!(!told[field].is_null(), "{field}");
    }
    assert_eq!(told["alternativeUrls"]["wsUrl127"], "ws://127.0.0.1:3000");
    assert_eq!(told["limits"]["message"], limit::MESSAGE);
    assert_eq!(told["transports"], json!(["websocket"]));
    let states: Vec<_> = told["nodes"].as_array().unwrap().iter().map(|node| &node["state"]).collect();
    assert_eq!(states, ["up", "down"]);

    let hubs = body(&with_status(|status| status.hubs()));
    assert_eq!((&hubs["totalHubs"], &hubs["hubs"][0]["nodeId"]), (&json!(2), &json!("b")));
    let bootstrap = body(&with_status(|status| status.bootstrap()));
    let ids: Vec<_> = bootstrap["peers"].as_array().unwrap().iter().map(|node| &node["nodeId"]).collect();
    assert_eq!(ids, ["me", "b"]);
    assert_eq!(body(&with_status(|status| status.descriptor()))["publicKey"], "key of me");
    let generated = body(&with_status(|status| status.generated(peer(3))));
    assert_eq!((&generated["peerId"], &generated["length"]), (&json!(peer(3)), &json!(40)));
    assert!(generated["wsUrl"].as_str().unwrap().ends_with(peer(3).as_str()));
}

#[test]
fn dates_as_javascript_writes_them() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
        (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        assert_eq!(iso_8601(Millis(millis)), text);
    }
}
