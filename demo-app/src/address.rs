//! Addresses: where a node answers, and what the page's own address asks for.

use std::fmt;

/// Where a node answers HTTP: scheme, host and path, without a slash at the end.
///
/// Nodes are told of as `ws://`, `wss://`, `http://` or `https://`; here one node has one address, so
/// that it can be recognised again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeAddress(String);

impl NodeAddress {
    /// Reads what a person or a node wrote. A bare `host:port` gets the scheme that browsers let a page
    /// use for it: `http` on this machine, `https` elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some(("http" | "ws", rest)) => ("http", rest),
            Some(("https" | "wss", rest)) => ("https", rest),
            Some(_) => return None,
            None if is_this_machine(text) => ("http", text),
            None => ("https", text),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let host = rest.split('/').next().unwrap_or_default();
        let sound = !host.is_empty() && !host.starts_with(':') && !rest.contains(char::is_whitespace);
        sound.then(|| Self(format!("{scheme}://{rest}")))
    }

    /// The address of one of the node's answers, like `/health`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port: what a person calls a node whose name is not known yet.
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest)
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_this_machine(text: &str) -> bool {
    ["localhost", "127.", "[::1]"].iter().any(|host| text.starts_with(host))
}

/// What the page's address asks for: `?name=&network=&nodes=a,b&sessions=1&join=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The name to have.
    pub name: Option<String>,
    /// The network to be in.
    pub network: String,
    /// The nodes to choose from, best first; empty if the address names none.
    pub nodes: Vec<NodeAddress>,
    /// How many nodes to be on at once.
    pub sessions: usize,
    /// Join at once, without a click.
    pub join: bool,
}

impl Wish {
    /// Reads the query, one parameter at a time.
    pub fn read(parameter: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |key: &str| parameter(key).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let mut nodes = Vec::new();
        for node in filled("nodes").iter().flat_map(|list| list.split(',')).filter_map(NodeAddress::parse) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        Self {
            name: filled("name"),
            network: filled("network").unwrap_or_else(|| "lobby".to_owned()),
            nodes,
            sessions: filled("sessions").and_then(|n| n.parse().ok()).unwrap_or(2).clamp(1, 8),
            join: filled("join").is_some_and(|v| v != "0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<String> {
        NodeAddress::parse(text).map(|a| a.to_string())
    }

    #[test]
    fn one_node_has_one_address() {
        for text in ["ws://a.example:3000/", "http://a.example:3000", " http://a.example:3000/?peerId=1 "] {
            assert_eq!(address(text).as_deref(), Some("http://a.example:3000"));
        }
        assert_eq!(address("wss://a.example/hub/").as_deref(), Some("https://a.example/hub"));
    }

    #[test]
    fn a_bare_host_gets_the_scheme_that_works_there() {
        assert_eq!(address("localhost:3001").as_deref(), Some("http://localhost:3001"));
        assert_eq!(address("hub.example").as_deref(), Some("https://hub.example"));
    }

    #[test]
    fn nonsense_is_no_address() {
        for text in ["", "  ", "ftp://a", "http://", "http:///x", "two words", "http://:80"] {
            assert_eq!(address(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_query_is_read_leniently() {
        let query = |key: &str| {
            Some(match key {
                "name" => " Ada ".to_owned(),
                "nodes" => "ws://a:1,nonsense://x,http://a:1/,b:2".to_owned(),
                "sessions" => "0".to_owned(),
                "join" => "1".to_owned(),
                _ => return None,
            })
        };
        let wish = Wish::read(query);
        assert_eq!(wish.name.as_deref(), Some("Ada"));
        assert_eq!(wish.network, "lobby");
        let nodes: Vec<_> = wish.nodes.iter().map(NodeAddress::as_str).collect();
        assert_eq!(nodes, ["http://a:1", "https://b:2"]);
        assert_eq!((wish.sessions, wish.join), (1, true));
    }
}
