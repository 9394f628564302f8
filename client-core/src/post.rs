//! The post: takes what links have to say to the nodes, each signal by the best session there is.

use alloc::vec::Vec;
use core::cmp::Reverse;

use pigeonhub_protocol::{Code, NetworkName, PeerId, SignalKind};

use crate::link::{Link, Via};
use crate::links::Links;
use crate::outbox::Letter;
use crate::roster::Roster;
use crate::seal::{Outgoing, Seal};
use crate::sessions::Sessions;
use crate::turn::Turn;
use crate::{Event, LinkFailure, SessionId};

/// What is known about ways.
pub(crate) struct Post<'a> {
    pub(crate) own: PeerId,
    pub(crate) network: &'a NetworkName,
    pub(crate) sessions: &'a Sessions,
    pub(crate) roster: &'a Roster,
    pub(crate) seal: &'a mut Seal,
}

impl Post<'_> {
    /// Carries whatever waits and can go. Gives the sessions that carried something.
    pub(crate) fn carry(mut self, links: &mut Links, turn: &mut Turn<'_>) -> Vec<SessionId> {
        let (mut is_any_over, mut carriers) = (false, Vec::new());
        for (peer, link) in links.iter_mut() {
            if link.outbox.has_waiting() {
                self.empty(peer, link, &mut carriers, turn);
            }
            self.show_path(peer, link, turn);
            is_any_over |= link.is_over();
        }
        if is_any_over {
            links.bury(turn.now);
        }
        carriers
    }

    fn empty(&mut self, peer: PeerId, link: &mut Link, carriers: &mut Vec<SessionId>, turn: &mut Turn<'_>) {
        let (mut via, refused_by, mut is_unknown, mut answer_due) = (link.via, link.refused_by, false, None);
        for letter in link.outbox.waiting() {
            match self.best(peer, via, refused_by, letter) {
                Some(session) => {
                    let (kind, id, data) = (letter.kind, letter.id.clone(), letter.data.clone());
                    let signal = Outgoing { kind, target: peer, id, data };
                    letter.carried(session);
                    if !carriers.contains(&session) {
                        carriers.push(session);
                    }
                    via = Some(Via::Session(session));
                    answer_due = answer_due.or_else(|| self.sessions.answer_due(session, turn.now));
                    self.seal.send(session, signal, (self.own, self.network), turn);
                }
                None => is_unknown |= letter.kind == SignalKind::Offer && self.is_unknown_everywhere(letter),
            }
        }
        link.via = via;
        if let Some(due) = answer_due {
            link.outbox.answer_due(due);
        }
        link.outbox.sweep();
        // Of a peer that has said something, or of which a lost node has told, it is known that it was
        // there, and it may be back.
        if is_unknown && link.is_unheard() && !self.roster.may_return(peer) {
            link.fail(LinkFailure::PeerUnavailable, turn);
        }
    }

    /// The best open session for a letter: not one whose node refused it, rather not one whose node
    /// is silent, rather not the one that carried it in vain, rather a socket than requests, rather the
    /// one on which the peer was heard, rather one whose node has told of the peer, and then the first
    /// in the app's order.
    ///
    /// A signal over plain HTTP is a request, which a serverless node answers with an instance of its
    /// own. A socket whose node has just refused another signal for the peer is not preferred for that.
    fn best(
        &self,
        peer: PeerId,
        via: Option<Via>,
        refused_by: Option<SessionId>,
        letter: &Letter,
    ) -> Option<SessionId> {
        let fit = self.sessions.open().filter(|session| letter.refusal(*session).is_none());
        fit.enumerate()
            .max_by_key(|(rank, session)| {
                let is_other = !letter.was_carried_before(*session);
                let is_heard = via == Some(Via::Session(*session));
                let is_alive = !self.sessions.is_in_doubt(*session);
                let knows = self.roster.knows(peer, *session);
                let is_cheap =
                    self.sessions.is_socket(*session) && (is_heard || knows) && refused_by != Some(*session);
                (is_alive, is_other, is_cheap, is_heard, knows, Reverse(*rank))
            })
            .map(|(_, session)| session)
    }

    /// Whether all nodes say that there is no such peer, and none is left to be asked.
    fn is_unknown_everywhere(&self, letter: &Letter) -> bool {
        let mut open = self.sessions.open().peekable();
        open.peek().is_some()
            && !self.sessions.is_dialing()
            && open.all(|session| letter.refusal(session) == Some(Code::PeerUnavailable))
    }

    /// Tells the app if signals take another way now.
    fn show_path(&self, peer: PeerId, link: &mut Link, turn: &mut Turn<'_>) {
        let via = match link.via {
            Some(Via::InBand) => None,
            Some(Via::Session(session)) => match self.sessions.url(session) {
                Some(url) => Some(url),
                None => return,
            },
            None => return,
        };
        if !link.is_over() && link.shown.as_ref().map(Option::as_ref) != Some(via) {
            link.shown = Some(via.cloned());
            turn.emit(Event::Path { peer, via: via.cloned() });
        }
    }
}
