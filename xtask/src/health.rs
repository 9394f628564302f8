//! Whether a node is up: `GET /health` over a plain socket.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the node on this port of this machine says that it is healthy.
pub fn healthy(port: u16) -> bool {
    ask(port).is_ok_and(|health| health["status"] == "healthy")
}

fn ask(port: u16) -> Result<Value> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer is never chunked and ends with the connection.
    let request = format!("GET /health HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    Ok(serde_json::from_str(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn only_a_healthy_answer_counts() -> Result<()> {
        let cases = [
            ("HTTP/1.0 200 OK\r\n\r\n{\"status\":\"healthy\",\"uptime\":1}", true),
            ("HTTP/1.0 200 OK\r\n\r\n{\"status\":\"stopping\"}", false),
            ("HTTP/1.0 404 Not Found\r\n\r\n", false),
            ("", false),
        ];
        for (answer, expected) in cases {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            let server = thread::spawn(move || -> Result<()> {
                let (mut stream, _) = listener.accept()?;
                let mut request = [0; 512];
                let length = stream.read(&mut request)?;
                assert!(request[..length].starts_with(b"GET /health "));
                stream.write_all(answer.as_bytes())?;
                Ok(())
            });
            assert_eq!(healthy(port), expected, "{answer}");
            assert!(server.join().is_ok_and(|served| served.is_ok()));
        }
        Ok(())
    }
}
