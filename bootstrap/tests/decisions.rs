//! What is accepted, what is refused and why, and what comes first.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ed25519_dalek::SigningKey;
use pigeonhub_bootstrap::{
    CHECK, Check, Descriptor, EXPIRES, Environment, Found, Invalid, Pool, Refusal, Region, Source, Trust,
    Wanted, built_in, get_bootstrap_peers, is_fresh, is_local, parse_bootstrap_peers_from_env, pause,
    read_document, read_txt, seed_bundle, sign, signed as signed_node, txt_name,
};
use pigeonhub_protocol::mesh::NodeDescriptor;
use pigeonhub_protocol::signed_json::{signature_of, statement};
use pigeonhub_protocol::{Millis, limit};
use serde_json::{Value, json};

const NOW: Millis = Millis(1_700_000_000_000);

fn check(is_local: bool) -> Check<'static> {
    Check { app: "app", pins: &[], is_local, now: NOW }
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn signed(u: &str, timestamp: u64, expires: u64) -> Value {
    let mut descriptor = json!({ "t": u.split(':').next(), "u": u, "region": "eu-west", "uptime": "99.9" });
    sign(&mut descriptor, &key(1), Millis(timestamp), expires);
    descriptor
}

fn with(mut value: Value, field: &str, new: Value) -> Value {
    value[field] = new;
    value
}

fn document(peers: &[Value]) -> Found {
    read_document(&json!({ "app": "app", "peers": peers }).to_string(), &check(false))
}

fn urls<'a>(peers: impl IntoIterator<Item = &'a Descriptor>) -> Vec<&'a str> {
    peers.into_iter().map(|peer| peer.u.as_str()).collect()
}

#[test]
fn a_descriptor_says_what_is_wrong_with_it() {
    let good = json!({ "t": "wss", "u": "wss://a.example:8443/", "priority": 0 });
    assert_eq!(Descriptor::read(&good).unwrap().priority, Some(0));
    let wrong = [
        (json!("wss://a.example"), Invalid::Form),
        (json!({ "u": "wss://a.example" }), Invalid::Form),
        (with(good.clone(), "priority", json!("high")), Invalid::Form),
        (with(good.clone(), "uptime", json!([1])), Invalid::Form),
        (with(good.clone(), "maintainer", Value::Null), Invalid::Form),
        (with(good.clone(), "t", json!("ws")), Invalid::Scheme),
        (json!({ "t": "ftp", "u": "ftp://a.example" }), Invalid::Scheme),
        (with(good.clone(), "u", json!("wss://a.example/path")), Invalid::Url),
        (with(good.clone(), "u", json!("wss://user@a.example")), Invalid::Url),
        (with(good.clone(), "u", json!("wss://")), Invalid::Url),
        (with(good.clone(), "region", json!("mars")), Invalid::Region),
        (with(good.clone(), "region", json!(7)), Invalid::Region),
        (with(good.clone(), "description", json!("x".repeat(501))), Invalid::Size),
        (with(good.clone(), "else", json!("x".repeat(5000))), Invalid::Size),
        (with(good.clone(), "timestamp", json!(1_u64 << 60)), Invalid::Size),
        (with(good.clone(), "publicKey", json!("none")), Invalid::Key),
        (with(good, "signature", json!("c2lnbmVk")), Invalid::Key),
    ];
    for (value, why) in wrong {
        assert_eq!(Descriptor::read(&value).unwrap_err(), why, "{value}");
    }
}

