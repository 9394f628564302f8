//! A made-up `RTCPeerConnection` that keeps the rules of the real one: signaling states, rollback, one
//! certificate for each connection, ICE generations, and no path without candidates of both sides.

use std::collections::BTreeSet;

use pigeonhub_client_core::{Description, RtcCommand, RtcInput};
use pigeonhub_protocol::raw_json;
use serde_json::{Value, json};

/// What a description says: which connection, which ICE generation of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    certificate: String,
    ufrag: String,
}

impl Said {
    /// `version`: no two descriptions have the same.
    fn sdp(&self, version: &str) -> String {
        let Self { certificate, ufrag } = self;
        format!(
            "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 {certificate}\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:{ufrag}\r\n"
        )
    }

    fn parse(sdp: &str) -> Self {
        let field = |prefix| sdp.lines().find_map(|line| line.strip_prefix(prefix)).unwrap().to_owned();
        Self { certificate: field("a=fingerprint:sha-256 "), ufrag: field("a=ice-ufrag:") }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Rtc {
    /// No two connections have the same.
    pub id: u64,
    pub generation: u32,
    offers_channel: bool,
    /// An own offer that is set and not answered.
    pending: Option<Said>,
    local: Option<Said>,
    remote: Option<Said>,
    /// Remote candidates, by the ICE generation that they belong to.
    candidates: BTreeSet<String>,
    generations: u64,
    descriptions: u64,
    /// The local ICE generation whose path broke: it finds no other.
    broken: Option<String>,
    pub is_connected: bool,
    pub is_open: bool,
    /// Counts descriptions that were applied.
    pub changes: u64,
}

impl Rtc {
    pub fn new(id: u64, generation: u32, offers_channel: bool) -> Self {
        Self {
            id,
            generation,
            offers_channel,
            pending: None,
            local: None,
            remote: None,
            candidates: BTreeSet::new(),
            generations: 0,
            descriptions: 0,
            broken: None,
            is_connected: false,
            is_open: false,
            changes: 0,
        }
    }

    /// What comes of a command, in order; candidates come last.
    pub fn carry_out(&mut self, command: RtcCommand) -> Vec<RtcInput> {
        match command {
            RtcCommand::Offer { ice_restart } => {
                let before = self.pending.as_ref().or(self.local.as_ref()).filter(|_| !ice_restart).cloned();
                let offer = before.unwrap_or_else(|| self.next_generation());
                self.pending = Some(offer.clone());
                self.described(true, &offer)
            }
            RtcCommand::Apply(Description { is_offer: true, sdp }) => {
                let offer = Said::parse(&sdp);
                if self.is_another(&offer) {
                    return vec![RtcInput::Refused("the certificate cannot change".into())];
                }
                self.pending = None;
                let restarts = self.remote.as_ref().is_none_or(|before| before.ufrag != offer.ufrag);
                let answer =
                    self.local.clone().filter(|_| !restarts).unwrap_or_else(|| self.next_generation());
                (self.remote, self.local) = (Some(offer), Some(answer.clone()));
                self.changes += 1;
                let mut inputs = vec![RtcInput::Applied];
                inputs.extend(self.described(false, &answer));
                inputs
            }
            RtcCommand::Apply(Description { sdp, .. }) => {
                let answer = Said::parse(&sdp);
                if self.pending.is_none() || self.is_another(&answer) {
                    return vec![RtcInput::Refused("no answer is due, or not this one".into())];
                }
                (self.remote, self.local) = (Some(answer), self.pending.take());
                self.changes += 1;
                vec![RtcInput::Applied]
            }
            RtcCommand::AddCandidate(candidate) => {
                let candidate: Value = serde_json::from_str(candidate.get()).unwrap();
                let ufrag = candidate["usernameFragment"].as_str().unwrap().to_owned();
                // Those of no known generation are refused.
                if self.remote.as_ref().is_some_and(|remote| remote.ufrag == ufrag) {
                    self.candidates.insert(ufrag);
                }
                Vec::new()
            }
            RtcCommand::Create { .. } | RtcCommand::SendInBand(_) | RtcCommand::Close => {
                unreachable!("the page's")
            }
        }
    }

    fn next_generation(&mut self) -> Said {
        self.generations += 1;
        Said { certificate: format!("{:02X}", self.id), ufrag: format!("{}.{}", self.id, self.generations) }
    }

    fn is_another(&self, said: &Said) -> bool {
        self.remote.as_ref().is_some_and(|before| before.certificate != said.certificate)
    }

    pub const fn is_stable(&self) -> bool {
        self.pending.is_none() && self.local.is_some()
    }

    /// Whether both have what ICE and DTLS need.
    pub fn fits(&self, other: &Self) -> bool {
        let half = |one: &Self, two: &Self| match (&one.remote, &two.local) {
            (Some(remote), Some(local)) => {
                one.is_stable()
                    && remote == local
                    && one.candidates.contains(&local.ufrag)
                    && two.broken.as_ref() != Some(&local.ufrag)
            }
            _ => false,
        };
        half(self, other) && half(other, self) && (self.offers_channel || other.offers_channel)
    }

    /// Whether the other is the connection at the other end.
    pub fn is_with(&self, other: &Self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.certificate == format!("{:02X}", other.id))
    }

    /// Packets get through no more: only an ICE restart helps.
    pub fn break_path(&mut self) {
        self.broken = self.local.as_ref().map(|local| local.ufrag.clone());
        self.is_connected = false;
    }
}

impl Rtc {
    fn described(&mut self, is_offer: bool, said: &Said) -> Vec<RtcInput> {
        self.descriptions += 1;
        // No two candidates are the same, either.
        let candidate = |way: u64| {
            let foundation = 2 * self.descriptions + way;
            RtcInput::Candidate(raw_json(&json!({
                "candidate": format!("candidate:{foundation} 1 udp 2113937151 192.0.2.1 50000 typ host"),
                "sdpMid": "0",
                "sdpMLineIndex": 0,
                "usernameFragment": said.ufrag,
            })))
        };
        let sdp = said.sdp(&format!("{}{:04}", self.id, self.descriptions));
        vec![RtcInput::Described(Description { is_offer, sdp }), candidate(0), candidate(1)]
    }
}
