//! Messages as the vectors write down their meaning: raw JSON (`profile`, `data`) as text, so that
//! nothing is lost in comparing it.

use pigeonhub_protocol::{NodeMessage, PeerMessage, RawJson, Refusal, Signal, SignalKind};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub fn of_peer(message: &PeerMessage) -> Value {
    match message {
        PeerMessage::Announce { network, profile } => {
            json!({ "announce": { "network": network, "profile": profile.get() } })
        }
        PeerMessage::Signal { kind, target, data, id } => with_id(
            json!({ "kind": kind, "target": target, "data": data.get() }),
            id.as_ref().map(|id| id.as_str()),
        ),
        PeerMessage::Goodbye { data } => json!({ "goodbye": { "data": data.get() } }),
        PeerMessage::Discover => json!("discover"),
        PeerMessage::Ping => json!("ping"),
        PeerMessage::Cleanup => json!("cleanup"),
    }
}

pub fn to_peer(meaning: &Value) -> PeerMessage {
    let (kind, fields) = named(meaning);
    match kind {
        "announce" => {
            PeerMessage::Announce { network: field(fields, "network"), profile: raw(fields, "profile") }
        }
        "signal" => PeerMessage::Signal {
            kind: signal_kind(fields),
            target: field(fields, "target"),
            data: raw(fields, "data"),
            id: field(fields, "id"),
        },
        "goodbye" => PeerMessage::Goodbye { data: raw(fields, "data") },
        "discover" => PeerMessage::Discover,
        "ping" => PeerMessage::Ping,
        "cleanup" => PeerMessage::Cleanup,
        kind => panic!("peers do not say {kind}"),
    }
}

pub fn of_node(message: &NodeMessage) -> Value {
    match message {
        NodeMessage::Connected { peer, node, ticket } => {
            let mut connected = json!({ "peer": peer, "node": node });
            if let Some(ticket) = ticket {
                connected["ticket"] = json!(ticket);
            }
            json!({ "connected": connected })
        }
        NodeMessage::Discovered { peer, node, network, profile } => json!({
            "discovered": { "peer": peer, "node": node, "network": network, "profile": profile.get() }
        }),
        NodeMessage::Departed { peer, network } => {
            json!({ "departed": { "peer": peer, "network": network } })
        }
        NodeMessage::Goodbye { from, network, data } => {
            json!({ "goodbye": { "from": from, "network": network, "data": data.get() } })
        }
        NodeMessage::Signal(Signal { kind, from, target, network, data, id, origin: _ }) => with_id(
            json!({ "kind": kind, "from": from, "target": target, "network": network, "data": data.get() }),
            id.as_ref().map(|id| id.as_str()),
        ),
        NodeMessage::Pong { peer } => json!({ "pong": { "peer": peer } }),
        NodeMessage::Error(refusal) => {
            let mut error = json!({ "code": refusal.code, "text": refusal.text });
            for (name, value) in [
                ("type", json!(refusal.original_type)),
                ("target", json!(refusal.target)),
                ("id", json!(refusal.id)),
            ] {
                if !value.is_null() {
                    error[name] = value;
                }
            }
            json!({ "error": error })
        }
    }
}

pub fn to_node(meaning: &Value) -> NodeMessage {
    let (kind, fields) = named(meaning);
    match kind {
        "connected" => NodeMessage::Connected {
            peer: field(fields, "peer"),
            node: field(fields, "node"),
            ticket: field(fields, "ticket"),
        },
        "discovered" => NodeMessage::Discovered {
            peer: field(fields, "peer"),
            node: field(fields, "node"),
            network: field(fields, "network"),
            profile: raw(fields, "profile"),
        },
        "departed" => {
            NodeMessage::Departed { peer: field(fields, "peer"), network: field(fields, "network") }
        }
        "goodbye" => NodeMessage::Goodbye {
            from: field(fields, "from"),
            network: field(fields, "network"),
            data: raw(fields, "data"),
        },
        "signal" => NodeMessage::Signal(Signal {
            kind: signal_kind(fields),
            from: field(fields, "from"),
            target: field(fields, "target"),
            network: field(fields, "network"),
            data: raw(fields, "data"),
            id: field(fields, "id"),
            origin: None,
        }),
        "pong" => NodeMessage::Pong { peer: field(fields, "peer") },
        "error" => NodeMessage::Error(Refusal {
            code: field(fields, "code"),
            text: field(fields, "text"),
            original_type: field(fields, "type"),
            target: field(fields, "target"),
            id: field(fields, "id"),
        }),
        kind => panic!("nodes do not say {kind}"),
    }
}

/// `"ping"` or `{"offer": {…}}`.
fn named(meaning: &Value) -> (&str, &Value) {
    match meaning {
        Value::String(kind) => (kind, &Value::Null),
        _ => {
            meaning.as_object().unwrap().iter().next().map(|(kind, fields)| (kind.as_str(), fields)).unwrap()
        }
    }
}

fn with_id(mut signal: Value, id: Option<&str>) -> Value {
    if let Some(id) = id {
        signal["id"] = json!(id);
    }
    json!({ "signal": signal })
}

fn field<T: DeserializeOwned>(fields: &Value, name: &str) -> T {
    serde_json::from_value(fields[name].clone()).unwrap()
}

fn raw(fields: &Value, name: &str) -> RawJson {
    RawValue::from_string(fields[name].as_str().unwrap().into()).unwrap()
}

fn signal_kind(fields: &Value) -> SignalKind {
    SignalKind::from_type(fields["kind"].as_str().unwrap()).unwrap()
}
