//! Made-up peer connections that keep the rules of real ones, but need more: a connection stands
//! when each side has the other's description and every one of its candidates. So one message that
//! is lost for good is a call that never comes about, and what arrives twice is counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pigeonhub_client_core::{ConnectionState, Description, Input, RtcCommand, RtcInput};
use pigeonhub_protocol::{PeerId, RawJson, raw_json};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Tell, Told};

/// When the candidates of a description are found, milliseconds after it.
const CANDIDATES: [u64; 3] = [2, 10, 20];

/// What became of all messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Descriptions and candidates that were given to a client to be brought.
    pub said: usize,
    /// Those that arrived.
    pub taken: usize,
    /// Those that arrived once more.
    pub repeated: usize,
    /// Those that had not arrived when their connection was given up, and it had never stood.
    pub lost: usize,
}

/// Where packets travel.
#[derive(Clone, Default)]
pub struct Ether(Arc<Mutex<Air>>);

#[derive(Default)]
struct Air {
    phones: HashMap<u64, Phone>,
    last: u64,
    counts: Counts,
}

/// What a description says: which connection, which ICE generation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    phone: u64,
    generation: u64,
}

/// One end of a connection.
struct Phone {
    tell: Tell,
    peer: PeerId,
    /// The client's number for it.
    generation: u32,
    /// An own offer that is not answered.
    pending: Option<Said>,
    local: Option<Said>,
    remote: Option<Said>,
    /// Candidates of the other side.
    candidates: HashSet<String>,
    ice: u64,
    is_connected: bool,
    /// Whether it ever was.
    has_stood: bool,
    /// What was said and has not arrived.
    under_way: HashSet<String>,
    /// What arrived.
    taken: HashSet<String>,
}

impl Ether {
    /// What became of all messages so far. What is under way of connections that never stood counts
    /// as lost.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let air = self.air();
        let open: usize = air.phones.values().map(Phone::lost).sum();
        Counts { lost: air.counts.lost + open, ..air.counts }
    }

    fn air(&self) -> MutexGuard<'_, Air> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections of one client.
pub(super) struct Phones {
    ether: Ether,
    tell: Tell,
    numbers: HashMap<PeerId, u64>,
}

impl Phones {
    pub(super) fn new(ether: Ether, tell: Tell) -> Self {
        Self { ether, tell, numbers: HashMap::new() }
    }

    pub(super) fn command(&mut self, peer: PeerId, generation: u32, command: RtcCommand) {
        let mut air = self.ether.air();
        if matches!(command, RtcCommand::Create { .. }) {
            air.last += 1;
            let number = air.last;
            air.phones.insert(number, Phone::new(self.tell.clone(), peer, generation));
            self.numbers.insert(peer, number);
            return;
        }
        let Some(number) = self.numbers.get(&peer).copied() else { return };
        if air.phones.get(&number).is_none_or(|phone| phone.generation != generation) {
            return;
        }
        match command {
            RtcCommand::Close => {
                self.numbers.remove(&peer);
                air.close(number);
            }
            RtcCommand::SendInBand(text) => {
                if let Some(other) = air.other_end(number) {
                    other.report(RtcInput::InBand(text));
                }
            }
            command => {
                air.carry_out(number, command);
                air.connect(number);
            }
        }
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let mut air = self.ether.air();
        self.numbers.values().for_each(|number| air.close(*number));
    }
}

impl Air {
    fn carry_out(&mut self, number: u64, command: RtcCommand) {
        let Some(phone) = self.phones.get_mut(&number) else { return };
        match command {
            RtcCommand::Offer { ice_restart } => {
                let before = phone.pending.or(phone.local).filter(|_| !ice_restart);
                let offer = before.unwrap_or_else(|| phone.next_generation(number));
                phone.pending = Some(offer);
                self.counts.said += phone.describe(true, offer, before.is_none());
            }
            RtcCommand::Apply(Description { is_offer, sdp }) => {
                let Some(said) = Said::parse(&sdp) else { return };
                if phone.remote.is_some_and(|before| before.phone != said.phone) {
                    return phone.report(RtcInput::Refused("the certificate cannot change".into()));
                }
                if !is_offer && phone.pending.is_none() {
                    return phone.report(RtcInput::Refused("no answer is due".into()));
                }
                let restarts = phone.remote.replace(said) != Some(said);
                phone.report(RtcInput::Applied);
                if is_offer {
                    phone.pending = None;
                    let before = phone.local.filter(|_| !restarts);
                    let answer = before.unwrap_or_else(|| phone.next_generation(number));
                    phone.local = Some(answer);
                    self.counts.said += phone.describe(false, answer, before.is_none());
                } else {
                    phone.local = phone.pending.take();
                }
                self.arrived(number, said.phone, sdp);
            }
            RtcCommand::AddCandidate(candidate) => {
                let fields: Value = serde_json::from_str(candidate.get()).unwrap_or_default();
                let text = fields["candidate"].as_str().unwrap_or_default().to_owned();
                let Some(of) = Said::of_candidate(&text).filter(|of| phone.remote == Some(*of)) else {
                    return;
                };
                phone.candidates.insert(text.clone());
                self.arrived(number, of.phone, text);
            }
            RtcCommand::Create { .. } | RtcCommand::SendInBand(_) | RtcCommand::Close => {}
        }
    }

