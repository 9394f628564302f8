//! An `RTCPeerConnection`: one of possibly several that a link has in its life.

use core::cell::RefCell;
use std::rc::{Rc, Weak};

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, abortable};
use js_sys::{Array, JSON, Promise};
use pigeonhub_client_core::{ConnectionState, Description, RtcCommand, RtcInput};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MediaStream, MediaStreamTrack, RtcConfiguration, RtcDataChannel, RtcDataChannelEvent, RtcOfferOptions,
    RtcPeerConnection, RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcRtpSender, RtcSdpType,
    RtcSessionDescriptionInit, RtcSignalingState, RtcTrackEvent,
};

use crate::channel::Channel;
use crate::error::{HubError, thrown_text};
use crate::feed::{self, Feed};
use crate::link::{Link, Track};
use crate::listener::Listener;

/// The label that PeerPigeon gives to its channel. The label of one that comes does not matter.
const LABEL: &str = "messages";

/// A connection. Its commands are carried out one after the other.
pub(crate) struct Connection {
    raw: RtcPeerConnection,
    report: Box<dyn Fn(RtcInput)>,
    link: Link,
    commands: Feed<RtcCommand>,
    /// Stops the carrying out, also in the middle of a step: promises of a closed connection never
    /// settle.
    stop: AbortHandle,
    listeners: RefCell<Vec<Listener>>,
    channel: RefCell<Option<Channel>>,
}

impl feed::Event for RtcCommand {}

impl Connection {
    /// Makes it, with what the link sends, and with a data channel if this side is to open it.
    pub(crate) fn create(
        configuration: &RtcConfiguration,
        link: Link,
        open_channel: bool,
        report: impl Fn(RtcInput) + 'static,
    ) -> Result<Rc<Self>, JsValue> {
        let raw = RtcPeerConnection::new_with_configuration(configuration)?;
        let commands = Feed::new(usize::MAX, 0);
        let mut steps = commands.subscribe();
        let connection = Rc::new_cyclic(|this: &Weak<Self>| {
            let this = this.clone();
            let (work, stop) = abortable(async move {
                while let Some(command) = steps.next().await {
                    let Some(connection) = this.upgrade() else { return };
                    connection.carry_out(command).await;
                }
            });
            spawn_local(async move {
                // Either it came to its end or it was stopped: both are fine.
                let _ = work.await;
            });
            Self {
                raw,
                report: Box::new(report),
                link,
                commands,
                stop,
                listeners: RefCell::default(),
                channel: RefCell::default(),
            }
        });
        connection.listen();
        connection.link.local().iter().for_each(|stream| connection.add_stream(stream));
        if open_channel {
            connection.adopt(connection.raw.create_data_channel(LABEL));
        }
        Ok(connection)
    }

    pub(crate) const fn link(&self) -> &Link {
        &self.link
    }

    pub(crate) fn report(&self, news: RtcInput) {
        (self.report)(news);
    }

    /// Does as it is told, once everything before is done.
    pub(crate) fn enqueue(&self, command: &RtcCommand) {
        self.commands.push(command);
    }

    /// Sends signaling on the data channel, past the messages that wait.
    pub(crate) fn send_in_band(&self, text: &str) {
        if let Some(channel) = &*self.channel.borrow() {
            channel.send(text);
        }
    }

    /// Sends the tracks of a stream, unless it does so already.
    pub(crate) fn add_stream(&self, stream: &MediaStream) {
        if self.raw.signaling_state() == RtcSignalingState::Closed {
            return;
        }
        let sent: Vec<_> = self.senders().filter_map(|sender| sender.track()).collect();
        for track in tracks(stream).filter(|track| !sent.contains(track)) {
            self.raw.add_track_0(&track, stream);
        }
    }

    /// Sends the tracks of a stream no more.
    pub(crate) fn remove_stream(&self, stream: &MediaStream) {
        if self.raw.signaling_state() == RtcSignalingState::Closed {
            return;
        }
        let unwanted: Vec<_> = tracks(stream).collect();
        for sender in self.senders() {
            if sender.track().is_some_and(|track| unwanted.contains(&track)) {
                self.raw.remove_track(&sender);
            }
        }
    }

    /// The browser's report.
    pub(crate) async fn stats(&self) -> Result<JsValue, HubError> {
        JsFuture::from(self.raw.get_stats()).await.map_err(|thrown| HubError::thrown("no-stats", &thrown))
    }

    /// Closes it. No news of it comes any more.
    pub(crate) fn close(&self) {
        self.stop.abort();
        self.listeners.take();
        self.channel.take();
        self.raw.close();
    }

    /// Takes the first channel that there is: each connection has one.
    fn adopt(self: &Rc<Self>, raw: RtcDataChannel) {
        let channel = &mut *self.channel.borrow_mut();
        if channel.is_none() {
            *channel = Some(Channel::new(raw, &Rc::downgrade(self)));
        }
    }

