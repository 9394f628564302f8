//! Who is there: what the nodes of all sessions have told, taken together.

use alloc::vec::Vec;

use litemap::LiteMap;
use pigeonhub_protocol::proof::UNCOVERED;
use pigeonhub_protocol::{Fields, Millis, NodeId, PeerId, RawJson, raw_json};
use serde_json::value::RawValue;

use crate::turn::Turn;
use crate::{Event, PeerView, SessionId};

/// Peers known at once. Who was told of longest ago goes first, unless there is a link to it.
const PEERS: usize = 4_096;
/// How long the knowledge of a lost session holds, milliseconds: until another node, or the same
/// one, has told it again. So a dying node is no event for the app.
const GRACE: u64 = 15_000;

/// The peers of the own network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    peers: LiteMap<PeerId, Entry>,
    /// Whether the word of a lost session may be among what is known.
    is_fading: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    profile: RawJson,
    /// When the peer signed its profile, if it did.
    signed: Option<Millis>,
    told: Millis,
    /// Never empty.
    sightings: Vec<Sighting>,
}

/// A node said that the peer is there.
#[derive(Clone, Debug)]
struct Sighting {
    session: SessionId,
    node: NodeId,
    /// Whether it said, too, that the peer's page is frozen.
    is_away: bool,
    /// The session is lost; this is when its word no longer counts.
    until: Option<Millis>,
}

impl Entry {
    /// Where it is, and whether it is away: a node that has lost it may not have heard that it is back.
    fn place(&self) -> Option<(NodeId, bool)> {
        let node = self.sightings.first()?.node.clone();
        Some((node, self.sightings.iter().all(|sighting| sighting.is_away)))
    }

    fn view(&self, peer: PeerId) -> Option<PeerView> {
        let (node, is_away) = self.place()?;
        let (profile, is_verified) = (self.profile.clone(), self.signed.is_some());
        Some(PeerView { peer, node, profile, is_verified, is_away })
    }

    /// This session's word, in the place of what it said before: of a peer at two nodes, the app
    /// is not told of one and of the other in turns. It counts more than that of lost sessions.
    fn sight(&mut self, session: SessionId, node: NodeId, is_away: bool) {
        if let Some(sighting) = self.sightings.iter_mut().find(|sighting| sighting.session == session) {
            (sighting.node, sighting.is_away) = (node, is_away);
        } else {
            let standing = self.sightings.iter().take_while(|sighting| sighting.until.is_none()).count();
            self.sightings.insert(standing, Sighting { session, node, is_away, until: None });
        }
    }
}

impl Roster {
    /// A node says that a peer is there.
    pub(crate) fn discovered(
        &mut self,
        (peer, node): (PeerId, NodeId),
        (profile, signed): (&RawValue, Option<Millis>),
        session: SessionId,
        is_linked: impl Fn(PeerId) -> bool,
        turn: &mut Turn<'_>,
    ) {
        if !self.peers.contains_key(&peer) && self.peers.len() >= PEERS {
            self.make_room(is_linked, turn);
        }
        let (profile, is_away) = own_words(profile);
        let entry = self.peers.entry(peer).or_insert_with(|| Entry {
            profile: profile.clone(),
            signed,
            told: turn.now,
            sightings: Vec::new(),
        });
        let before = entry.place();
        entry.told = turn.now;
        entry.sight(session, node, is_away);
        let mut is_changed = before != entry.place();
        // Nodes may be late. Of what is signed the newest counts.
        if signed >= entry.signed {
            is_changed |= entry.profile.get() != profile.get() || entry.signed.is_some() != signed.is_some();
            (entry.profile, entry.signed) = (profile, signed);
        }
        if is_changed {
            entry.view(peer).into_iter().for_each(|view| turn.emit(Event::Peer(view)));
        }
    }

    /// A node says that a peer is gone. That outweighs the word of lost sessions.
    pub(crate) fn departed(&mut self, peer: PeerId, session: SessionId, turn: &mut Turn<'_>) {
        self.keep(turn, |other, sighting| {
            other != peer || (sighting.session != session && sighting.until.is_none())
        });
    }

    /// A peer said goodbye.
    pub(crate) fn left(&mut self, peer: PeerId, turn: &mut Turn<'_>) {
        self.keep(turn, |other, _| other != peer);
    }

