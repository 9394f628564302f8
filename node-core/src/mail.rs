//! Mail: what waits for a peer until its session (or its next one) reads it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use pigeonhub_protocol::{Code, Frame, Millis, NodeId, NodeMessage, Signal, limit};

/// One message for one peer.
#[derive(Clone, Debug)]
pub enum Mail {
    /// News (discovery, departure, errors): of use only to a peer that is here, so it is dropped
    /// when the peer has gone.
    News(Frame),
    /// A signal: never dropped in silence. If nobody reads it in time, its sender hears `code`.
    Signal {
        /// The signal.
        signal: Signal,
        /// The node that brought it; none if its sender said it here.
        by: Option<NodeId>,
        /// How long it waits.
        until: Millis,
        /// What the sender hears when that is over.
        code: Code,
    },
}

impl Mail {
    /// The frame to be sent. A signal is serialised here, once: it has one recipient.
    #[must_use]
    pub fn into_frame(self, now: Millis) -> Frame {
        match self {
            Self::News(frame) => frame,
            Self::Signal { signal, .. } => NodeMessage::Signal(signal).frame(now),
        }
    }

    /// Bytes that it occupies, about.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::News(frame) => frame.len(),
            Self::Signal { signal, .. } => signal.data.get().len() + 256,
        }
    }
}

/// A mailbox is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// The place of a message among all mail of a node: later mail has a greater one. Over HTTP it is the `id`
/// of an event, and the reader's cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailSeq(pub u64);

/// Where places come from: one for all mailboxes of a node. Were each numbered by itself, a reader that
/// was forgotten, that came back to another network or to a node that was restarted would have a cursor
/// beyond its new mail, and take it for old.
#[derive(Clone, Debug, Default)]
pub struct MailNumbers(Arc<AtomicU64>);

impl MailNumbers {
    /// From this moment on: behind those of the same node before it was restarted, unless its mailboxes got
    /// a thousand messages each second or its clock was set back.
    #[must_use]
    pub fn since(start: Millis) -> Self {
        Self(Arc::new(AtomicU64::new(start.0)))
    }

