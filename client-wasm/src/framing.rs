//! How messages of an app travel on a data channel.
//!
//! Text of at most 16 KiB goes as it is, so that a PeerPigeon peer can read it. Everything else
//! goes in binary frames of at most 16 KiB, each with a header:
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 0, 1 | `PH` |
//! | 2 | 1 = text (else bytes), 2 = first frame of its message, 4 = last |
//! | 3 | 0 |
//! | 4 to 7 | number of the message, big-endian: frames of one message share it |
//!
//! The channel is ordered and a message is finished before the next begins, so a frame that does
//! not continue the message at hand means that its sender gave that one up. A binary frame
//! without this header comes from another program, and is a message of its own.

use crate::Payload;

/// What goes into one frame, header included.
const FRAME: usize = 16 * 1024;
const HEADER: usize = 8;
const MAGIC: [u8; 2] = *b"PH";
const TEXT: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// The largest message. A receiver has to hold all of it, so there must be an end.
pub(crate) const MESSAGE: usize = 64 * 1024 * 1024;

/// Whether a text message is signaling between clients, not for the app.
fn is_in_band(text: &str) -> bool {
    text.starts_with(r#"{"type":"signaling""#) || text.starts_with(r#"{"type":"renegotiation-"#)
}

/// One frame, ready to go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// A message on its way out.
pub(crate) struct Outgoing {
    payload: Payload,
    number: u32,
    plain: bool,
    /// How much of it was framed already; none before the first frame.
    framed: Option<usize>,
    frame: Vec<u8>,
}

impl Outgoing {
    /// A message to be sent. `number` tells it from those around it.
    pub(crate) fn new(payload: Payload, number: u32) -> Self {
        let plain = matches!(&payload, Payload::Text(text) if text.len() <= FRAME && !is_in_band(text));
        Self { payload, number, plain, framed: None, frame: Vec::new() }
    }

    /// Its length in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.payload.len()
    }

    /// From the start again, on a new channel.
    pub(crate) fn rewind(&mut self) {
        self.framed = None;
    }

    /// The next frame; none when all of it is framed.
    pub(crate) fn next_frame(&mut self) -> Option<Frame<'_>> {
        let (kind, bytes) = match &self.payload {
            Payload::Text(text) => (TEXT, text.as_bytes()),
            Payload::Bytes(bytes) => (0, bytes.as_slice()),
        };
        let start = self.framed.unwrap_or(0);
        if self.framed == Some(bytes.len()) {
            return None;
        }
        if let (true, Payload::Text(text)) = (self.plain, &self.payload) {
            self.framed = Some(bytes.len());
            return Some(Frame::Text(text));
        }
        let rest = &bytes[start..];
        let part = &rest[..rest.len().min(FRAME - HEADER)];
        let first = if start == 0 { FIRST } else { 0 };
        let last = if part.len() == rest.len() { LAST } else { 0 };
        self.framed = Some(start + part.len());
        self.frame.clear();
        self.frame.extend(MAGIC);
        self.frame.extend([kind | first | last, 0]);
        self.frame.extend(self.number.to_be_bytes());
        self.frame.extend(part);
        Some(Frame::Binary(&self.frame))
    }
}

/// What a text frame turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TextFrame {
    InBand(String),
    Message(Payload),
}

/// Sorts a text frame that came.
pub(crate) fn receive_text(text: String) -> TextFrame {
    if is_in_band(&text) { TextFrame::InBand(text) } else { TextFrame::Message(Payload::Text(text)) }
}

/// Puts the messages of one channel together again.
#[derive(Default)]
pub(crate) struct Assembly {
    /// Number, kind and content so far of the message at hand.
    open: Option<(u32, u8, Vec<u8>)>,
}

impl Assembly {
    /// Takes a binary frame; gives the message that it completes.
    pub(crate) fn receive(&mut self, frame: Vec<u8>) -> Option<Payload> {
        let Some((flags, number)) = header(&frame) else { return Some(Payload::Bytes(frame)) };
        let part = &frame[HEADER..];
        if flags & FIRST != 0 {
            self.open = Some((number, flags & TEXT, Vec::new()));
        }
        let (expected, kind, mut content) = self.open.take()?;
        if expected != number || kind != flags & TEXT || content.len() + part.len() > MESSAGE {
            return None;
        }
        content.extend(part);
        if flags & LAST == 0 {
            self.open = Some((expected, kind, content));
            None
        } else if kind == TEXT {
            // What claims to be text and is none was not sent by us.
            String::from_utf8(content).ok().map(Payload::Text)
        } else {
            Some(Payload::Bytes(content))
        }
    }
}

