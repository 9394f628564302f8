//! Bodies of requests that are too large, however they are framed.

use std::time::Duration;

use pigeonhub_tests::{TestNode, http};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than any route takes, and more than the buffers of a socket hold.
const LARGE: usize = 6 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;
/// A connection that says nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(8);

/// A client that says all that it has to say before it reads the answer, as simple ones do.
struct Simple(BufReader<TcpStream>);

impl Simple {
    async fn connect(node: &TestNode) -> Self {
        Self(BufReader::new(TcpStream::connect(("127.0.0.1", node.port)).await.unwrap()))
    }

    async fn say(&mut self, bytes: &[u8]) {
        let said = timeout(HANGS, self.0.get_mut().write_all(bytes)).await.expect("it is read");
        said.expect("the connection stays open while a request is said");
    }

    async fn head(&mut self, request: &str, header: &str) {
        let length = if header.is_empty() { "" } else { "\r\n" };
        self.say(format!("{request} HTTP/1.1\r\nhost: node\r\n{header}{length}\r\n").as_bytes()).await;
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(HANGS, self.0.read_line(&mut line)).await.expect("an answer").unwrap();
        line.trim_end().to_owned()
    }

    async fn answer(&mut self) -> http::Answer {
        let status = self.line().await;
        let status = status.split(' ').nth(1).expect("a status").parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value.trim()).unwrap());
        }
        let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
        timeout(HANGS, self.0.read_exact(&mut body)).await.expect("a body").unwrap();
        http::Answer { status, headers, text: String::from_utf8(body).unwrap() }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_its_connection_goes_on_however_it_is_framed() {
    let node = TestNode::alone("node").await;
    for is_chunked in [false, true] {
        let mut client = Simple::connect(&node).await;
        let length = format!("content-length: {LARGE}");
        let header = if is_chunked { "transfer-encoding: chunked" } else { &length };
        client.head("POST /api/publish", header).await;
        for _ in 0..LARGE / CHUNK {
            if is_chunked {
                client.say(format!("{CHUNK:x}\r\n").as_bytes()).await;
            }
            client.say(&[b' '; CHUNK]).await;
            if is_chunked {
                client.say(b"\r\n").await;
            }
        }
        if is_chunked {
            client.say(b"0\r\n\r\n").await;
        }
        client.answer().await.assert_error(413, "message-too-large");
        client.head("GET /health", "").await;
        client.answer().await.ok();
    }
}

#[tokio::test]
async fn a_chunked_body_that_fits_is_read() {
    let node = TestNode::alone("node").await;
    let mut client = Simple::connect(&node).await;
    client.head("POST /api/publish", "transfer-encoding: chunked").await;
    for part in [r#"{"topic":"#, r#""t","da"#, r#"ta":1}"#] {
        client.say(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await;
    }
    client.say(b"0\r\n\r\n").await;
    assert_eq!(client.answer().await.ok()["stored"], 1);
}
