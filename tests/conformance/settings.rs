//! What an operator says is done, by environment variables as by flags; flags win.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pigeonhub_tests::{PATIENCE, TestNode, eventually, http, node_binary};
use reqwest::Method;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const LISTENING: &str = "pigeonhub listening on http://";
const ORIGIN: &str = "https://told.example";

/// Values by the names of their environment variables.
type Settings = Vec<(&'static str, String)>;

/// A node that is told nothing but this, and the address at which it says that it listens.
async fn start(environment: Settings, flags: Settings) -> (Child, String) {
    let mut command = Command::new(node_binary());
    command.env_clear().envs(environment).stdout(Stdio::piped()).kill_on_drop(true);
    for (name, value) in flags {
        command.arg(format!("--{}", name.to_lowercase().replace('_', "-"))).arg(value);
    }
    let mut node = command.spawn().unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap();
    let line = line.expect("the node starts");
    (node, line.strip_prefix(LISTENING).unwrap().into())
}

/// What a node is told, and what can tell whether it was heard.
struct Told {
    port: u16,
    /// A node to meet.
    other: TestNode,
    /// Another one, which never answers.
    silent: TcpListener,
}

impl Told {
    async fn prepare() -> Self {
        let other = TestNode::start("other", &[], &["--app-id", "told"]).await;
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self { port: free_port().await, other, silent }
    }

    fn settings(&self) -> Settings {
        let silent = self.silent.local_addr().unwrap();
        vec![
            ("PORT", self.port.to_string()),
            ("HOST", "127.0.0.1".into()),
            ("NODE_ID", "told".into()),
            ("BOOTSTRAP_PEERS", format!("ws://{silent},{}", self.other.ws())),
            ("APP_ID", "told".into()),
            ("REGION", "eu-west".into()),
            ("PUBLIC_URL", self.public_url()),
            ("CORS_ORIGIN", ORIGIN.into()),
            ("SIGNALING_TIMEOUT", "5000".into()),
        ]
    }

    fn public_url(&self) -> String {
        format!("ws://localhost:{}", self.port)
    }

    async fn assert_heard(&self, address: &str) {
        assert_eq!(address, format!("127.0.0.1:{}", self.port));
        let url = |path| format!("http://{address}{path}");
        self.assert_patience().await;
        let health = http::get(url("/health")).await.ok();
        assert_eq!(health["nodeId"], "told", "{health}");
        assert_eq!(health["port"], self.port, "{health}");
        assert_eq!(health["region"], "eu-west", "{health}");
        let signaling = http::get(url("/signaling")).await.ok();
        assert_eq!(signaling["wsUrl"], self.public_url(), "{signaling}");
        assert_eq!(signaling["app"], "told", "{signaling}");
        for (origin, allowed) in [(ORIGIN, ORIGIN), ("https://other.example", "")] {
            let request = http::request(Method::GET, url("/health")).header("origin", origin);
            assert_eq!(http::send(request).await.header("access-control-allow-origin"), allowed);
        }
        self.other.sees(1).await;
        let hubs = http::get(self.other.url("/hubs")).await.ok();
        assert_eq!(hubs["hubs"][0]["nodeId"], "told", "{hubs}");
        assert_eq!(hubs["hubs"][0]["u"], self.public_url(), "{hubs}");
        eventually("it sees the node that it was told of", PATIENCE, async || {
            let hubs = http::get(url("/hubs")).await.ok();
            let mut hubs = hubs["hubs"].as_array()?.iter();
            hubs.any(|hub| hub["nodeId"] == "other" && hub["state"] == "up").then_some(())
        })
        .await;
    }

    /// The node waits for one that does not answer, longer than it would by itself.
    async fn assert_patience(&self) {
        let (mut dial, _) = timeout(PATIENCE, self.silent.accept()).await.expect("a dial").unwrap();
        let begin = Instant::now();
        let mut request = Vec::new();
        // However the node gives up.
        let _ = timeout(PATIENCE, dial.read_to_end(&mut request)).await.expect("it gives up");
        assert!(!request.is_empty(), "it asks something");
        let waited = begin.elapsed();
        assert!(waited > Duration::from_millis(3500), "{waited:?}");
    }
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_node_does_what_its_environment_says() {
    let told = Told::prepare().await;
    let (_node, address) = start(told.settings(), Vec::new()).await;
    told.assert_heard(&address).await;
}

#[tokio::test]
async fn flags_win_over_the_environment() {
    let told = Told::prepare().await;
    let unheard = vec![
        ("PORT", free_port().await.to_string()),
        ("HOST", "0.0.0.0".into()),
        ("NODE_ID", "unheard".into()),
        ("BOOTSTRAP_PEERS", "ws://127.0.0.1:1".into()),
        ("APP_ID", "unheard".into()),
        ("REGION", "us-east".into()),
        ("PUBLIC_URL", "ws://127.0.0.1:1".into()),
        ("CORS_ORIGIN", "https://other.example".into()),
        ("SIGNALING_TIMEOUT", "100".into()),
    ];
    let (_node, address) = start(unheard, told.settings()).await;
    told.assert_heard(&address).await;
}
