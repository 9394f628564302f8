//! Proofs, at nodes that want them: elsewhere it is for the receivers to ask.

use pigeonhub_protocol::proof::{Claim, PROOF, UNCOVERED, split};
use pigeonhub_protocol::{Millis, NetworkName, PeerId, PeerMessage};

use crate::Node;

impl Node {
    /// Whether the node wants a proof of this and there is none that holds.
    pub(super) fn misses_proof(
        &self,
        from: PeerId,
        network: &NetworkName,
        message: &PeerMessage,
        now: Millis,
    ) -> bool {
        let (target, id, data, uncovered) = match message {
            _ if !self.settings.require_proof => return false,
            PeerMessage::Announce { profile, .. } => (None, None, profile, &UNCOVERED[..]),
            PeerMessage::Signal { target, data, id, .. } => (Some(*target), id.as_ref(), data, &[PROOF][..]),
            _ => return false,
        };
        let (data, proof) = split(data, uncovered);
        !proof.is_some_and(|proof| {
            let (kind, timestamp) = (message.kind(), proof.timestamp);
            let claim = Claim { kind, from, target, network, id, timestamp, data: &data };
            proof.is_recent(now) && claim.is_proven_by(&proof)
        })
    }
}