#[test]
fn what_comes_from_elsewhere_is_secure_and_not_local() {
    let found = |u: &str, from_local| {
        let text = json!({ "app": "app", "peers": [{ "t": u.split(':').next(), "u": u }] }).to_string();
        read_document(&text, &check(from_local)).refused
    };
    let refused = |why: Invalid| vec![Refusal::from(why)];
    for (u, from_far, from_near) in [
        ("wss://a.example", vec![], vec![]),
        ("https://203.0.113.7:3000", vec![], vec![]),
        ("ws://a.example", refused(Invalid::Insecure), refused(Invalid::Insecure)),
        ("ws://127.0.0.1:3000", refused(Invalid::Local), vec![]),
        ("wss://10.1.2.3", refused(Invalid::Local), vec![]),
        ("http://[::1]:3000", refused(Invalid::Local), vec![]),
    ] {
        assert_eq!(found(u, false), from_far, "{u}");
        assert_eq!(found(u, true), from_near, "{u}");
    }
    for local in ["localhost", "node", "a.test", "http://192.168.0.1/x", "[fd00::1]:80", "169.254.169.254"] {
        assert!(is_local(local), "{local}");
    }
    for far in ["a.example", "https://8.8.8.8", "[2001:db8::1]:80", "localhost.example"] {
        assert!(!is_local(far), "{far}");
    }
}

#[test]
fn a_signature_decides_how_far_a_descriptor_is_trusted_or_why_it_is_refused() {
    let good = signed("wss://a.example", NOW.0, 60);
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    assert_eq!(document(std::slice::from_ref(&good)).peers[0].1, Trust::Community);
    assert_eq!(document(&[unsigned]).peers[0].1, Trust::Discovered);
    let pins = [good["publicKey"].as_str().unwrap().to_owned()];
    let text = json!({ "app": "app", "peers": [good] }).to_string();
    assert_eq!(read_document(&text, &Check { pins: &pins, ..check(false) }).peers[0].1, Trust::Project);
    assert_eq!(read_document(&text, &Check { app: "other", ..check(false) }).refused, [Refusal::OtherApp]);

    let good = signed("wss://a.example", NOW.0, 60);
    for (value, why) in [
        (with(good.clone(), "u", json!("wss://b.example")), Refusal::Forged),
        (with(good.clone(), "priority", json!(0)), Refusal::Forged),
        (with(good.clone(), "expires", json!(6_000_000)), Refusal::Forged),
        (with(good.clone(), "newer", json!("words")), Refusal::Forged),
        (with(good.clone(), "signature", json!("c2lnbmVk")), Refusal::Forged),
        (
            with(
                good,
                "publicKey",
                json!(pigeonhub_protocol::http_signature::encode_key(&key(2).verifying_key())),
            ),
            Refusal::Forged,
        ),
        (signed("wss://a.example", NOW.0 - 60_001, 60), Refusal::Expired),
        (signed("wss://a.example", NOW.0 + limit::SKEW + 1, 60), Refusal::Future),
    ] {
        assert_eq!(document(&[value]).refused, [why], "{why}");
    }
    // One that is refused leaves the others.
    let mixed = document(&[json!(7), signed("wss://a.example", NOW.0 - 60_000, 60)]);
    assert_eq!((mixed.peers.len(), mixed.refused), (1, vec![Refusal::Invalid(Invalid::Form)]));
    for junk in ["", "[]", "{}", "<html>", r#"{"peers":{}}"#] {
        assert_eq!(read_document(junk, &check(false)).refused, [Refusal::Invalid(Invalid::Form)], "{junk}");
    }
}

#[test]
fn nobody_silences_a_node_by_a_bundle_that_dates_it_ahead() {
    let read = |seed: Value| {
        let mut bundle = seed_bundle(&key(2), "app", &[], NOW, 60);
        bundle["seeds"] = json!([seed]);
        bundle["sig"] = signature_of(&key(2), &statement(&bundle, "", "sig")).into();
        read_document(&bundle.to_string(), &check(false))
    };
    let honest = signed("wss://a.example", NOW.0, 60);
    let ahead = read(with(honest.clone(), "timestamp", json!(NOW.0 + 1)));
    assert_eq!((ahead.peers, ahead.refused), (vec![], vec![Refusal::Forged]));
    assert_eq!(read(honest.clone()).peers[0].1, Trust::Community, "by the node's own signature");
    assert_eq!(read(json!({ "t": "wss", "u": "wss://a.example" })).peers[0].1, Trust::Discovered);

    // What is dated without a signature is no news either.
    let mut unsigned = with(honest.clone(), "timestamp", json!(NOW.0 + 1));
    unsigned.as_object_mut().unwrap().remove("signature");
    let mut pool = Pool::default();
    for (peer, trust) in read(unsigned).peers {
        pool.offer(peer, Source::WellKnown, trust, NOW).unwrap();
    }
    let honest = Descriptor::read(&honest).unwrap();
    assert_eq!(pool.offer(honest, Source::WellKnown, Trust::Community, NOW), Ok(()));
}

