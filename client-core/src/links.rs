//! All links, and what is remembered of peers that have none.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use litemap::LiteMap;
use pigeonhub_protocol::{MessageId, Millis, PeerId, RawJson, Refusal, SignalKind};

use crate::candidates::EarlyCandidates;
use crate::link::{Link, Via};
use crate::payload::{self, DescriptionNumber, RemoteDescription};
use crate::sdp::Fingerprint;
use crate::turn::Turn;
use crate::{LinkFailure, LinkState, RtcInput, SessionId};

/// Links at once. Browsers bear about as many connections.
const LINKS: usize = 512;
/// Ended links that are remembered, and for how long (milliseconds).
const ENDED: usize = 64;
const MEMORY: u64 = 120_000;

/// The links of one peer.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    own: PeerId,
    links: LiteMap<PeerId, Link>,
    early: EarlyCandidates,
    ended: VecDeque<Ended>,
}

/// A connection of another peer whose link ended here. What that peer still says about it (to
/// repair it, as it does not know better) is no new call.
#[derive(Clone, Debug)]
struct Ended {
    peer: PeerId,
    fingerprint: Option<Fingerprint>,
    newest: Option<DescriptionNumber>,
    at: Millis,
}

impl Ended {
    fn concerns(&self, peer: PeerId, offer: &RemoteDescription) -> bool {
        let is_late = match (offer.number, self.newest) {
            (Some(number), Some(newest)) => number == newest || number.is_older_than(newest),
            _ => false,
        };
        let is_same = self.fingerprint.is_some() && self.fingerprint == offer.fingerprint;
        self.peer == peer && (is_late || is_same)
    }
}

/// A signal that came in.
pub(crate) struct Incoming {
    pub(crate) from: PeerId,
    pub(crate) kind: SignalKind,
    pub(crate) data: RawJson,
    pub(crate) is_repeat: bool,
    pub(crate) is_proven: bool,
    pub(crate) via: SessionId,
}

impl Links {
    pub(crate) const fn new(own: PeerId) -> Self {
        Self { own, links: LiteMap::new(), early: EarlyCandidates::new(), ended: VecDeque::new() }
    }

