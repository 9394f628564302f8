//! That a peer is in a network, at a node, for a time.

use alloc::sync::Arc;

use pigeonhub_protocol::{Frame, Millis, NetworkName, NodeId, NodeMessage, PeerId, RawJson};
use serde::Deserialize;

/// One stay of a peer at this node, from its connecting to its going. Never used twice, so that the
/// late end of an old socket cannot remove the session that replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Where a peer is. A peer may be at several nodes at once, and is gone when the last of them lost it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// At this node.
    Here(SessionId),
    /// At another node.
    At(NodeId),
}

impl Home {
    /// Whether both are the same place: this node, whatever the session, or the same other node.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Here(_), Self::Here(_)) => true,
            (Self::At(a), Self::At(b)) => a == b,
            _ => false,
        }
    }

    /// Whether it is this node.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }
}

/// How a peer is at its home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It can be reached.
    Live,
    /// It was here a moment ago and may come back: what is for it waits.
    Away {
        /// Whether the others were told that it went.
        told: bool,
    },
}

/// Until when a peer that went without a goodbye is kept in mind: see [`Node::absence`](crate::Node::absence).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Most peers.
    pub usual: Millis,
    /// One that said that it would be silent.
    pub said: Millis,
}

impl Absence {
    pub(crate) const fn of(self, says_away: bool) -> Millis {
        if says_away { self.said } else { self.usual }
    }
}

/// A presence: peer, network, home, and until when.
#[derive(Clone, Debug)]
pub struct Presence {
    /// The peer.
    pub peer: PeerId,
    /// Its network.
    pub network: NetworkName,
    /// Where it is.
    pub home: Home,
    /// How it is there.
    pub state: State,
    /// Over after this time, unless renewed.
    pub until: Millis,
    /// What it says of itself.
    pub profile: RawJson,
    /// The `peer-discovered` frame that tells of it, serialised once for all who are told.
    pub discovered: Frame,
}

impl Presence {
    /// A live presence; `node` is the node of `home`.
    #[must_use]
    pub fn live(
        peer: PeerId,
        network: NetworkName,
        home: Home,
        node: NodeId,
        profile: RawJson,
        now: Millis,
        until: Millis,
    ) -> Arc<Self> {
        let message = NodeMessage::Discovered { peer, node, network, profile };
        let discovered = message.frame(now);
        let NodeMessage::Discovered { network, profile, .. } = message else {
            unreachable!("made a line above")
        };
        Arc::new(Self { peer, network, home, state: State::Live, until, profile, discovered })
    }

    /// Whether the peer can be reached there.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// Whether the peer said that it may be silent for a while, as pages do that are frozen.
    #[must_use]
    pub fn says_away(&self) -> bool {
        #[derive(Deserialize)]
        struct Said {
            away: bool,
        }
        serde_json::from_str(self.profile.get()).is_ok_and(|Said { away }| away)
    }

    /// What becomes of it when its node is lost. Who is elsewhere is missed as soon as anyone if it goes
    /// there, whatever it said here.
    #[must_use]
    pub(crate) fn lost(&self, is_elsewhere: bool, absence: Absence) -> Self {
        let state = State::Away { told: false };
        Self { state, until: absence.of(!is_elsewhere && self.says_away()), ..self.clone() }
    }

    /// Whether this is the session of a caller here.
    #[must_use]
    pub fn is_session(&self, session: SessionId) -> bool {
        self.home == Home::Here(session)
    }
}

/// Profiles are compared as text.
#[must_use]
pub fn same_profile(a: &RawJson, b: &RawJson) -> bool {
    a.get() == b.get()
}
