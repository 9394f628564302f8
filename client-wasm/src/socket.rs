//! A WebSocket to a node. It passes on what happens and decides nothing.

use pigeonhub_client_core::{NodeUrl, SessionInput, Transport};
use pigeonhub_protocol::{PeerId, Ticket};
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use crate::address;
use crate::error::HubError;
use crate::listener::Listener;

/// The socket of one session. Dropped, it closes without further news.
pub(crate) struct Socket {
    raw: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Dials a node.
    pub(crate) fn dial(
        node: &NodeUrl,
        peer: &PeerId,
        ticket: Option<&Ticket>,
        report: &(impl Fn(SessionInput) + Clone + 'static),
    ) -> Result<Self, HubError> {
        let url = address::of_socket(node, peer, ticket)?;
        // Thrown for `ws://` on a page that came over HTTPS, among others.
        let raw = WebSocket::new(&url).map_err(|thrown| HubError::thrown("invalid-url", &thrown))?;
        let (opened, came, closed) = (report.clone(), report.clone(), report.clone());
        let listeners = [
            Listener::new(&raw, "open", move |_| opened(SessionInput::Opened(Transport::WebSocket))),
            Listener::new(&raw, "message", move |event| {
                // Nodes speak text; anything else is not for us.
                if let Some(text) = event.unchecked_ref::<MessageEvent>().data().as_string() {
                    came(SessionInput::Frame(text));
                }
            }),
            Listener::new(&raw, "close", move |event| {
                let event = event.unchecked_ref::<CloseEvent>();
                closed(SessionInput::Closed { code: event.code(), reason: event.reason() });
            }),
        ];
        Ok(Self { raw, _listeners: listeners })
    }

    /// Sends a text frame. On a socket that is not open it is lost, as on one that breaks.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.raw.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.raw.close_with_code(1000);
    }
}
