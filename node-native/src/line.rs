//! The line to a session: how everybody else gets its task's attention.

use std::future::poll_fn;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use pigeonhub_node_core::Outlet;
use pigeonhub_protocol::Close;
use tokio::sync::Notify;

/// What a session is to look after: one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs(u8);

impl Signs {
    const MAIL: u8 = 1;
    const PROBE: u8 = 2;
    const CLOSE: u8 = 4;

    /// There is mail.
    pub const fn mail(self) -> bool {
        self.0 & Self::MAIL != 0
    }

    /// Somebody wants to know whether the peer still answers.
    pub const fn probe(self) -> bool {
        self.0 & Self::PROBE != 0
    }
}

/// The line. An atomic and a waker instead of a channel: ringing a hundred times wakes once, and an
/// idle session costs a few words.
#[derive(Debug, Default)]
pub struct Line {
    signs: AtomicU8,
    task: AtomicWaker,
    close: OnceLock<Close>,
    answered: Notify,
}

impl Line {
    fn raise(&self, sign: u8) {
        if self.signs.fetch_or(sign, Ordering::AcqRel) & sign == 0 {
            self.task.wake();
        }
    }

    /// Rings for what may have come before there was a line.
    pub fn ring_first(&self) {
        self.raise(Signs::MAIL);
    }

    /// The session is to end; the first reason counts.
    pub fn close(&self, close: Close) {
        // A second reason is of no use.
        let _ = self.close.set(close);
        self.raise(Signs::CLOSE);
    }

    /// Why the session is to end, if it is.
    pub fn closing(&self) -> Option<Close> {
        self.close.get().copied()
    }

    /// Asks the peer for a sign of life and waits for it. Cancel it when that takes too long.
    pub async fn probe(&self) {
        let answered = self.answered.notified();
        tokio::pin!(answered);
        answered.as_mut().enable();
        self.raise(Signs::PROBE);
        answered.await;
    }

    /// The peer gave a sign of life, or the session is over: who probes need not wait.
    pub fn answer(&self) {
        self.answered.notify_waiters();
    }

    /// The session's task waits here. Only one task may.
    pub async fn signs(&self) -> Signs {
        poll_fn(|context| self.poll_signs(context)).await
    }

    fn poll_signs(&self, context: &Context<'_>) -> Poll<Signs> {
        let mut signs = self.signs.swap(0, Ordering::AcqRel);
        if signs == 0 {
            self.task.register(context.waker());
            // Whoever rang between the two found no waker.
            signs = self.signs.swap(0, Ordering::AcqRel);
        }
        if signs == 0 { Poll::Pending } else { Poll::Ready(Signs(signs)) }
    }

    /// The session's task waits here for [`Self::close`] only, while it cannot look after other signs.
    pub async fn closed(&self) -> Close {
        poll_fn(|context| {
            self.task.register(context.waker());
            self.closing().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Outlet for Line {
    fn ring(&self) {
        self.raise(Signs::MAIL);
    }

    fn overflow(&self) {
        self.close(Close::SLOW);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn signs_are_seen_once_and_together() {
        let line = Line::default();
        assert!(line.signs().now_or_never().is_none());
        line.ring();
        line.ring();
        let signs = line.signs().await;
        assert!(signs.mail() && !signs.probe());
        assert!(line.signs().now_or_never().is_none());
    }

    #[tokio::test]
    async fn the_first_reason_to_close_counts() {
        let line = Line::default();
        line.overflow();
        line.close(Close::RESTART);
        assert_eq!(line.closed().await, Close::SLOW);
    }
}
