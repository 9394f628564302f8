//! Proofs as another program (Node.js) makes them, byte for byte, and what is no proof.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pigeonhub_protocol::http_signature::{SigningKey, decode_key};
use pigeonhub_protocol::proof::{Claim, PROOF, Proof, UNCOVERED, is_proof, split};
use pigeonhub_protocol::{MessageId, Millis, NetworkName, PeerId, RawJson, Record, limit};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    public_key: String,
    peer_id: PeerId,
    proofs: Vec<Vector>,
    record: Record,
    record_statement: String,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    claim: Words,
    statement: String,
    proof: Proof,
}

#[derive(Deserialize)]
struct Words {
    #[serde(rename = "type")]
    kind: String,
    from: PeerId,
    target: Option<PeerId>,
    network: NetworkName,
    id: Option<MessageId>,
    timestamp: Millis,
    data: RawJson,
}

impl Words {
    fn claim(&self) -> Claim<'_> {
        let Self { kind, from, target, network, id, timestamp, data } = self;
        let (from, target, timestamp) = (*from, *target, *timestamp);
        Claim { kind, from, target, network, id: id.as_ref(), timestamp, data }
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/proofs.json")).unwrap()
}

#[test]
fn proofs_are_made_as_other_programs_make_them() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let vectors = vectors();
    assert_eq!(PeerId::of_key(&decode_key(&vectors.public_key).unwrap()), vectors.peer_id);
    for Vector { name, claim, statement, proof } in vectors.proofs {
        assert_eq!(claim.claim().statement(), statement, "{name}");
        assert_eq!(claim.claim().proof(&key), proof, "{name}");
        assert!(claim.claim().is_proven_by(&proof), "{name}");
    }
    assert_eq!(vectors.record.statement(), vectors.record_statement);
    assert_eq!(vectors.record.check(vectors.record.timestamp), Ok(()));
}

#[test]
fn a_proof_is_good_for_nothing_else() {
    let Vector { claim, proof, .. } = vectors().proofs.swap_remove(1);
    let (claim, other) = (claim.claim(), PeerId::from_bytes([3; 20]));
    let (network, data): (NetworkName, RawJson) =
        ("elsewhere".parse().unwrap(), serde_json::from_str("{}").unwrap());
    let id = "00ff-9".parse().unwrap();
    let altered = [
        Claim { kind: "answer", ..claim },
        Claim { target: Some(other), ..claim },
        Claim { target: None, ..claim },
        Claim { network: &network, ..claim },
        Claim { id: Some(&id), ..claim },
        Claim { timestamp: claim.timestamp.plus(1), ..claim },
        Claim { data: &data, ..claim },
        Claim { from: other, ..claim },
    ];
    for altered in altered {
        assert!(!altered.is_proven_by(&proof), "{altered:?}");
        assert!(!is_proof(altered.from, &altered.json(), &proof), "{altered:?}");
    }
    let later = Proof { timestamp: proof.timestamp.plus(1), ..proof };
    assert!(!claim.is_proven_by(&later), "the time is signed, too");
    let stranger = Claim { from: other, ..claim }.proof(&SigningKey::from_bytes(&[1; 32]));
    assert!(!Claim { from: other, ..claim }.is_proven_by(&stranger), "the key is not of that id");
}

#[test]
fn a_proof_counts_for_a_day() {
    let proof = vectors().proofs.swap_remove(0).proof;
    let at = |distance: i64| Millis(proof.timestamp.0.saturating_add_signed(distance));
    let day = i64::try_from(limit::PROOF).unwrap();
    assert!(proof.is_recent(at(day)) && proof.is_recent(at(-day)));
    assert!(!proof.is_recent(at(day + 1)) && !proof.is_recent(at(-day - 1)));
}

#[test]
fn an_announce_is_covered_but_for_the_words_of_others() {
    let data = r#"{"peerId":"x","z":1.0,"nodeId":"n","away":true,"isHub":true,"a":[ ],"proof":{"key":"k","timestamp":5,"signature":"s"}}"#;
    let (words, proof) = split(&serde_json::from_str::<RawJson>(data).unwrap(), &UNCOVERED);
    assert_eq!(words.get(), r#"{"a":[ ],"z":1.0}"#);
    assert_eq!(proof.unwrap().timestamp, Millis(5));
    let (all, none) =
        split(&serde_json::from_str::<RawJson>(r#"{"proof":7,"away":true}"#).unwrap(), &[PROOF]);
    assert!(none.is_none());
    assert_eq!(all.get(), r#"{"away":true}"#, "a signal is covered whole");
}
