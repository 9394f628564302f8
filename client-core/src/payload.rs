//! What signals carry in `data`: descriptions and candidates, and the numbers that tell late ones
//! from those that count.
//!
//! | field of `data` | in | says |
//! | --- | --- | --- |
//! | `negotiation` | offer, answer | the number of this description; its sender numbers upwards |
//! | `answers` | answer | the number of the offer that it answers |
//! | `negotiation` | ice-candidate | the number of the description (of the same sender) it belongs to |
//!
//! PeerPigeon peers send none of these and ignore them; what has no number is taken as it comes.

use alloc::string::String;

use pigeonhub_protocol::{Fields, Millis, PeerId, RawJson, raw_json};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Description;
use crate::sdp::Fingerprint;

/// The number of a description. Only those of one sender can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct DescriptionNumber(pub(crate) u64);

/// No signal is under way for longer. A number that is lower by more does not come from the past
/// but from a page that was loaded again after its clock was set back.
const LATEST: u64 = 60_000;

impl DescriptionNumber {
    /// Whether this description was made before `other`.
    pub(crate) const fn is_older_than(self, other: Self) -> bool {
        self.0 < other.0 && other.0 - self.0 <= LATEST
    }
}

/// A description from the other side.
#[derive(Clone, Debug)]
pub(crate) struct RemoteDescription {
    pub(crate) description: Description,
    pub(crate) number: Option<DescriptionNumber>,
    pub(crate) answers: Option<DescriptionNumber>,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Whether its sender has proven who it is. On the data channel that is no question any more: what
    /// was true of the connection stays so.
    pub(crate) is_proven: Option<bool>,
}

const fn kind_of(is_offer: bool) -> &'static str {
    if is_offer { "offer" } else { "answer" }
}

/// The `data` of an offer or answer.
pub(crate) fn describe(
    description: Description,
    number: DescriptionNumber,
    answers: Option<DescriptionNumber>,
) -> RawJson {
    #[derive(Serialize)]
    struct Written {
        #[serde(rename = "type")]
        kind: &'static str,
        sdp: String,
        negotiation: DescriptionNumber,
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<DescriptionNumber>,
    }
    let Description { is_offer, sdp } = description;
    raw_json(&Written { kind: kind_of(is_offer), sdp, negotiation: number, answers })
}

/// Reads the `data` of an offer or answer.
pub(crate) fn described(data: &RawValue, is_offer: bool) -> Option<RemoteDescription> {
    let fields = Fields::read(data)?;
    if fields.text("type")? != kind_of(is_offer) {
        return None;
    }
    let sdp = fields.text("sdp")?;
    Some(RemoteDescription {
        fingerprint: Fingerprint::of(&sdp),
        description: Description { is_offer, sdp },
        number: fields.number("negotiation").map(DescriptionNumber),
        answers: fields.number("answers").map(DescriptionNumber),
        is_proven: None,
    })
}

/// The `data` of a candidate that belongs to this description.
pub(crate) fn candidate(candidate: &RawValue, number: Option<DescriptionNumber>) -> Option<RawJson> {
    let mut fields = Fields::read(candidate)?;
    let number = number.map(|number| raw_json(&number));
    if let Some(number) = &number {
        fields.insert("negotiation", number);
    }
    Some(raw_json(&fields))
}

/// The number of the description that a candidate belongs to, if it says so.
pub(crate) fn candidate_number(data: &RawValue) -> Option<DescriptionNumber> {
    Fields::read(data)?.number("negotiation").map(DescriptionNumber)
}

/// An offer or answer as a text on the data channel, wrapped as PeerPigeon does it.
pub(crate) fn in_band(own: PeerId, data: &RawValue, is_offer: bool, now: Millis) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wrapper<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        data: Inner<'a>,
        from_peer_id: PeerId,
        timestamp: Millis,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        data: &'a RawValue,
    }
    let kind = if is_offer { "renegotiation-offer" } else { "renegotiation-answer" };
    let wrapper =
        Wrapper { kind: "signaling", data: Inner { kind, data }, from_peer_id: own, timestamp: now };
    raw_json(&wrapper).get().into()
}

/// Reads an offer or answer from the data channel, wrapped or bare.
pub(crate) fn from_in_band(text: &str) -> Option<RemoteDescription> {
    let mut fields = Fields::parse(text)?;
    if fields.text("type")? == "signaling" {
        fields = Fields::read(fields.get("data")?)?;
    }
    let data = fields.get("data")?;
    match fields.text("type")?.as_str() {
        "renegotiation-offer" => described(data, true),
        "renegotiation-answer" => described(data, false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawJson {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_description_keeps_its_numbers_and_its_sdp() {
        let sdp: String = "v=0\r\no=- 7 2 IN IP4 0.0.0.0\r\n".into();
        let answer = Description { is_offer: false, sdp };
        let data = describe(answer.clone(), DescriptionNumber(9), Some(DescriptionNumber(4)));
        let read = described(&data, false).unwrap();
        assert_eq!(
            (read.description, read.number, read.answers),
            (answer, Some(DescriptionNumber(9)), Some(DescriptionNumber(4)))
        );
        assert!(described(&data, true).is_none(), "an answer is no offer");
    }

    #[test]
    fn a_description_of_a_peerpigeon_peer_has_no_numbers() {
        let read = described(&raw(r#"{"type":"offer","sdp":"v=0"}"#), true).unwrap();
        assert_eq!((read.number, read.answers), (None, None));
    }

    #[test]
    fn candidates_are_numbered_and_otherwise_untouched() {
        let tagged =
            candidate(&raw(r#"{"sdpMid":"0","candidate":"c"}"#), Some(DescriptionNumber(3))).unwrap();
        assert_eq!(tagged.get(), r#"{"candidate":"c","negotiation":3,"sdpMid":"0"}"#);
        assert_eq!(candidate_number(&tagged), Some(DescriptionNumber(3)));
        assert_eq!(candidate_number(&raw(r#"{"candidate":"c"}"#)), None);
        assert!(candidate(&raw("null"), None).is_none());
    }

    #[test]
    fn in_band_texts_are_read_wrapped_and_bare() {
        let own = PeerId::from_bytes([1; 20]);
        let data = raw(r#"{"type":"offer","sdp":"v=0"}"#);
        let text = in_band(own, &data, true, Millis(5));
        assert_eq!(
            text,
            r#"{"type":"signaling","data":{"type":"renegotiation-offer","data":{"type":"offer","sdp":"v=0"}},"fromPeerId":"0101010101010101010101010101010101010101","timestamp":5}"#,
        );
        assert!(from_in_band(&text).unwrap().description.is_offer);
        let bare = r#"{"type":"renegotiation-answer","data":{"type":"answer","sdp":"v=0","timestamp":1}}"#;
        assert!(!from_in_band(bare).unwrap().description.is_offer);
        assert!(from_in_band(r#"{"type":"signaling","data":{"type":"dht","data":{}}}"#).is_none());
        assert!(from_in_band("gossip").is_none());
    }

    #[test]
    fn older_means_a_little_older() {
        let at = |number| DescriptionNumber(number);
        assert!(at(99_999).is_older_than(at(100_000)) && at(40_000).is_older_than(at(100_000)));
        assert!(!at(100_000).is_older_than(at(100_000)) && !at(39_999).is_older_than(at(100_000)));
    }
}
