//! What two pages say to each other over a link: text messages hold a [`Word`], binary messages a piece
//! of a file.

use serde::{Deserialize, Serialize};

/// The largest file that may be sent. Both sides keep it in memory until it is whole.
pub const LARGEST_FILE: u64 = 100_000_000;

/// Bytes of a file in one message: far below what any browser refuses, far above what a header costs.
pub const PIECE: u64 = 64 * 1024;

const PIECE_HEADER: usize = 8;

/// Names a file among all that one side sends over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// One text message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "demo", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Word {
    /// A line of chat.
    Chat {
        /// The line.
        text: String,
    },
    /// Whether this side can be heard and seen now.
    Media {
        /// The microphone is on.
        mic: bool,
        /// The camera is on.
        camera: bool,
    },
    /// A file follows, piece by piece, in order.
    File(FileHeader),
    /// The file is whole here.
    FileWhole {
        /// Which file.
        id: FileId,
        /// Bytes that arrived.
        size: u64,
    },
    /// No more of this file.
    FileStopped {
        /// Which file.
        id: FileId,
        /// Whether the side that sends the file says so; else the side that gets it.
        by_sender: bool,
        /// Why, for people.
        reason: String,
    },
}

/// What is known of a file before its first byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHeader {
    /// Names it in its pieces.
    pub id: FileId,
    /// The file's name, without a path.
    pub name: String,
    /// Its media type, maybe empty.
    #[serde(default)]
    pub mime: String,
    /// Its size in bytes.
    pub size: u64,
}

impl Word {
    /// The message to send.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a message says. Pages of other people may send plain text: that is chat.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::Chat { text: text.to_owned() })
    }
}

/// A piece of a file as one binary message: file, index, bytes.
pub fn piece(id: FileId, index: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(PIECE_HEADER + bytes.len());
    message.extend_from_slice(&id.0.to_be_bytes());
    message.extend_from_slice(&index.to_be_bytes());
    message.extend_from_slice(bytes);
    message
}

/// Takes a binary message apart again; none if it is not a piece.
pub fn read_piece(message: &[u8]) -> Option<(FileId, u32, &[u8])> {
    let (id, rest) = message.split_first_chunk::<4>()?;
    let (index, bytes) = rest.split_first_chunk::<4>()?;
    Some((FileId(u32::from_be_bytes(*id)), u32::from_be_bytes(*index), bytes))
}

/// Keeps count of a file that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was promised.
    pub header: FileHeader,
    /// Bytes that arrived.
    pub arrived: u64,
    next: u32,
}

impl Receipt {
    /// Expects a file, or says why it is not wanted.
    pub fn expect(header: FileHeader) -> Result<Self, &'static str> {
        if header.size > LARGEST_FILE {
            return Err("it is larger than 100 MB");
        }
        Ok(Self { header, arrived: 0, next: 0 })
    }

    /// Counts a piece, or says what is wrong with it.
    pub fn take(&mut self, index: u32, size: usize) -> Result<(), &'static str> {
        if index != self.next {
            return Err("a piece of it is missing");
        }
        self.next += 1;
        self.arrived += size as u64;
        if self.arrived > self.header.size {
            return Err("more arrived than was promised");
        }
        Ok(())
    }

    /// Nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.arrived == self.header.size
    }
}

/// A size as people read it.
pub fn readable_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(size: u64) -> FileHeader {
        FileHeader { id: FileId(7), name: "feather.png".to_owned(), mime: "image/png".to_owned(), size }
    }

    #[test]
    fn words_survive_the_link_and_never_look_like_signaling() {
        for word in [
            Word::Chat { text: "{\"quoted\"}".to_owned() },
            Word::Media { mic: true, camera: false },
            Word::File(header(3)),
            Word::FileWhole { id: FileId(7), size: 3 },
            Word::FileStopped { id: FileId(7), by_sender: true, reason: "no".to_owned() },
        ] {
            let text = word.to_text();
            assert!(text.starts_with("{\"demo\":"), "{text}");
            assert_eq!(Word::read(&text), word);
        }
    }

    #[test]
    fn anything_else_is_chat() {
        for text in ["hello", "{\"demo\":\"unheard-of\"}", "{}", ""] {
            assert_eq!(Word::read(text), Word::Chat { text: text.to_owned() });
        }
    }

    #[test]
    fn pieces_come_apart_as_they_were_put_together() {
        let message = piece(FileId(7), 258, b"coo");
        assert_eq!(read_piece(&message), Some((FileId(7), 258, b"coo".as_slice())));
        assert_eq!(read_piece(&message[..8]), Some((FileId(7), 258, [].as_slice())));
        assert_eq!(read_piece(&message[..7]), None);
    }

    #[test]
    fn a_file_is_whole_when_every_byte_is_there() {
        let mut receipt = Receipt::expect(header(5)).unwrap();
        receipt.take(0, 3).unwrap();
        assert!(!receipt.is_whole());
        receipt.take(1, 2).unwrap();
        assert!(receipt.is_whole());
        assert!(Receipt::expect(header(0)).unwrap().is_whole());
    }

    #[test]
    fn a_wrong_file_is_refused() {
        assert!(Receipt::expect(header(LARGEST_FILE + 1)).is_err());
        let mut receipt = Receipt::expect(header(5)).unwrap();
        assert!(receipt.take(1, 3).is_err(), "out of order");
        assert!(receipt.take(0, 6).is_err(), "too much");
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(readable_size(999), "999 B");
        assert_eq!(readable_size(1_500), "1.5 kB");
        assert_eq!(readable_size(LARGEST_FILE), "100.0 MB");
    }
}
