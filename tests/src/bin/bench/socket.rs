//! The least WebSocket client that load can be made with: one buffer, no copies, no validation.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Room for one read, in bytes.
const READ: usize = 16 * 1024;
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x88];

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// An open WebSocket.
pub struct Socket {
    reader: OwnedReadHalf,
    writer: Writer,
    /// Bytes read and not yet taken.
    unread: Vec<u8>,
}

/// The writing side, which may be shared.
#[derive(Clone)]
pub struct Writer(Arc<OwnedWriteHalf>);

impl Socket {
    /// Connects as `peer`, from a loopback address of our choice: one address has ports for
    /// about 28,000 connections.
    pub async fn connect(server: SocketAddr, source: Ipv4Addr, peer: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((source, 0).into())?;
        let mut stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /?peerId={peer} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let (reader, writer) = stream.into_split();
        let mut socket = Self { reader, writer: Writer(Arc::new(writer)), unread: Vec::new() };
        socket.upgraded().await?;
        Ok(socket)
    }

    async fn upgraded(&mut self) -> Result<()> {
        let end = loop {
            self.read().await?;
            if let Some(start) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break start + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        ensure!(head.starts_with("HTTP/1.1 101"), "no upgrade: {}", head.lines().next().unwrap_or_default());
        self.unread.drain(..end);
        Ok(())
    }

    /// A handle to write with, also while another task reads.
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Waits until `done` says yes to a text frame.
    pub async fn wait_for(&mut self, done: impl Fn(&[u8]) -> bool) -> Result<()> {
        let mut found = false;
        loop {
            self.take(|text| found |= done(text))?;
            if found {
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Waits for bytes and shows `each` text frame among them. Pings are answered.
    pub async fn receive(&mut self, each: impl FnMut(&[u8])) -> Result<()> {
        self.read().await?;
        self.take(each)
    }

    async fn read(&mut self) -> Result<()> {
        self.unread.reserve(READ);
        ensure!(self.reader.read_buf(&mut self.unread).await? > 0, "the server hung up");
        Ok(())
    }

    fn take(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        let mut taken = 0;
        while let Some((opcode, payload)) = first(&self.unread[taken..]) {
            match opcode {
                TEXT => each(payload),
                PING => self.writer.write_now(&frame(PONG, payload))?,
                CLOSE => bail!("the server closed: {}", reason(payload)),
                _ => {}
            }
            // The payload ends where the next frame starts.
            taken = payload.as_ptr_range().end.addr() - self.unread.as_ptr().addr();
        }
        self.unread.drain(..taken);
        Ok(())
    }
}

impl Writer {
    /// Writes all of it, waiting where the socket is full.
    pub async fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.0.writable().await?;
            match self.0.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes a frame to a socket that has room.
    pub fn write_now(&self, bytes: &[u8]) -> Result<()> {
        let written = self.0.try_write(bytes).context("the server reads too slowly")?;
        ensure!(written == bytes.len(), "the server reads too slowly");
        Ok(())
    }
}

/// A masked text frame.
pub fn text(payload: &str) -> Vec<u8> {
    frame(TEXT, payload.as_bytes())
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The first frame when it is there whole: its opcode and payload. Servers do not mask.
fn first(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (start, length) = match *bytes.get(1)? & 0x7f {
        126 => (4_usize, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    Some((bytes[0] & 0x0f, bytes.get(start..start.checked_add(length)?)?))
}

fn reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            format!("{} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason))
        }
        _ => "without a code".into(),
    }
}