    fn listen(self: &Rc<Self>) {
        let on = |kind, act: fn(&Rc<Self>, &JsValue)| {
            let this = Rc::downgrade(self);
            Listener::new(&self.raw, kind, move |event| {
                if let Some(this) = this.upgrade() {
                    act(&this, &event);
                }
            })
        };
        self.listeners.replace(vec![
            on("negotiationneeded", |this, _| this.report(RtcInput::NegotiationNeeded)),
            on("icecandidate", |this, event| {
                this.gathered(event.unchecked_ref());
            }),
            on("connectionstatechange", |this, _| {
                this.report(RtcInput::State(state(this.raw.connection_state())));
            }),
            on("datachannel", |this, event| {
                this.adopt(event.unchecked_ref::<RtcDataChannelEvent>().channel());
            }),
            on("track", |this, event| {
                let event = event.unchecked_ref::<RtcTrackEvent>();
                let stream = event.streams().get(0).dyn_into().ok();
                this.link.receive_track(&Track { track: event.track(), stream });
            }),
        ]);
    }

    /// Reports a local candidate. The end of candidates is nothing that the wire knows.
    fn gathered(&self, event: &RtcPeerConnectionIceEvent) {
        let candidate = event.candidate().filter(|candidate| !candidate.candidate().is_empty());
        let json = candidate.and_then(|candidate| JSON::stringify(&candidate).ok());
        if let Some(Ok(raw)) = json.map(|json| serde_json::value::RawValue::from_string(json.into())) {
            self.report(RtcInput::Candidate(raw));
        }
    }

    async fn carry_out(&self, command: RtcCommand) {
        let done = match command {
            RtcCommand::Offer { ice_restart } => self.offer(ice_restart).await,
            RtcCommand::Apply(description) => self.apply(description).await,
            RtcCommand::AddCandidate(candidate) => {
                if let Ok(init) = JSON::parse(candidate.get()) {
                    let added = self
                        .raw
                        .add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(init.unchecked_ref()));
                    // It may fail: one of an older description, or of a kind that this browser does
                    // not know. Nobody waits for it, the browser keeps what follows behind it; but
                    // somebody has to take its rejection.
                    let _ = Promise::all_settled(&Array::of1(&added));
                }
                Ok(())
            }
            RtcCommand::SendInBand(text) => {
                self.send_in_band(&text);
                Ok(())
            }
            // The engine's to do.
            RtcCommand::Create { .. } | RtcCommand::Close => Ok(()),
        };
        if let Err(thrown) = done {
            self.report(RtcInput::Refused(thrown_text(&thrown)));
        }
    }

    async fn offer(&self, ice_restart: bool) -> Result<(), JsValue> {
        let options = RtcOfferOptions::new();
        options.set_ice_restart(ice_restart);
        let offer = JsFuture::from(self.raw.create_offer_with_rtc_offer_options(&options)).await?;
        self.describe(true, offer.unchecked_ref()).await
    }

    async fn apply(&self, description: Description) -> Result<(), JsValue> {
        let kind = if description.is_offer { RtcSdpType::Offer } else { RtcSdpType::Answer };
        let remote = RtcSessionDescriptionInit::new(kind);
        remote.set_sdp(&description.sdp);
        // For an offer, this rolls an own one back.
        JsFuture::from(self.raw.set_remote_description(&remote)).await?;
        self.report(RtcInput::Applied);
        if description.is_offer {
            let answer = JsFuture::from(self.raw.create_answer()).await?;
            self.describe(false, answer.unchecked_ref()).await?;
        }
        Ok(())
    }

    /// Sets a local description and reports it.
    async fn describe(&self, is_offer: bool, local: &RtcSessionDescriptionInit) -> Result<(), JsValue> {
        JsFuture::from(self.raw.set_local_description(local)).await?;
        if let Some(sdp) = local.get_sdp() {
            self.report(RtcInput::Described(Description { is_offer, sdp }));
        }
        Ok(())
    }

    fn senders(&self) -> impl Iterator<Item = RtcRtpSender> {
        self.raw.get_senders().into_iter().map(JsCast::unchecked_into)
    }
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> {
    let tracks: Array = stream.get_tracks();
    tracks.into_iter().map(JsCast::unchecked_into)
}

const fn state(state: RtcPeerConnectionState) -> ConnectionState {
    match state {
        RtcPeerConnectionState::Connecting => ConnectionState::Connecting,
        RtcPeerConnectionState::Connected => ConnectionState::Connected,
        RtcPeerConnectionState::Disconnected => ConnectionState::Disconnected,
        RtcPeerConnectionState::Failed => ConnectionState::Failed,
        RtcPeerConnectionState::Closed => ConnectionState::Closed,
        // `new`, and whatever browsers may think of.
        _ => ConnectionState::New,
    }
}
