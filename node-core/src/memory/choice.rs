//! The choice of peers that a newcomer is told of: half the nearest, half by dice.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::PeerId;

use super::member::Member;
use crate::dice::{STEP, stir};
use crate::roster::Roster;
use crate::{Presence, Sample};

/// The chosen, and whether they are everyone.
pub(super) fn choose(members: &Roster<Member>, sample: &Sample) -> (Vec<Arc<Presence>>, bool) {
    let eligible = |(peer, member): (&PeerId, &Member)| {
        if *peer == sample.near {
            return None;
        }
        let presence =
            if sample.here_only { member.here().filter(|here| here.is_live()) } else { member.live() };
        presence.cloned()
    };
    let others = members.len() - usize::from(members.get(&sample.near).is_some());
    if others <= sample.most {
        let all: Vec<_> = members.iter().filter_map(eligible).collect();
        return (all, true);
    }

    let near = members.nearest(&sample.near, sample.most);
    let near = near.iter().filter_map(|peer| eligible((peer, members.get(peer)?)));
    let mut chosen: Vec<_> = near.take(sample.most.div_ceil(2)).collect();
    let mut dice = Dice(sample.seed);
    // A throw may hit a peer that is away or chosen already; in a network that is mostly away the
    // choice stays smaller, and the cost stays bounded.
    for _ in 0..sample.most * 2 {
        if chosen.len() >= sample.most {
            break;
        }
        if let Some(presence) = members.at(dice.throw()).and_then(eligible)
            && !chosen.iter().any(|other| other.peer == presence.peer)
        {
            chosen.push(presence);
        }
    }
    (chosen, false)
}

struct Dice(u64);

impl Dice {
    const fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        stir(self.0)
    }
}
