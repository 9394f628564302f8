//! How to get to each node: by WebSocket, or over plain HTTP where there are none.
//!
//! | the node's URL | way |
//! | --- | --- |
//! | the app says which | that one |
//! | `ws`, `wss` | WebSocket |
//! | `http`, `https` | the node is asked (`GET /signaling`, `transports`): WebSocket if it offers that, else plain HTTP |
//!
//! The answer is remembered while sessions open that way. A node that has just offered WebSockets,
//! but to which none opened in time (proxies do that), is visited over plain HTTP next time.

use alloc::vec::Vec;
use core::str::FromStr;

use pigeonhub_protocol::Fields;

use crate::NodeUrl;
use crate::visit::Resumption;

/// How a client and a node talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Requests, and a stream of server-sent events.
    Http,
}

impl Transport {
    /// Its name among the `transports` of `GET /signaling`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Http => "http",
        }
    }
}

/// A text that names no transport of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTransport;

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, UnknownTransport> {
        [Self::WebSocket, Self::Http].into_iter().find(|known| known.as_str() == text).ok_or(UnknownTransport)
    }
}

/// What is known of the ways to the nodes.
#[derive(Clone, Debug, Default)]
pub struct Ways(Vec<Way>);

#[derive(Clone, Debug)]
struct Way {
    node: NodeUrl,
    /// What the app wants.
    fixed: Option<Transport>,
    /// What the node's answer led to.
    chosen: Option<Transport>,
    /// What to choose if that does not open, while the answer is fresh.
    instead: Option<Transport>,
    /// Whether the session was open.
    is_open: bool,
    resumption: Option<Resumption>,
}

impl Ways {
    /// The app wants it so for this node.
    pub fn fix(&mut self, node: &NodeUrl, transport: Transport) {
        self.to(node).fixed = Some(transport);
    }

    /// The app does not want the node any more.
    pub fn forget(&mut self, node: &NodeUrl) {
        self.0.retain(|way| way.node != *node);
    }

    /// How to get to a node; none if it is to be asked first.
    #[must_use]
    pub fn choice(&self, node: &NodeUrl) -> Option<Transport> {
        let way = self.0.iter().find(|way| way.node == *node);
        let scheme = node.0.trim_start().get(..2).unwrap_or_default();
        let by_scheme = scheme.eq_ignore_ascii_case("ws").then_some(Transport::WebSocket);
        way.and_then(|way| way.fixed.or(way.chosen)).or(by_scheme)
    }

    /// A node was asked: the body of its answer, if there was one. How to get there. Without an
    /// answer a WebSocket may still open: servers of PeerPigeon let no page ask.
    pub fn answered(&mut self, node: &NodeUrl, answer: Option<&str>) -> Transport {
        let Some(answer) = answer.and_then(Fields::parse) else { return Transport::WebSocket };
        let transports = answer.list("transports");
        let has = |transport: Transport| {
            transports.iter().any(|offer| offer.get().trim_matches('"') == transport.as_str())
        };
        let other = has(Transport::Http).then_some(Transport::Http);
        let (chosen, instead) =
            if has(Transport::WebSocket) { (Some(Transport::WebSocket), other) } else { (other, None) };
        let way = self.to(node);
        (way.chosen, way.instead) = (chosen, instead);
        chosen.unwrap_or(Transport::WebSocket)
    }

    /// A session with a node opened.
    pub fn opened(&mut self, node: &NodeUrl) {
        let way = self.to(node);
        (way.is_open, way.instead) = (true, None);
    }

    /// A session with a node is over, or did not open. What is left of it is for the next one.
    pub fn closed(&mut self, node: &NodeUrl, resumption: Option<Resumption>) {
        // The app may have taken it away.
        let Some(way) = self.0.iter_mut().find(|way| way.node == *node) else { return };
        way.resumption = resumption;
        if !core::mem::take(&mut way.is_open) {
            way.chosen = way.instead.take();
        }
    }

    /// What is left of the last session with a node.
    pub fn resumption(&mut self, node: &NodeUrl) -> Option<Resumption> {
        self.0.iter_mut().find(|way| way.node == *node)?.resumption.take()
    }

    fn to(&mut self, node: &NodeUrl) -> &mut Way {
        let known = self.0.iter().position(|way| way.node == *node);
        let index = known.unwrap_or_else(|| {
            let (node, is_open) = (node.clone(), false);
            self.0.push(Way { node, fixed: None, chosen: None, instead: None, is_open, resumption: None });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Option<&str> = Some(r#"{"nodeId":"n","transports":["websocket","http"]}"#);
    const HTTP: Option<&str> = Some(r#"{"transports":["carrier-pigeon","http"]}"#);

    fn node(url: &str) -> NodeUrl {
        NodeUrl(url.into())
    }

    #[test]
    fn urls_of_websockets_say_it_and_others_are_asked() {
        let ways = Ways::default();
        for url in ["ws://a", "wss://a", " WSS://a"] {
            assert_eq!(ways.choice(&node(url)), Some(Transport::WebSocket), "{url}");
        }
        for url in ["http://a", "https://a"] {
            assert_eq!(ways.choice(&node(url)), None, "{url}");
        }
    }

    #[test]
    fn what_the_app_wants_counts_most() {
        let (mut ways, a) = (Ways::default(), node("wss://a"));
        ways.fix(&a, Transport::Http);
        assert_eq!(ways.choice(&a), Some(Transport::Http));
        ways.closed(&a, None);
        assert_eq!(ways.choice(&a), Some(Transport::Http), "whether it opens or not");
        ways.forget(&a);
        assert_eq!(ways.choice(&a), Some(Transport::WebSocket));
    }

    #[test]
    fn a_websocket_is_taken_if_there_are_any_else_plain_http() {
        let (mut ways, a) = (Ways::default(), node("https://a"));
        assert_eq!(ways.answered(&a, BOTH), Transport::WebSocket);
        assert_eq!(ways.answered(&a, HTTP), Transport::Http);
        assert_eq!(ways.choice(&a), Some(Transport::Http));
    }

    #[test]
    fn servers_that_do_not_say_have_websockets_and_are_asked_again() {
        let (mut ways, a) = (Ways::default(), node("https://a"));
        for answer in [None, Some("<html>"), Some(r#"{"wsUrl":"ws://a"}"#), Some(r#"{"transports":[]}"#)] {
            assert_eq!(ways.answered(&a, answer), Transport::WebSocket, "{answer:?}");
            assert_eq!(ways.choice(&a), None, "{answer:?}");
        }
    }

    #[test]
    fn a_way_is_remembered_while_it_opens() {
        let (mut ways, a) = (Ways::default(), node("https://a"));
        ways.answered(&a, BOTH);
        for _ in 0..3 {
            ways.opened(&a);
            ways.closed(&a, None);
            assert_eq!(ways.choice(&a), Some(Transport::WebSocket));
        }
        ways.closed(&a, None);
        assert_eq!(ways.choice(&a), None, "it has not opened: maybe it is another node by now");
    }

    #[test]
    fn where_no_websocket_opens_though_it_was_just_offered_plain_http_is_tried() {
        let (mut ways, a) = (Ways::default(), node("https://a"));
        ways.answered(&a, BOTH);
        ways.closed(&a, None);
        assert_eq!(ways.choice(&a), Some(Transport::Http));
        ways.closed(&a, None);
        assert_eq!(ways.choice(&a), None, "that neither");
    }
}
