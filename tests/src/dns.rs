//! A DNS server on this machine.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// TXT records: the strings of each, by name.
type Records = HashMap<String, Vec<Vec<String>>>;

/// A DNS server. It has TXT records, and every name is at 127.0.0.1.
pub struct DnsServer {
    /// Where it listens.
    pub address: SocketAddr,
    records: Arc<Mutex<Records>>,
    serving: JoinHandle<()>,
}

impl DnsServer {
    /// Starts one that has no TXT records.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let records = Arc::<Mutex<Records>>::default();
        let serving = tokio::spawn(serve(socket, Arc::clone(&records)));
        Self { address, records, serving }
    }

    /// Adds a TXT record, cut into strings as long ones have to be.
    pub fn add(&self, name: &str, record: &str) {
        let strings = record.as_bytes().chunks(40);
        let strings = strings.map(|part| String::from_utf8(part.to_vec()).expect("ASCII")).collect();
        self.records.lock().expect("records").entry(name.into()).or_default().push(strings);
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, records: Arc<Mutex<Records>>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
        let answer = answer(&question, &records.lock().expect("records"));
        let answer = answer.to_vec().expect("an answer");
        // Who asked may be gone.
        let _ = socket.send_to(&answer, from).await;
    }
}

fn answer(question: &Message, records: &Records) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    for query in &question.queries {
        answer.add_query(query.clone());
        let name = query.name().to_string().to_ascii_lowercase();
        let found: Vec<RData> = match query.query_type() {
            RecordType::A => vec![RData::A(A(Ipv4Addr::LOCALHOST))],
            RecordType::TXT => {
                let records = records.get(&name).into_iter().flatten();
                records.map(|strings| RData::TXT(TXT::new(strings.clone()))).collect()
            }
            _ => Vec::new(),
        };
        answer.add_answers(found.into_iter().map(|data| Record::from_rdata(query.name().clone(), 60, data)));
    }
    answer
}