#[test]
fn a_node_signs_itself_every_six_hours_and_what_is_passed_on_still_holds() {
    let text =
        r#"{"nodeId":"a","t":"wss","u":"wss://a.example","publicKey":"","region":"eu-west","newer":[1.5]}"#;
    let node: NodeDescriptor = serde_json::from_str(text).unwrap();
    assert!(!is_fresh(&node, NOW), "not signed yet");
    let own = signed_node(&node, &key(4), NOW);
    for (at, fresh) in [(NOW, true), (NOW.plus(6 * 3_600_000 - 1), true), (NOW.plus(6 * 3_600_000), false)] {
        assert_eq!(is_fresh(&own, at), fresh, "{at:?}");
    }
    assert!(!is_fresh(&own, Millis(NOW.0 - 1)), "the clock was set back");
    // Through two more nodes.
    let passed = |node: &NodeDescriptor| -> NodeDescriptor {
        serde_json::from_str(&serde_json::to_string(&node.given_out(NOW.plus(5))).unwrap()).unwrap()
    };
    let passed = serde_json::to_value(passed(&passed(&own))).unwrap();
    assert_eq!((&passed["newer"], &passed["expires"]), (&json!([1.5]), &json!(EXPIRES)));
    assert_eq!(document(&[passed]).peers[0].1, Trust::Community);
}

#[test]
fn a_txt_record_is_words_or_json() {
    assert_eq!(txt_name("a.example."), "_pigeonhub-bootstrap.a.example.");
    let found = |record: &str| read_txt(record, &check(false));
    let (peer, trust) = found("v=pigeonhub1; u=wss://a.example;region=eu-west; priority=0;").peers.remove(0);
    assert_eq!((peer.t.as_str(), peer.region, peer.priority), ("wss", Some(Region::EuWest), Some(0)));
    assert_eq!(trust, Trust::Discovered);
    let good = signed("wss://a.example", NOW.0, 60);
    let words = good.as_object().unwrap().iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={value}")
    });
    let words = words.collect::<Vec<_>>().join("; ");
    for record in [format!("v=pigeonhub1; {words}"), good.to_string()] {
        assert_eq!(found(&record).peers[0].1, Trust::Community, "{record}");
    }
    let forged = found(&format!("v=pigeonhub1; {words}; priority=0"));
    assert_eq!(forged.refused, [Refusal::Forged]);
    assert_eq!(found(&json!({ "app": "app", "peers": [good] }).to_string()).peers.len(), 1);
    for junk in [
        "",
        "v=spf1 -all",
        "u=wss://a.example",
        "v=pigeonhub1",
        "v=pigeonhub1; u=a; u=b",
        "{",
        "v=pigeonhub1; u=wss://a.example; priority=first",
    ] {
        assert_eq!(found(junk).refused, [Refusal::Invalid(Invalid::Form)], "{junk}");
    }
}

#[test]
fn blanks_and_junk_are_no_peers() {
    let read = parse_bootstrap_peers_from_env(" wss://b.example , ,http://a.example:80/,a.example,ftp://x,,");
    assert_eq!(urls(&read.peers), ["wss://b.example", "http://a.example:80"]);
    assert!(read.peers.iter().all(|peer| peer.region == Some(Region::Custom) && peer.priority == Some(1)));
    assert_eq!(read.junk, [("a.example".into(), Invalid::Url), ("ftp://x".into(), Invalid::Scheme)]);
    assert_eq!(parse_bootstrap_peers_from_env(" ,"), Default::default());
}

