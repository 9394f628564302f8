//! A made-up `RTCPeerConnection`: enough of JSEP and ICE to be strict about.
//!
//! Its SDP is `o=- <connection> <version>` and `a=ice:<n>`: which ICE generation. `a=tracks:<n>`
//! says how many tracks the sender has.

use std::collections::BTreeSet;

use pigeonhub_client_core::{Description, RtcCommand, RtcInput};
use pigeonhub_protocol::RawJson;

/// What a description says: which connection, which ICE generation, how many tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    connection: u64,
    ice: u64,
    tracks: u64,
}

impl Said {
    fn sdp(&self) -> String {
        format!(
            "v=0\r\no=- {} 1 IN IP4 0.0.0.0\r\na=ice:{}\r\na=tracks:{}",
            self.connection, self.ice, self.tracks
        )
    }

    fn parse(sdp: &str) -> Self {
        let field = |prefix: &str| {
            let text = sdp.lines().find_map(|line| line.strip_prefix(prefix)).unwrap();
            text.split(' ').next().unwrap().parse().unwrap()
        };
        Self { connection: field("o=- "), ice: field("a=ice:"), tracks: field("a=tracks:") }
    }
}

/// One connection.
pub struct Connection {
    pub generation: u32,
    pub id: u64,
    pub tracks: u64,
    local: Option<Said>,
    remote: Option<Said>,
    /// An own offer that is set but not answered.
    pending: Option<Said>,
    /// Remote candidates: connection and ICE generation.
    candidates: BTreeSet<(u64, u64)>,
    pub is_open: bool,
    pub has_channel: bool,
    /// When a description was last applied.
    pub changed: u64,
    /// Tracks that were in a description both sides have agreed on.
    negotiated: u64,
    ice: u64,
}

impl Connection {
    pub fn new(id: u64, generation: u32, has_channel: bool) -> Self {
        Self {
            generation,
            id,
            tracks: 0,
            local: None,
            remote: None,
            pending: None,
            candidates: BTreeSet::new(),
            is_open: false,
            has_channel,
            changed: 0,
            negotiated: 0,
            ice: 0,
        }
    }

    /// What comes of a command, in order.
    pub fn carry_out(&mut self, command: RtcCommand) -> Vec<RtcInput> {
        match command {
            RtcCommand::Offer { ice_restart } => {
                self.ice += u64::from(ice_restart || self.ice == 0);
                let said = self.say();
                self.pending = Some(said.clone());
                self.described(true, &said)
            }
            RtcCommand::Apply(Description { is_offer: true, sdp }) => {
                let said = Said::parse(&sdp);
                if self.remote.as_ref().is_some_and(|before| before.connection != said.connection) {
                    return vec![RtcInput::Refused("the certificate cannot change".into())];
                }
                // Rolls an own one back.
                self.pending = None;
                let is_restart = self.remote.as_ref().is_none_or(|before| before.ice != said.ice);
                self.remote = Some(said);
                self.ice += u64::from(is_restart);
                let answer = self.say();
                self.settle(answer.clone());
                let mut inputs = vec![RtcInput::Applied];
                inputs.extend(self.described(false, &answer));
                inputs
            }
            RtcCommand::Apply(Description { sdp, .. }) => {
                let said = Said::parse(&sdp);
                let Some(offer) = self.pending.take() else {
                    return vec![RtcInput::Refused("no offer to answer".into())];
                };
                if self.remote.as_ref().is_some_and(|before| before.connection != said.connection) {
                    return vec![RtcInput::Refused("the certificate cannot change".into())];
                }
                self.remote = Some(said);
                self.settle(offer);
                vec![RtcInput::Applied]
            }
            RtcCommand::AddCandidate(candidate) => {
                assert!(self.remote.is_some(), "a candidate before any remote description");
                let fields: serde_json::Value = serde_json::from_str(candidate.get()).unwrap();
                let text = fields["candidate"].as_str().unwrap();
                let (connection, ice) = text.split_once(' ').unwrap();
                self.candidates.insert((connection.parse().unwrap(), ice.parse().unwrap()));
                Vec::new()
            }
            RtcCommand::Create { .. } | RtcCommand::SendInBand(_) | RtcCommand::Close => {
                unreachable!("the world's")
            }
        }
    }

    fn say(&self) -> Said {
        Said { connection: self.id, ice: self.ice, tracks: self.tracks }
    }

    fn settle(&mut self, local: Said) {
        self.negotiated = local.tracks;
        self.local = Some(local);
    }

    /// The description, and candidates for it.
    fn described(&self, is_offer: bool, said: &Said) -> Vec<RtcInput> {
        let candidate = format!(r#"{{"candidate":"{} {}","sdpMid":"0"}}"#, said.connection, said.ice);
        let candidate: RawJson = serde_json::from_str(&candidate).unwrap();
        vec![
            RtcInput::Described(Description { is_offer, sdp: said.sdp() }),
            RtcInput::Candidate(candidate.clone()),
            RtcInput::Candidate(candidate),
        ]
    }

    /// Whether the browser would say that an offer is due, now that it is stable.
    pub fn is_offer_due(&self) -> bool {
        self.pending.is_none() && self.local.is_some() && self.negotiated != self.tracks
    }

    pub fn is_stable(&self) -> bool {
        self.pending.is_none() && self.local.is_some()
    }

    /// Whether ICE and DTLS have what they need of both sides.
    pub fn fits(&self, other: &Self) -> bool {
        let half = |one: &Self, two: &Self| {
            one.is_stable()
                && match (&one.remote, &two.local) {
                    (Some(remote), Some(local)) => {
                        (remote.connection, remote.ice) == (local.connection, local.ice)
                            && one.candidates.contains(&(local.connection, local.ice))
                    }
                    _ => false,
                }
        };
        half(self, other) && half(other, self) && (self.has_channel != other.has_channel)
    }

    /// Packets get through no more: only an ICE restart helps.
    pub fn break_path(&mut self) {
        self.is_open = false;
        self.candidates.clear();
    }

    /// Whether this is the connection at the other end.
    pub fn is_with(&self, other: u64) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.connection == other)
    }

    /// How many tracks the other side is known to have.
    pub fn remote_tracks(&self) -> u64 {
        self.remote.as_ref().map_or(0, |remote| remote.tracks)
    }
}
