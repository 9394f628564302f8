//! A data channel: messages come in here, and it says when more can go out.

use std::rc::Weak;

use js_sys::{ArrayBuffer, Uint8Array};
use pigeonhub_client_core::RtcInput;
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelType};

use crate::connection::Connection;
use crate::framing::{self, Assembly, TextFrame};
use crate::listener::Listener;
use crate::outbox;

/// The data channel of a connection.
pub(crate) struct Channel {
    raw: RtcDataChannel,
    _listeners: [Listener; 4],
}

impl Channel {
    /// Listens to a channel, wherever it came from.
    pub(crate) fn new(raw: RtcDataChannel, connection: &Weak<Connection>) -> Self {
        raw.set_binary_type(RtcDataChannelType::Arraybuffer);
        raw.set_buffered_amount_low_threshold(outbox::LOW);
        let mut assembly = Assembly::default();
        let on = |kind, act: fn(&Connection, RtcDataChannel)| {
            let (connection, channel) = (connection.clone(), raw.clone());
            Listener::new(&raw, kind, move |_| {
                if let Some(connection) = connection.upgrade() {
                    act(&connection, channel.clone());
                }
            })
        };
        let listeners = [
            // Fired for a channel from the other side too, after `datachannel`.
            on("open", |connection, raw| {
                connection.link().outbox().open(raw);
                connection.report(RtcInput::ChannelOpened);
            }),
            on("close", |connection, _| {
                connection.link().outbox().shut();
                connection.report(RtcInput::ChannelClosed);
            }),
            on("bufferedamountlow", |connection, _| connection.link().outbox().pump()),
            Listener::new(&raw, "message", {
                let connection = connection.clone();
                move |event| {
                    if let Some(connection) = connection.upgrade() {
                        receive(&connection, &mut assembly, event.unchecked_ref());
                    }
                }
            }),
        ];
        Self { raw, _listeners: listeners }
    }

    /// Sends text at once. Lost like a packet if the channel is not open.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.raw.send_with_str(text);
    }
}

fn receive(connection: &Connection, assembly: &mut Assembly, event: &MessageEvent) {
    let content = event.data();
    let message = match content.as_string().map(framing::receive_text) {
        Some(TextFrame::InBand(text)) => return connection.report(RtcInput::InBand(text)),
        Some(TextFrame::Message(payload)) => Some(payload),
        None => content
            .dyn_ref::<ArrayBuffer>()
            .and_then(|buffer| assembly.receive(Uint8Array::new(buffer).to_vec())),
    };
    if let Some(payload) = message {
        connection.link().receive(&payload);
    }
}
