//! Of a network hear only the nodes that have peers in it.
//!
//! Nobody keeps a list of who wants what. A node whose first peer joins a network says so to all; those
//! that have peers there tell it of them, and say the same, so that it tells them of its own. Whom it
//! has heard of from a node shows from then on that this node is to hear of the network.

use alloc::vec;

use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::mesh::Interest;

use crate::{Decision, Errand};

/// Another node has peers in a network. Where nobody is, both errands come to nothing.
pub(super) fn interested(node: NodeId, interest: Interest) -> Decision {
    let Interest { network_name: network, answer, .. } = interest;
    let mut errands = vec![Errand::Introduce { to: node.clone(), network: network.clone() }];
    if answer {
        errands.push(Errand::Interest { network, to: Some(node), answer: false });
    }
    Decision { errands, ..Decision::default() }
}
