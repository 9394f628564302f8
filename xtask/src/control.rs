//! The demo's control: kills its nodes and starts them again, for its own pages only.
//!
//! It listens on 127.0.0.1, in this process and in no node. Who asks must know the secret in the
//! path, which is in the fragment of the address that the demo prints, and must be a page of one of
//! the demo's nodes (`Origin`). So no other page, and no other machine, can do anything here.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /{secret}/nodes` | `["node-1", …]` |
//! | `POST /{secret}/nodes/{name}/kill` | `{}`: it got SIGKILL |
//! | `POST /{secret}/nodes/{name}/start` | `{}`: it is up again |

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::mesh::Node;

/// How long somebody may take to ask, and how much.
const PATIENCE: Duration = Duration::from_secs(5);
const HEAD: u64 = 16 * 1024;

/// The nodes, shared by who watches them and who controls them.
pub type Nodes = Arc<Mutex<Vec<Node>>>;

/// Offers control over these nodes; gives the fragment of the address of a page that may use it.
pub fn offer(nodes: &Nodes) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot offer control")?;
    let address = listener.local_addr()?;
    let secret = secret()?;
    let fragment = format!("#control=http://{address}/{secret}");
    let nodes = Arc::clone(nodes);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (nodes, secret) = (Arc::clone(&nodes), secret.clone());
            // Whoever asks wrongly hears so, or nothing.
            thread::spawn(move || drop(serve(stream, &nodes, &secret)));
        }
    });
    Ok(fragment)
}

fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut dice| dice.read_exact(&mut bytes)).context("no dice")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn serve(mut stream: TcpStream, nodes: &Nodes, secret: &str) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut line, mut origin) = (String::new(), String::new());
    let mut head = BufReader::new((&stream).take(HEAD));
    head.read_line(&mut line)?;
    for header in head.lines() {
        let header = header?;
        if header.is_empty() {
            break;
        }
        match header.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("origin") => {
                value.trim().clone_into(&mut origin)
            }
            _ => {}
        }
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, body) = match answer(method, path, &origin, nodes, secret) {
        Ok(body) => ("200 OK", body),
        Err(error) => ("403 Forbidden", json!({"error": error.to_string()})),
    };
    // Only a page of the demo may read it.
    let allowed = if is_own(&origin, nodes) { origin.as_str() } else { "null" };
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         access-control-allow-origin: {allowed}\r\nvary: origin\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

fn answer(method: &str, path: &str, origin: &str, nodes: &Nodes, secret: &str) -> Result<Value> {
    let mut parts = path.split('/').skip(1);
    if parts.next() != Some(secret) || parts.next() != Some("nodes") || !is_own(origin, nodes) {
        bail!("this is for the pages of this demo");
    }
    let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
    let parts: Vec<_> = parts.collect();
    let (name, order) = match (method, parts.as_slice()) {
        ("GET", []) => return Ok(nodes.iter().map(|node| node.name.clone()).collect()),
        ("POST", [name, order]) => (name, order),
        _ => bail!("there is nothing here"),
    };
    let node = nodes.iter_mut().find(|node| node.name == *name).context("there is no such node")?;
    match *order {
        "kill" => node.kill(),
        "start" => node.start()?,
        _ => bail!("there is no such order"),
    }
    Ok(json!({}))
}

/// Whether this is the origin of a page that one of the nodes serves.
fn is_own(origin: &str, nodes: &Nodes) -> bool {
    let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
    let hosts = ["localhost", "127.0.0.1", "[::1]"];
    nodes.iter().any(|node| hosts.iter().any(|host| origin == format!("http://{host}:{}", node.port)))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const SECRET: &str = "5ec2e7";
    const OWN: &str = "http://localhost:4000";

    fn nodes() -> Result<Nodes> {
        let mut command = Command::new("sleep");
        command.arg("600");
        Ok(Arc::new(Mutex::new(vec![Node::run(command, "node-1".into(), 4000)?])))
    }

    fn runs(nodes: &Nodes) -> bool {
        nodes.lock().is_ok_and(|nodes| nodes[0].is_running())
    }

    #[test]
    fn a_page_of_the_demo_kills_a_node() -> Result<()> {
        let nodes = nodes()?;
        let ask = |method, path| answer(method, path, OWN, &nodes, SECRET);
        assert_eq!(ask("GET", "/5ec2e7/nodes")?, json!(["node-1"]));
        assert!(runs(&nodes));
        ask("POST", "/5ec2e7/nodes/node-1/kill")?;
        assert!(!runs(&nodes));
        Ok(())
    }

    #[test]
    fn nobody_else_can_do_anything() -> Result<()> {
        let nodes = nodes()?;
        for (method, path, origin) in [
            ("POST", "/5ec2e7/nodes/node-1/kill", "http://evil.example"),
            ("POST", "/5ec2e7/nodes/node-1/kill", "http://localhost:4001"),
            ("POST", "/5ec2e7/nodes/node-1/kill", "https://localhost:4000"),
            ("POST", "/5ec2e7/nodes/node-1/kill", ""),
            ("POST", "/other/nodes/node-1/kill", OWN),
            ("POST", "/nodes/node-1/kill", OWN),
            ("GET", "/5ec2e7/nodes/node-1/kill", OWN),
            ("POST", "/5ec2e7/nodes/node-2/kill", OWN),
            ("POST", "/5ec2e7/nodes/node-1/sing", OWN),
            ("GET", "/5ec2e7/nodes", "http://evil.example"),
        ] {
            assert!(answer(method, path, origin, &nodes, SECRET).is_err(), "{method} {path} {origin}");
        }
        assert!(runs(&nodes));
        Ok(())
    }

    #[test]
    fn over_the_wire_a_stranger_is_refused_and_may_not_read_why() -> Result<()> {
        let fragment = offer(&nodes()?)?;
        let url = fragment.strip_prefix("#control=http://").context("an address")?;
        let (address, secret) = url.split_once('/').context("a secret")?;
        for (origin, status, allowed) in [(OWN, "200", OWN), ("http://evil.example", "403", "null")] {
            let mut stream = TcpStream::connect(address)?;
            write!(stream, "GET /{secret}/nodes HTTP/1.1\r\nOrigin: {origin}\r\n\r\n")?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
            assert!(text.contains(&format!("access-control-allow-origin: {allowed}\r\n")), "{text}");
        }
        Ok(())
    }
}
