//! Messages that wait for the data channel: in order, and no faster than it takes them.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;

use web_sys::{RtcDataChannel, RtcDataChannelState};

use crate::Payload;
use crate::error::HubError;
use crate::feed::{Feed, Subscription};
use crate::framing::{self, Frame, Outgoing};

/// With this much in the browser's buffer of a channel, the rest waits here. (Chromium closes a
/// channel with 16 MiB in it.)
const HIGH: u32 = 1024 * 1024;
/// At this much in the browser's buffer, the rest goes on.
pub(crate) const LOW: u32 = 256 * 1024;
/// How much may wait here for one link.
const WAITING: usize = 2 * framing::MESSAGE;

type Sent = Result<(), HubError>;

/// The way out of a link.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: RefCell<VecDeque<(Outgoing, Feed<Sent>)>>,
    /// Bytes in the queue.
    waiting: Cell<usize>,
    sent: Cell<u32>,
    /// Open, or none.
    channel: RefCell<Option<RtcDataChannel>>,
}

impl Outbox {
    /// Puts a message in; the answer comes when the channel has taken all of it.
    pub(crate) fn put(&self, payload: Payload) -> Subscription<Sent> {
        let answer = Feed::once();
        let awaited = answer.subscribe();
        self.sent.set(self.sent.get().wrapping_add(1));
        let message = Outgoing::new(payload, self.sent.get());
        let waiting = self.waiting.get() + message.len();
        let refusal = if message.len() > framing::MESSAGE {
            Some(HubError::new("message-too-large", "a message has at most 64 MiB"))
        } else if waiting > WAITING {
            Some(HubError::new("buffer-full", "too much waits for this link; await send()"))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            answer.push(&Err(refusal));
        } else {
            self.waiting.set(waiting);
            self.queue.borrow_mut().push_back((message, answer));
            self.pump();
        }
        awaited
    }

    /// Sends by this channel from now on. A message that was under way on another one starts again.
    pub(crate) fn open(&self, channel: RtcDataChannel) {
        self.channel.replace(Some(channel));
        if let Some((message, _)) = self.queue.borrow_mut().front_mut() {
            message.rewind();
        }
        self.pump();
    }

    /// The channel is gone; what waits may wait for another one.
    pub(crate) fn shut(&self) {
        self.channel.replace(None);
    }

    /// No channel will come any more.
    pub(crate) fn end(&self, error: &HubError) {
        self.shut();
        self.waiting.set(0);
        for (_, answer) in self.queue.take() {
            answer.push(&Err(error.clone()));
        }
    }

    /// Gives the channel what it can take now.
    pub(crate) fn pump(&self) {
        let channel = self.channel.borrow();
        let Some(channel) = channel.as_ref() else { return };
        let queue = &mut *self.queue.borrow_mut();
        while let Some((message, _)) = queue.front_mut() {
            if channel.ready_state() != RtcDataChannelState::Open || channel.buffered_amount() > HIGH {
                return;
            }
            let sent = match message.next_frame() {
                Some(Frame::Text(text)) => channel.send_with_str(text),
                Some(Frame::Binary(bytes)) => channel.send_with_u8_array(bytes),
                None => {
                    self.finish(queue.pop_front(), &Ok(()));
                    continue;
                }
            };
            if let Err(thrown) = sent {
                self.finish(queue.pop_front(), &Err(HubError::thrown("send-failed", &thrown)));
            }
        }
    }

    fn finish(&self, entry: Option<(Outgoing, Feed<Sent>)>, result: &Sent) {
        if let Some((message, answer)) = entry {
            self.waiting.set(self.waiting.get().saturating_sub(message.len()));
            answer.push(result);
        }
    }
}