/// Flags and number of a frame of ours.
fn header(frame: &[u8]) -> Option<(u8, u32)> {
    match frame {
        [m0, m1, flags, 0, n0, n1, n2, n3, ..] if [*m0, *m1] == MAGIC && *flags <= TEXT | FIRST | LAST => {
            Some((*flags, u32::from_be_bytes([*n0, *n1, *n2, *n3])))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of a message, owned.
    fn frames(payload: Payload, number: u32) -> Vec<Result<String, Vec<u8>>> {
        let mut message = Outgoing::new(payload, number);
        let mut frames = Vec::new();
        while let Some(frame) = message.next_frame() {
            frames.push(match frame {
                Frame::Text(text) => Ok(text.to_owned()),
                Frame::Binary(bytes) => Err(bytes.to_vec()),
            });
        }
        frames
    }

    fn binary(payload: Payload, number: u32) -> Vec<Vec<u8>> {
        frames(payload, number).into_iter().map(|frame| frame.expect_err("a binary frame")).collect()
    }

    fn receive(assembly: &mut Assembly, frames: Vec<Vec<u8>>) -> Vec<Payload> {
        frames.into_iter().filter_map(|frame| assembly.receive(frame)).collect()
    }

    #[test]
    fn short_text_goes_as_it_is() {
        for text in ["", "hi", r#"{"type":"gossip"}"#, &"x".repeat(FRAME)] {
            assert_eq!(frames(Payload::Text(text.into()), 1), [Ok(text.to_owned())]);
            assert_eq!(receive_text(text.into()), TextFrame::Message(Payload::Text(text.into())));
        }
    }

    #[test]
    fn text_of_an_app_that_looks_like_signaling_stays_a_message() {
        for text in [r#"{"type":"signaling","data":1}"#, r#"{"type":"renegotiation-offer"}"#] {
            assert_eq!(receive_text(text.into()), TextFrame::InBand(text.into()));
            let payload = Payload::Text(text.into());
            let sent = binary(payload.clone(), 1);
            assert_eq!(receive(&mut Assembly::default(), sent), [payload]);
        }
    }

    #[test]
    fn every_length_arrives_as_it_left() {
        let part = FRAME - HEADER;
        let mut assembly = Assembly::default();
        for length in [0, 1, part - 1, part, part + 1, 3 * part, 1_000_003] {
            let bytes = Payload::Bytes((0..length).map(|i| i as u8).collect());
            let sent = binary(bytes.clone(), length as u32);
            assert!(sent.iter().all(|frame| frame.len() <= FRAME));
            assert_eq!(sent.len(), length.div_ceil(part).max(1));
            assert_eq!(receive(&mut assembly, sent), [bytes]);
        }
        let text = Payload::Text("ä€😀".repeat(10_000));
        assert_eq!(receive(&mut assembly, binary(text.clone(), 9)), [text]);
    }

    #[test]
    fn a_rewound_message_starts_again() {
        let mut message = Outgoing::new(Payload::Bytes(vec![7; 3 * FRAME]), 1);
        let Some(Frame::Binary(first)) = message.next_frame() else { panic!("no frame") };
        let first = first.to_vec();
        message.next_frame();
        message.rewind();
        assert_eq!(message.next_frame(), Some(Frame::Binary(&first)));
    }

    #[test]
    fn a_message_that_was_given_up_does_not_spoil_the_next() {
        let mut assembly = Assembly::default();
        let mut given_up = binary(Payload::Bytes(vec![1; 3 * FRAME]), 1);
        let last = given_up.pop().expect("a last frame");
        assert_eq!(receive(&mut assembly, given_up), []);
        let next = Payload::Bytes(vec![2; 2 * FRAME]);
        assert_eq!(receive(&mut assembly, binary(next.clone(), 2)), [next]);
        assert_eq!(assembly.receive(last), None);
    }

    #[test]
    fn binary_without_our_header_is_a_message_of_its_own() {
        for frame in [&b""[..], b"PH", b"\x89PNG\r\n\x1a\n....", b"PH\xff\0\0\0\0\x01x"] {
            assert_eq!(Assembly::default().receive(frame.into()), Some(Payload::Bytes(frame.into())));
        }
    }

    #[test]
    fn a_message_without_end_is_dropped_at_the_limit() {
        let mut assembly = Assembly::default();
        let mut frame = binary(Payload::Bytes(vec![0; FRAME * 2]), 1).swap_remove(0);
        assert_eq!(assembly.receive(frame.clone()), None);
        frame[2] &= !FIRST;
        for _ in 0..=MESSAGE / (FRAME - HEADER) {
            assert_eq!(assembly.receive(frame.clone()), None);
        }
        assert!(assembly.open.is_none());
    }
}