    /// A message arrived.
    fn arrived(&mut self, at: u64, from: u64, message: String) {
        if let Some(sender) = self.phones.get_mut(&from) {
            sender.under_way.remove(&message);
        }
        let is_new = self.phones.get_mut(&at).is_none_or(|phone| phone.taken.insert(message));
        if is_new {
            self.counts.taken += 1;
        } else {
            self.counts.repeated += 1;
        }
    }

    fn other_end(&self, number: u64) -> Option<&Phone> {
        let phone = self.phones.get(&number)?;
        self.phones
            .get(&phone.remote?.phone)
            .filter(|other| phone.is_connected && other.remote.is_some_and(|remote| remote.phone == number))
    }

    /// Connects the two ends, if both have all that it takes.
    fn connect(&mut self, number: u64) {
        let Some((one, other)) =
            self.phones.get(&number).and_then(|one| Some((one, self.phones.get(&one.remote?.phone)?)))
        else {
            return;
        };
        if !one.fits(other) || !other.fits(one) || (one.is_connected && other.is_connected) {
            return;
        }
        let both = [Some(number), one.remote.map(|remote| remote.phone)];
        for number in both.into_iter().flatten() {
            let Some(phone) = self.phones.get_mut(&number) else { continue };
            phone.is_connected = true;
            phone.report(RtcInput::State(ConnectionState::Connected));
            if !std::mem::replace(&mut phone.has_stood, true) {
                phone.report(RtcInput::ChannelOpened);
            }
        }
    }

    /// An end is gone; the other one hears of it.
    fn close(&mut self, number: u64) {
        if let Some(other) = self.other_end(number) {
            other.report(RtcInput::ChannelClosed);
        }
        if let Some(phone) = self.phones.remove(&number) {
            self.counts.lost += phone.lost();
        }
    }
}

impl Phone {
    fn new(tell: Tell, peer: PeerId, generation: u32) -> Self {
        Self {
            tell,
            peer,
            generation,
            pending: None,
            local: None,
            remote: None,
            candidates: HashSet::new(),
            ice: 0,
            is_connected: false,
            has_stood: false,
            under_way: HashSet::new(),
            taken: HashSet::new(),
        }
    }

    fn lost(&self) -> usize {
        if self.has_stood { 0 } else { self.under_way.len() }
    }

    fn next_generation(&mut self, phone: u64) -> Said {
        self.ice += 1;
        Said { phone, generation: self.ice }
    }

    /// Whether this end has of the other one all that it takes.
    fn fits(&self, other: &Self) -> bool {
        let (Some(remote), Some(local)) = (self.remote, other.local) else { return false };
        let found = self.candidates.iter().filter(|text| Said::of_candidate(text) == Some(local));
        self.pending.is_none() && self.local.is_some() && remote == local && found.count() == CANDIDATES.len()
    }

    fn report(&self, input: RtcInput) {
        report(&self.tell, self.peer, self.generation, input);
    }

    /// Says a description, and finds its candidates if it is new; how many messages that is.
    fn describe(&mut self, is_offer: bool, said: Said, is_new: bool) -> usize {
        let sdp = said.sdp(is_offer);
        self.under_way.insert(sdp.clone());
        self.report(RtcInput::Described(Description { is_offer, sdp }));
        if !is_new {
            return 1;
        }
        let candidates: Vec<_> = (0..CANDIDATES.len()).map(|place| said.candidate(place)).collect();
        self.under_way.extend(candidates.iter().cloned());
        let (tell, peer, generation) = (self.tell.clone(), self.peer, self.generation);
        tokio::spawn(async move {
            let mut before = 0;
            for (at, text) in CANDIDATES.into_iter().zip(candidates) {
                sleep(Duration::from_millis(at - before)).await;
                before = at;
                report(&tell, peer, generation, RtcInput::Candidate(candidate(&text)));
            }
        });
        1 + CANDIDATES.len()
    }
}

fn report(tell: &Tell, peer: PeerId, generation: u32, input: RtcInput) {
    // The client may be gone.
    let _ = tell.send(Told::Input(Input::Rtc { peer, generation, input }));
}

fn candidate(text: &str) -> RawJson {
    raw_json(&json!({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0}))
}

impl Said {
    fn sdp(self, is_offer: bool) -> String {
        let Self { phone, generation } = self;
        let kind = if is_offer { "offer" } else { "answer" };
        format!(
            "v=0\r\no=- {phone} {generation} IN IP4 127.0.0.1\r\ns={kind}\r\nt=0 0\r\n\
             a=fingerprint:sha-256 {phone:X}\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
        )
    }

    fn parse(sdp: &str) -> Option<Self> {
        let mut words = sdp.lines().find_map(|line| line.strip_prefix("o=- "))?.split(' ');
        Some(Self { phone: words.next()?.parse().ok()?, generation: words.next()?.parse().ok()? })
    }

    fn candidate(self, place: usize) -> String {
        let Self { phone, generation } = self;
        format!("candidate:{phone} {generation} udp {place} 192.0.2.1 50000 typ host")
    }

    fn of_candidate(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("candidate:")?.split(' ');
        Some(Self { phone: words.next()?.parse().ok()?, generation: words.next()?.parse().ok()? })
    }
}