    /// A session is lost; its word still counts for a while.
    pub(crate) fn session_lost(&mut self, lost: SessionId, now: Millis) {
        let sightings = self.peers.iter_mut().flat_map(|(_, entry)| &mut entry.sightings);
        for sighting in sightings.filter(|sighting| sighting.session == lost) {
            sighting.until = Some(now.plus(GRACE));
            self.is_fading = true;
        }
    }

    /// A session is open: it needs time to tell who is there.
    pub(crate) fn session_opened(&mut self, now: Millis) {
        let sightings = self.peers.iter_mut().flat_map(|(_, entry)| &mut entry.sightings);
        for until in sightings.filter_map(|sighting| sighting.until.as_mut()) {
            *until = (*until).max(now.plus(GRACE));
        }
    }

    /// Time passed. While no session is open nobody can know better, so nothing is forgotten.
    pub(crate) fn tick(&mut self, is_any_open: bool, turn: &mut Turn<'_>) {
        let now = turn.now;
        if self.deadline(is_any_open).is_some_and(|due| due <= now) {
            self.keep(turn, |_, sighting| sighting.until.is_none_or(|until| until > now));
            self.is_fading = self.deadline(true).is_some();
        }
    }

    pub(crate) fn deadline(&self, is_any_open: bool) -> Option<Millis> {
        if !self.is_fading || !is_any_open {
            return None;
        }
        let sightings = self.peers.values().flat_map(|entry| &entry.sightings);
        sightings.filter_map(|sighting| sighting.until).min()
    }

    /// Whether this session's node has told of the peer.
    pub(crate) fn knows(&self, peer: PeerId, session: SessionId) -> bool {
        let entry = self.peers.get(&peer);
        entry.is_some_and(|entry| entry.sightings.iter().any(|sighting| sighting.session == session))
    }

    /// Whether a session that was lost a moment ago knew the peer: both may be on their way back to
    /// its node.
    pub(crate) fn may_return(&self, peer: PeerId) -> bool {
        let entry = self.peers.get(&peer);
        entry.is_some_and(|entry| entry.sightings.iter().any(|sighting| sighting.until.is_some()))
    }

    pub(crate) fn views(&self) -> impl Iterator<Item = PeerView> {
        self.peers.iter().filter_map(|(peer, entry)| entry.view(*peer))
    }

    fn make_room(&mut self, is_linked: impl Fn(PeerId) -> bool, turn: &mut Turn<'_>) {
        let unlinked = self.peers.iter().filter(|(peer, _)| !is_linked(**peer));
        let oldest = unlinked.min_by_key(|(_, entry)| entry.told).map(|(peer, _)| *peer);
        oldest.into_iter().for_each(|peer| self.left(peer, turn));
    }

    /// Keeps the sightings that `holds` is true for; who is not seen any more is gone, who is seen
    /// elsewhere is told of again.
    fn keep(&mut self, turn: &mut Turn<'_>, holds: impl Fn(PeerId, &Sighting) -> bool) {
        for (peer, entry) in self.peers.iter_mut() {
            let before = entry.place();
            entry.sightings.retain(|sighting| holds(*peer, sighting));
            if before != entry.place() {
                entry.view(*peer).into_iter().for_each(|view| turn.emit(Event::Peer(view)));
            }
        }
        self.peers.retain(|peer, entry| {
            if entry.sightings.is_empty() {
                turn.emit(Event::PeerGone(*peer));
            }
            !entry.sightings.is_empty()
        });
    }
}

/// The field of a profile by which a client says that its page is frozen.
const AWAY: &str = "away";

/// A profile without the fields that nodes and clients put into it (those are [`UNCOVERED`]), and whether the peer is away.
fn own_words(profile: &RawValue) -> (RawJson, bool) {
    let mut fields = Fields::read(profile).unwrap_or_default();
    let is_away = fields.get(AWAY).is_some_and(|away| away.get() == "true");
    UNCOVERED.into_iter().for_each(|of_others| fields.remove(of_others));
    (raw_json(&fields), is_away)
}

/// A profile that says that the peer is away.
pub(crate) fn away(profile: &RawValue) -> RawJson {
    let (mut fields, yes) = (Fields::read(profile).unwrap_or_default(), raw_json(&true));
    fields.insert(AWAY, &yes);
    raw_json(&fields)
}