    pub(crate) fn get(&self, peer: PeerId) -> Option<&Link> {
        self.links.get(&peer)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (PeerId, &mut Link)> {
        self.links.iter_mut().map(|(peer, link)| (*peer, link))
    }

    pub(crate) fn dial(&mut self, peer: PeerId, turn: &mut Turn<'_>) {
        if self.links.contains_key(&peer) {
            return;
        }
        if peer == self.own {
            return turn.emit_link(peer, LinkState::Failed(LinkFailure::PeerUnavailable));
        }
        if self.links.len() >= LINKS {
            let failure = LinkFailure::Negotiation("too many links".into());
            return turn.emit_link(peer, LinkState::Failed(failure));
        }
        let early = self.early.take(peer, turn.now);
        self.links.insert(peer, Link::dial(self.own, peer, early, turn));
    }

    pub(crate) fn hangup(&mut self, peer: PeerId, turn: &mut Turn<'_>) {
        self.with(peer, turn, |link, turn| link.end(LinkState::Closed, turn));
    }

    /// A node says that a peer is leaving, and cannot prove it. A connection that stands knows better.
    pub(crate) fn hangup_unless_connected(&mut self, peer: PeerId, turn: &mut Turn<'_>) {
        if self.get(peer).is_some_and(|link| *link.state() == LinkState::Connecting) {
            self.hangup(peer, turn);
        }
    }

    pub(crate) fn rtc(&mut self, peer: PeerId, generation: u32, input: RtcInput, turn: &mut Turn<'_>) {
        self.with(peer, turn, |link, turn| link.rtc(generation, input, turn));
    }

    pub(crate) fn signal(&mut self, signal: Incoming, turn: &mut Turn<'_>) {
        match signal.kind {
            SignalKind::Offer | SignalKind::RenegotiationOffer => self.offer(signal, turn),
            _ if signal.is_repeat => {}
            SignalKind::Answer | SignalKind::RenegotiationAnswer => self.answer(&signal, turn),
            SignalKind::IceCandidate => self.candidate(signal, turn),
        }
    }

    fn offer(&mut self, signal: Incoming, turn: &mut Turn<'_>) {
        let Incoming { from, kind, data, is_repeat, is_proven, via } = signal;
        let Some(mut offer) = payload::described(&data, true) else { return };
        offer.is_proven = Some(is_proven);
        let via = Via::Session(via);
        if self.links.contains_key(&from) {
            return self.with(from, turn, |link, turn| {
                link.heard_from(via);
                link.remote_offer(offer, kind, is_repeat, turn);
            });
        }
        let is_over = self.ended.iter().any(|ended| ended.concerns(from, &offer));
        if !is_repeat && !is_over && self.links.len() < LINKS {
            let early = self.early.take(from, turn.now);
            self.links.insert(from, Link::accept(self.own, from, early, (offer, kind), via, turn));
        }
    }

    fn answer(&mut self, signal: &Incoming, turn: &mut Turn<'_>) {
        let Some(mut answer) = payload::described(&signal.data, false) else { return };
        answer.is_proven = Some(signal.is_proven);
        if self.links.contains_key(&signal.from) {
            self.with(signal.from, turn, |link, turn| {
                link.heard_from(Via::Session(signal.via));
                link.remote_answer(answer, turn);
            });
        } else {
            // To an offer of a link that is over; the other side will try to repair what is not.
            self.remember(signal.from, answer.fingerprint, answer.number, turn.now);
        }
    }

    fn candidate(&mut self, signal: Incoming, turn: &mut Turn<'_>) {
        let number = payload::candidate_number(&signal.data);
        match self.links.get_mut(&signal.from) {
            Some(link) => {
                link.heard_from(Via::Session(signal.via));
                link.remote_candidate(number, signal.data, turn);
            }
            None => self.early.push(signal.from, number, signal.data, turn.now),
        }
    }

    /// A node refused a signal.
    pub(crate) fn refused(&mut self, target: PeerId, by: SessionId, id: &MessageId, refusal: &Refusal) {
        if let Some(link) = self.links.get_mut(&target) {
            link.signal_refused(by, id, refusal.code);
        }
    }

    /// A node tells of a peer.
    pub(crate) fn told_of(&mut self, peer: PeerId, by: SessionId) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.told_of(by);
        }
    }

    pub(crate) fn session_lost(&mut self, lost: SessionId) {
        self.iter_mut().for_each(|(_, link)| link.outbox.session_lost(lost));
    }

    pub(crate) fn session_silent(&mut self, silent: SessionId) {
        self.iter_mut().for_each(|(_, link)| link.outbox.session_silent(silent));
    }

    pub(crate) fn resume(&mut self, turn: &mut Turn<'_>) {
        self.iter_mut().for_each(|(_, link)| link.resume(turn));
        self.bury(turn.now);
    }

    /// Time passed. Gives sessions that may be dead.
    pub(crate) fn tick(&mut self, turn: &mut Turn<'_>) -> Vec<SessionId> {
        let suspects = self.iter_mut().filter_map(|(_, link)| link.tick(turn)).collect();
        self.bury(turn.now);
        suspects
    }

    pub(crate) fn close(&mut self, turn: &mut Turn<'_>) {
        self.iter_mut().for_each(|(_, link)| link.end(LinkState::Closed, turn));
        self.links.clear();
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.links.values().filter_map(Link::deadline).min()
    }

    fn with(&mut self, peer: PeerId, turn: &mut Turn<'_>, act: impl FnOnce(&mut Link, &mut Turn<'_>)) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        act(link, turn);
        if link.is_over() {
            self.bury(turn.now);
        }
    }

    /// Forgets links that are over, all but what tells their stragglers.
    pub(crate) fn bury(&mut self, now: Millis) {
        let over = self.links.iter().filter(|(_, link)| link.is_over());
        let over: Vec<PeerId> = over.map(|(peer, _)| *peer).collect();
        for peer in over {
            let Some(link) = self.links.remove(&peer) else { continue };
            // Who failed here may well succeed later, with the same connection; who hung up is done.
            let fingerprint =
                if *link.state() == LinkState::Closed { link.remote_fingerprint() } else { None };
            self.remember(peer, fingerprint, link.newest_heard(), now);
        }
    }

    fn remember(
        &mut self,
        peer: PeerId,
        fingerprint: Option<Fingerprint>,
        newest: Option<DescriptionNumber>,
        at: Millis,
    ) {
        self.ended.retain(|ended| at.since(ended.at) < MEMORY);
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { peer, fingerprint, newest, at });
    }
}