#[test]
fn ones_own_peers_survive_a_region_and_zero_comes_first() {
    let custom = |u: &str, priority| Descriptor { priority, ..Descriptor::at(u).unwrap() };
    let custom_peers = vec![
        custom("wss://last.example", None),
        custom("wss://one.example", Some(1)),
        custom("wss://zero.example", Some(0)),
        custom("wss://one.example", Some(0)),
    ];
    let list = built_in();
    let peers =
        get_bootstrap_peers(Wanted { region: Some(Region::AsiaPacific), custom_peers, ..Wanted::default() });
    assert_eq!(urls(&peers)[..2], ["wss://zero.example", "wss://one.example"]);
    let global: Vec<_> =
        list.production.iter().filter(|peer| peer.region == Some(Region::Global)).cloned().collect();
    assert_eq!(urls(&peers)[2..peers.len() - 1], urls(&global), "in their order");
    assert_eq!(urls(&peers)[peers.len() - 1], "wss://last.example");

    let local = get_bootstrap_peers(Wanted { environment: Environment::Local, ..Wanted::default() });
    assert_eq!(local, list.local);
    let both = get_bootstrap_peers(Wanted { include_local: true, ..Wanted::default() });
    assert_eq!(both.len(), list.production.len() + list.local.len());
    let names = ["production", "development", "local", "moon"].map(Environment::named);
    assert_eq!(
        names,
        [Some(Environment::Production), Some(Environment::Local), Some(Environment::Local), None]
    );
}

#[test]
fn a_region_says_who_of_the_built_in_list_comes_first() {
    let [vercel, heroku, railway, fly] = [
        "wss://pigeonhub.vercel.app",
        "wss://pigeonhub.herokuapp.com",
        "wss://pigeonhub.railway.app",
        "wss://pigeonhub.fly.dev",
    ];
    for (region, listed, ranked) in [
        (None, vec![vercel, heroku, railway, fly], [vercel, heroku, railway, fly]),
        (Some(Region::UsEast), vec![vercel, heroku, fly], [vercel, heroku, railway, fly]),
        (Some(Region::UsWest), vec![vercel, railway, fly], [vercel, railway, heroku, fly]),
        (Some(Region::EuWest), vec![vercel, fly], [vercel, heroku, railway, fly]),
        (Some(Region::Global), vec![vercel, fly], [vercel, fly, heroku, railway]),
    ] {
        // Whoever lists them gets those that are near; whoever dials them, all, the near ones first.
        assert_eq!(urls(&get_bootstrap_peers(Wanted { region, ..Wanted::default() })), listed, "{region:?}");
        let mut pool = Pool::default();
        for (peer, trust) in built_in().public() {
            pool.offer(peer, Source::BuiltIn, trust, NOW).unwrap();
        }
        let order = pool.ranked(region).into_iter().map(|candidate| &candidate.descriptor);
        assert_eq!(urls(order), ranked, "{region:?}");
    }
}

#[test]
fn the_built_in_list_is_valid_and_has_the_nodes_of_this_machine() {
    let list = built_in();
    assert!(!list.production.is_empty());
    let local = [
        "ws://localhost:3000",
        "ws://localhost:3001",
        "ws://localhost:3002",
        "ws://localhost:3003",
        "ws://127.0.0.1:3000",
        "ws://127.0.0.1:3001",
    ];
    assert_eq!(urls(&list.local), local);
    for peer in list.production.iter().chain(&list.regional).chain(&list.community).chain(&list.local) {
        assert!(peer.more["provider"].is_string(), "{}", peer.u);
        assert_eq!(Descriptor::read(&peer.json()).as_ref(), Ok(peer));
        assert_eq!(is_local(&peer.u), peer.region == Some(Region::Local), "{}", peer.u);
        assert_eq!(Region::named(&peer.region.unwrap().to_string()), peer.region);
    }
}

#[test]
fn who_is_alone_asks_again_soon_and_then_more_rarely() {
    let spans =
        |alone| [0, 1, 5, 6, 60, u32::MAX].map(|round| (pause(alone, round, 0), pause(alone, round, 30_000)));
    assert_eq!(spans(true)[..2], [(500, 500 + 30_000 % 501), (1000, 1000 + 30_000 % 1001)]);
    assert_eq!(spans(true)[3..], [(30_000, 60_000); 3]);
    assert!(spans(false).iter().all(|(least, more)| *least == CHECK / 2 && *more <= CHECK));
}
