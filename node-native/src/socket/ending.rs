//! How a session ends.

use pigeonhub_protocol::Close;
use pigeonhub_protocol::mesh::Departure;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer closed its socket in an orderly way.
    Closed,
    /// The connection broke, or the peer closed it for a reason of its own.
    Lost,
    /// Nothing was heard of the peer for too long.
    Silent,
    /// The node closes it.
    Dismissed(Close),
}

impl Ending {
    /// What a close frame of the peer means. `1000` and `1001` are a program or a page that ends.
    pub fn of_close(frame: Option<&CloseFrame>) -> Self {
        match frame.map(|frame| frame.code) {
            Some(CloseCode::Normal | CloseCode::Away) => Self::Closed,
            _ => Self::Lost,
        }
    }

    /// What an error of the socket means.
    pub const fn of_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::Dismissed(Close::TOO_LARGE),
            _ => Self::Lost,
        }
    }

    /// What the others hear of it.
    pub const fn departure(self) -> Departure {
        match self {
            Self::Closed => Departure::Closed,
            Self::Lost | Self::Silent | Self::Dismissed(_) => Departure::Lost,
        }
    }

    /// What the peer hears of it. A peer that closed its socket is answered, too, with the next read.
    pub const fn close(self) -> Option<Close> {
        match self {
            Self::Closed | Self::Lost => None,
            Self::Silent => Some(Close::SILENT),
            Self::Dismissed(close) => Some(close),
        }
    }
}