    pub(crate) fn next(&self) -> MailSeq {
        MailSeq(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The mail of one peer, in order, bounded by [`limit::MAILBOX_MESSAGES`] and
/// [`limit::MAILBOX_BYTES`].
#[derive(Debug, Default)]
pub struct Mailbox {
    mail: VecDeque<(MailSeq, Mail)>,
    bytes: usize,
    /// What a reader has been given; it has not said yet that it got it.
    sent: MailSeq,
    /// The reader's stream has ended, and nobody has read since.
    ended: bool,
}

impl Mailbox {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mail.is_empty()
    }

    /// Whether a message of ordinary size is refused.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.mail.len() >= limit::MAILBOX_MESSAGES || self.bytes + limit::MESSAGE > limit::MAILBOX_BYTES
    }

    /// Adds a message at the end.
    ///
    /// # Errors
    /// [`Overflow`]: the message was not taken.
    pub fn push(&mut self, mail: Mail, numbers: &MailNumbers) -> Result<(), Overflow> {
        if self.mail.len() >= limit::MAILBOX_MESSAGES || self.bytes + mail.size() > limit::MAILBOX_BYTES {
            return Err(Overflow);
        }
        self.push_anyway(mail, numbers);
        Ok(())
    }

    /// Adds a message whose fitting was decided before: other decisions may have been quicker, so
    /// the limit is passed by as many as were made at the same moment, no more.
    pub fn push_anyway(&mut self, mail: Mail, numbers: &MailNumbers) {
        self.bytes += mail.size();
        self.mail.push_back((numbers.next(), mail));
    }

    /// Takes up to `most` messages from the front. An emptied mailbox keeps no memory.
    pub fn take(&mut self, most: usize) -> Vec<Mail> {
        let taken = self.mail.drain(..most.min(self.mail.len()));
        let taken: Vec<Mail> = taken.map(|(_, mail)| mail).collect();
        self.shrink(taken.iter().map(Mail::size).sum());
        taken
    }

    /// Puts back what was taken and could not be sent; it was counted before, so it fits. All that
    /// is in the mailbox then gets a new place.
    pub fn put_back(&mut self, mail: Vec<Mail>, numbers: &MailNumbers) {
        let behind = core::mem::take(&mut self.mail);
        self.bytes = 0;
        mail.into_iter()
            .chain(behind.into_iter().map(|(_, mail)| mail))
            .for_each(|mail| self.push_anyway(mail, numbers));
    }

    /// Up to `most` messages after `cursor`. They stay until they are acknowledged.
    pub fn read(&mut self, cursor: MailSeq, most: usize) -> Vec<(MailSeq, Mail)> {
        let mail: Vec<_> = self.mail.iter().filter(|(seq, _)| *seq > cursor).take(most).cloned().collect();
        self.sent = mail.last().map_or(self.sent, |(seq, _)| self.sent.max(*seq));
        self.ended = false;
        mail
    }

    /// The stream of the reader has ended.
    pub const fn end_reading(&mut self) {
        self.ended = true;
    }

    /// The reader has everything up to `cursor`.
    pub fn acknowledge(&mut self, cursor: MailSeq) {
        let count = self.mail.iter().take_while(|(seq, _)| *seq <= cursor).count();
        drop(self.take(count));
    }

    /// Takes the signals that wait no longer at `now`; not those that a reader was given, if it is
    /// `reading` still. After the end of its stream a reader has a hold to come back and say what it
    /// got; then those are overdue as well.
    pub fn take_expired(&mut self, now: Millis, reading: bool) -> Vec<Mail> {
        if core::mem::take(&mut self.ended) {
            let given = self.mail.iter_mut().take_while(|(seq, _)| *seq <= self.sent);
            for (_, mail) in given {
                if let Mail::Signal { until, .. } = mail {
                    *until = (*until).max(now.plus(limit::HOLD));
                }
            }
            self.sent = MailSeq(0);
        }
        let sent = if reading { self.sent } else { MailSeq(0) };
        self.extract(|seq, mail| seq > sent && matches!(mail, Mail::Signal { until, .. } if *until <= now))
    }

    /// Takes all signals, for a peer that turned up elsewhere; news are left.
    pub fn take_signals(&mut self) -> Vec<Mail> {
        self.extract(|_, mail| matches!(mail, Mail::Signal { .. }))
    }

    /// Drops the news, when the peer that they were for has gone.
    pub fn drop_news(&mut self) {
        drop(self.extract(|_, mail| matches!(mail, Mail::News(_))));
    }

    /// When the first waiting signal is overdue.
    #[must_use]
    pub fn next_expiry(&self) -> Millis {
        let until = |(_, mail): &(MailSeq, Mail)| match mail {
            Mail::Signal { until, .. } => Some(*until),
            Mail::News(_) => None,
        };
        self.mail.iter().filter_map(until).min().unwrap_or(Millis(u64::MAX))
    }

    fn extract(&mut self, take: impl Fn(MailSeq, &Mail) -> bool) -> Vec<Mail> {
        if !self.mail.iter().any(|(seq, mail)| take(*seq, mail)) {
            return Vec::new();
        }
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        for (seq, mail) in core::mem::take(&mut self.mail) {
            if take(seq, &mail) {
                taken.push(mail);
            } else {
                left.push_back((seq, mail));
            }
        }
        self.mail = left;
        self.shrink(taken.iter().map(Mail::size).sum());
        taken
    }

    /// After `bytes` were taken out.
    fn shrink(&mut self, bytes: usize) {
        self.bytes -= bytes;
        if self.mail.is_empty() {
            self.mail = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_restarted_numbers_mail_on_from_the_time() {
        let before = MailNumbers::since(Millis(1_000));
        let given = (0..999).map(|_| before.next()).max();
        let after = MailNumbers::since(Millis(2_000));
        assert!(given < Some(after.next()) && after.next() == MailSeq(2_002), "{given:?}");
    }
}
