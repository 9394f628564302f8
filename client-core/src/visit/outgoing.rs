//! What a visitor says, until the node has answered it.

use alloc::collections::VecDeque;
use alloc::string::String;

use pigeonhub_protocol::{Frame, limit};

/// What one request without a page behind it may carry, bytes: browsers allow 64 KiB.
const LAST_WORDS: usize = 60 * 1024;

/// Frames in order. The first of them may be on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// How many are on their way.
    posted: usize,
}

impl Outgoing {
    /// Adds a frame. Gives whether there was room for it.
    pub(super) fn push(&mut self, frame: Frame) -> bool {
        let bytes = self.bytes + frame.len();
        let fits = self.frames.len() < limit::MAILBOX_MESSAGES && bytes <= limit::MAILBOX_BYTES;
        if fits {
            self.bytes = bytes;
            self.frames.push_back(frame);
        }
        fits
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The next batch, as a list of JSON values; it is on its way from now on.
    pub(super) fn post(&mut self) -> String {
        let mut bytes = 0;
        let fitting = self.frames.iter().take(limit::BATCH).take_while(|frame| {
            bytes += frame.len() + 1;
            // A frame that is as large as can be goes alone.
            bytes <= limit::MESSAGE || bytes == frame.len() + 1
        });
        self.posted = fitting.count();
        list(self.frames.iter().take(self.posted))
    }

    /// What was on its way has arrived.
    pub(super) fn arrived(&mut self) {
        let arrived = self.frames.drain(..core::mem::take(&mut self.posted));
        self.bytes -= arrived.map(|frame| frame.len()).sum::<usize>();
    }

    /// What was on its way may not have arrived: it is said again.
    pub(super) const fn failed(&mut self) {
        self.posted = 0;
    }

    /// The latest of all that is not known to have arrived, as much as a last request takes.
    pub(super) fn last_words(&self) -> String {
        let mut bytes = 0;
        let fitting = self.frames.iter().rev().take(limit::BATCH).take_while(|frame| {
            bytes += frame.len() + 1;
            bytes <= LAST_WORDS
        });
        list(self.frames.iter().skip(self.frames.len() - fitting.count()))
    }
}

/// Frames are JSON, so their list is.
fn list<'a>(frames: impl Iterator<Item = &'a Frame>) -> String {
    let mut list = String::from("[");
    for frame in frames {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(frame.as_str());
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn frame(text: &str) -> Frame {
        text.to_string().into()
    }

    #[test]
    fn a_batch_is_said_again_whole_until_it_has_arrived() {
        let mut outgoing = Outgoing::default();
        assert!(outgoing.push(frame("1")) && outgoing.push(frame("2")));
        assert_eq!(outgoing.post(), "[1,2]");
        assert!(outgoing.push(frame("3")));
        outgoing.failed();
        assert_eq!(outgoing.post(), "[1,2,3]");
        assert!(outgoing.push(frame("4")));
        outgoing.arrived();
        assert_eq!(outgoing.post(), "[4]");
        outgoing.arrived();
        assert!(outgoing.is_empty() && outgoing.bytes == 0);
    }

    #[test]
    fn a_batch_has_a_limit_in_messages_and_in_bytes_and_a_large_frame_goes_alone() {
        let mut many = Outgoing::default();
        assert!((0..300).all(|_| many.push(frame("1"))));
        assert_eq!(many.post().matches('1').count(), limit::BATCH);

        let mut large = Outgoing::default();
        let most = "7".repeat(limit::MESSAGE);
        assert!(large.push(frame(&most)) && large.push(frame("1")) && large.push(frame(&most)));
        for expected in [format!("[{most}]"), "[1]".to_string(), format!("[{most}]")] {
            assert_eq!(large.post().len(), expected.len());
            large.arrived();
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut many = Outgoing::default();
        assert_eq!((0..2_000).filter(|_| many.push(frame("1"))).count(), limit::MAILBOX_MESSAGES);
        let mut large = Outgoing::default();
        let most = "7".repeat(limit::MESSAGE);
        assert_eq!((0..9).filter(|_| large.push(frame(&most))).count(), 4);
    }

    #[test]
    fn last_words_are_the_latest_that_fit_on_their_way_or_not() {
        let mut outgoing = Outgoing::default();
        assert!(outgoing.push(frame(&"7".repeat(LAST_WORDS))));
        outgoing.post();
        assert!(outgoing.push(frame("1")) && outgoing.push(frame("2")));
        assert_eq!(outgoing.last_words(), "[1,2]");
    }
}
