//! What is kept for one peer in one network.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pigeonhub_protocol::Frame;

use super::Outlet;
use crate::mail::{MailNumbers, Mailbox};
use crate::{Few, Mail, Presence, Target};

/// One peer.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) homes: Few<Arc<Presence>>,
    pub(super) mailbox: Mailbox,
    pub(super) outlet: Option<Arc<dyn Outlet>>,
}

impl Member {
    pub(super) fn target(&self) -> Target {
        Target { homes: self.homes.clone(), full: self.mailbox.is_full(), waits: !self.mailbox.is_empty() }
    }

    /// The presence at this node.
    pub(super) fn here(&self) -> Option<&Arc<Presence>> {
        self.homes.iter().find(|presence| presence.home.is_here())
    }

    pub(super) fn is_live_here(&self) -> bool {
        self.here().is_some_and(|here| here.is_live())
    }

    /// A live presence: here, if there is one here.
    pub(super) fn live(&self) -> Option<&Arc<Presence>> {
        let live = |presence: &&Arc<Presence>| presence.is_live();
        self.here().filter(live).or_else(|| self.homes.iter().find(live))
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.homes.is_empty() && self.mailbox.is_empty()
    }

    pub(super) fn remember(&mut self, presence: Arc<Presence>) {
        match self.homes.iter_mut().find(|known| known.home.same_place(&presence.home)) {
            Some(known) => {
                if presence.home.is_here() && known.home != presence.home {
                    self.outlet = None;
                }
                *known = presence;
            }
            None => self.homes.push(presence),
        }
    }

    /// News, if the peer is here.
    pub(super) fn tell(&mut self, frame: &Frame, numbers: &MailNumbers) {
        if !self.is_live_here() {
            return;
        }
        let fits = self.mailbox.push(Mail::News(frame.clone()), numbers);
        match &self.outlet {
            Some(outlet) if fits.is_err() => outlet.overflow(),
            Some(outlet) => outlet.ring(),
            None => {}
        }
    }

    /// A signal. That it fits was decided before.
    pub(super) fn receive(&mut self, mail: Mail, numbers: &MailNumbers) {
        self.mailbox.push_anyway(mail, numbers);
        self.ring();
    }

    /// What an older session did not read: a newer one may be waiting already.
    pub(super) fn put_back(&mut self, mail: Vec<Mail>, numbers: &MailNumbers) {
        self.mailbox.put_back(mail, numbers);
        self.ring();
    }

    fn ring(&self) {
        if let Some(outlet) = &self.outlet {
            outlet.ring();
        }
    }
}
