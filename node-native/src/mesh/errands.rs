//! Errands: what the core wants done at other nodes.

use std::sync::Arc;
use std::time::Duration;

use pigeonhub_node_core::{Answer, BESIDE, Errand, Event};
use pigeonhub_protocol::NetworkName;
use pigeonhub_protocol::mesh::PeerWithdrawal;

use super::Parcel;
use super::link::Link;
use super::traveller::{Next, Traveller};
use crate::host::Host;

/// Errands that follow from errands at once; then there is a pause.
const ROUNDS: usize = 4;
/// The pause.
const PAUSE: Duration = Duration::from_millis(250);

impl Host {
    /// Takes errands on. Waits for nothing: they are put into the queues of their nodes, in order.
    pub fn carry_out(self: &Arc<Self>, mut errands: Vec<Errand>) {
        // An errand that fails at once may lead to another one, with another node.
        for _ in 0..ROUNDS {
            if errands.is_empty() {
                return;
            }
            errands = errands.into_iter().flat_map(|errand| self.take_on(errand)).collect();
        }
        let host = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            host.carry_out(errands);
        });
    }

    /// Takes an errand on; what follows from it at once.
    fn take_on(self: &Arc<Self>, errand: Errand) -> Vec<Errand> {
        match errand {
            Errand::Announce { presence, tell, refresh } => {
                let abroad = self.store.abroad(&presence.network);
                let up = self.mesh.up().into_iter();
                for (node, news) in self.node.news(&presence, &tell, refresh, &abroad, up) {
                    if let Some(link) = self.mesh.link(&node) {
                        self.tell(&link, news.into());
                    }
                }
                Vec::new()
            }
            Errand::Interest { network, to, answer } => {
                if self.store.is_inhabited(&network) {
                    let links = self.mesh.links().into_iter();
                    for link in links.filter(|link| to.as_ref().is_none_or(|to| *to == link.node)) {
                        self.tell(&link, Parcel::Interest(self.node.interest(network.clone(), answer)));
                    }
                }
                Vec::new()
            }
            Errand::Introduce { to, network } => {
                if let Some(link) = self.mesh.link(&to) {
                    self.introduce(&link, &network);
                }
                Vec::new()
            }
            Errand::Withdraw { peer, network, departure, data } => {
                let news = PeerWithdrawal {
                    peer_id: peer,
                    node_id: self.node.id.clone(),
                    network_name: network,
                    departure,
                    data,
                };
                for link in self.mesh.links() {
                    self.tell(&link, Parcel::Withdraw(news.clone()));
                }
                Vec::new()
            }
            Errand::Route(route) => {
                Traveller::begin(route).into_iter().flat_map(|next| self.go(next)).collect()
            }
            Errand::Return { nodes, back } => {
                // Lost if none can be reached: then the sender is gone, or hears nothing of here.
                let mut links = nodes.iter().filter_map(|node| self.mesh.link(node));
                drop(links.try_fold(Parcel::Return(back), |back, link| link.queue.push(back)));
                Vec::new()
            }
        }
    }

    /// Whoever has something for the node meanwhile waits for the lock, and comes after: what is told of a
    /// peer here is not older than what is told later.
    fn introduce(self: &Arc<Self>, link: &Arc<Link>, network: &NetworkName) {
        let mut queue = link.queue.start();
        let has_room = queue.has_room();
        if has_room {
            for presence in self.store.here_in(network) {
                self.node.introduction(&presence).into_iter().for_each(|news| queue.push_first(news.into()));
            }
        }
        drop(queue);
        if has_room { link.queue.call() } else { self.not_told(link) }
    }

    /// News that do not reach a node leave it with a wrong picture, so it must be told all anew. That
    /// is done by another task: this one may hold what the link's end needs.
    fn tell(self: &Arc<Self>, link: &Arc<Link>, news: Parcel) {
        if link.queue.push(news).is_some() {
            self.not_told(link);
        }
    }

    fn not_told(self: &Arc<Self>, link: &Arc<Link>) {
        let (host, link) = (Arc::clone(self), Arc::clone(link));
        tokio::spawn(async move { host.link_lost(&link) });
    }

    /// Goes on with a signal until it waits in a queue, or is over; what follows from that.
    pub(super) fn go(self: &Arc<Self>, mut next: Next) -> Vec<Errand> {
        loop {
            match next {
                Next::Nothing => return Vec::new(),
                Next::Over(route, outcome) => {
                    return self.step(Event::Settled(*route, outcome), self.clock.moment()).errands;
                }
                Next::To(node, journey) => {
                    self.go_beside(&journey);
                    let parcel = Parcel::Signal(journey);
                    let refused = match self.mesh.link(&node) {
                        Some(link) => link.queue.push(parcel),
                        None => Some(parcel),
                    };
                    let Some(Parcel::Signal(journey)) = refused else { return Vec::new() };
                    next = journey.answered(&node, &Answer::None);
                }
            }
        }
    }

    /// A node that does not answer in a moment is not waited for, if the target is at home elsewhere, too.
    fn go_beside(self: &Arc<Self>, journey: &Traveller) {
        let Some(waits) = journey.waiting() else { return };
        let host = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(BESIDE)).await;
            if let Some(next) = waits.beside() {
                let errands = host.go(next);
                host.carry_out(errands);
            }
        });
    }

    /// The link is closed: signals that wait go other ways, or back.
    pub(super) fn give_back(self: &Arc<Self>, link: &Link) {
        let left = link.queue.close();
        let signals = left.into_iter().filter_map(|parcel| match parcel {
            Parcel::Signal(journey) => Some(journey),
            _ => None,
        });
        let errands: Vec<_> =
            signals.flat_map(|journey| self.go(journey.answered(&link.node, &Answer::None))).collect();
        self.carry_out(errands);
    }
}
