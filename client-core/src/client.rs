//! The client: one door, and who decides what behind it.

use alloc::vec::Vec;

use pigeonhub_protocol::{Frame, Millis, Moment, PeerId, PeerMessage, RawJson, raw_json};
use serde::Serialize;

use crate::clock::Clock;
use crate::dedup::Dedup;
use crate::dice::Dice;
use crate::inbox::Inbox;
use crate::links::Links;
use crate::numbers::Numbers;
use crate::post::Post;
use crate::roster::Roster;
use crate::seal::Seal;
use crate::sessions::Sessions;
use crate::turn::Turn;
use crate::{Action, Command, Input, LinkState, NodeView, Options, PeerView, SessionId, SessionInput};

/// A client: a state machine.
#[derive(Debug)]
pub struct Client {
    pub(crate) options: Options,
    clock: Clock,
    numbers: Numbers,
    pub(crate) sessions: Sessions,
    pub(crate) roster: Roster,
    pub(crate) links: Links,
    pub(crate) dedup: Dedup,
    pub(crate) inbox: Inbox,
    seal: Seal,
    /// What the host was asked for last, in its time.
    wake: Option<Millis>,
    /// Whether the page is frozen, or was just thawed.
    is_away: bool,
    is_closed: bool,
}

impl Client {
    /// A client that has not started.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            clock: Clock::default(),
            numbers: Numbers::default(),
            sessions: Sessions::new(options.nodes.clone(), options.sessions),
            roster: Roster::default(),
            links: Links::new(options.peer),
            dedup: Dedup::default(),
            inbox: Inbox::default(),
            seal: Seal::new(options.key.clone()),
            wake: None,
            is_away: false,
            is_closed: false,
            options,
        }
    }

    /// The one door: something happened, what is to be done?
    ///
    /// Time may jump and news may be late or of things long gone; none of it does harm. After
    /// [`Command::Close`] nothing is ever to be done.
    pub fn handle(&mut self, input: Input, at: Moment) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        let mut numbers = core::mem::take(&mut self.numbers);
        let now = self.clock.read(at.now);
        let mut turn =
            Turn { now, wall: at.now, dice: Dice::new(at.seed), numbers: &mut numbers, actions: Vec::new() };
        if matches!(input, Input::Tick) {
            self.wake = None;
        }
        self.dispatch(input, &mut turn);
        if !self.is_closed {
            self.settle(&mut turn);
        }
        let actions = turn.actions;
        self.numbers = numbers;
        actions
    }

    fn dispatch(&mut self, input: Input, turn: &mut Turn<'_>) {
        match input {
            Input::Command(command) => self.command(command, turn),
            Input::Session(id, SessionInput::Opened(transport)) => {
                let announce = self.announce();
                if self.sessions.opened(id, transport, announce, self.ping(), turn) {
                    self.roster.session_opened(turn.now);
                }
            }
            Input::Session(id, SessionInput::Frame(text)) => {
                if self.sessions.heard(id, turn) {
                    self.frame(id, &text, turn);
                }
            }
            Input::Session(id, SessionInput::Closed { code, reason }) => {
                if self.sessions.closed(id, code, &reason, turn) {
                    self.session_lost(id, turn);
                }
            }
            Input::Rtc { peer, generation, input } => self.links.rtc(peer, generation, input, turn),
            Input::Signed { number, signature } => {
                if self.seal.signed(number, signature) {
                    self.announce_everywhere(turn);
                }
            }
            Input::Verified { number, holds } => {
                self.inbox.checked(number, Some(holds));
                self.take_in(turn);
            }
            Input::Unchecked { number } => {
                self.inbox.checked(number, None);
                self.take_in(turn);
            }
            Input::Tick => self.tick(turn),
            Input::Freeze => self.be_away(true, turn),
            Input::Resume => {
                self.be_away(false, turn);
                self.sessions.resume(&self.ping(), turn);
                self.links.resume(turn);
            }
        }
    }

    fn command(&mut self, command: Command, turn: &mut Turn<'_>) {
        match command {
            Command::Start => {
                self.sessions.start();
                self.seal.renew(&self.options, turn);
            }
            Command::Dial(peer) => self.links.dial(peer, turn),
            Command::Hangup(peer) => self.links.hangup(peer, turn),
            Command::SetProfile(profile) => {
                self.options.profile = profile;
                if self.seal.renew(&self.options, turn) {
                    self.announce_everywhere(turn);
                }
            }
            Command::AddNode(url) => self.sessions.add(url),
            Command::RemoveNode(url) => {
                if let Some(session) = self.sessions.remove(&url, turn) {
                    self.session_lost(session, turn);
                }
            }
            Command::Close => {
                let goodbye = PeerMessage::Goodbye { data: farewell(self.options.peer, turn.now) };
                self.links.close(turn);
                self.sessions.close(&goodbye.frame(&self.options.network), turn);
                self.is_closed = true;
            }
        }
    }

    fn tick(&mut self, turn: &mut Turn<'_>) {
        let ping = self.ping();
        for dead in self.sessions.tick(&ping, turn) {
            self.session_lost(dead, turn);
        }
        for suspect in self.links.tick(turn) {
            self.sessions.probe(suspect, &ping, turn);
        }
        let is_any_open = self.sessions.open().next().is_some();
        self.roster.tick(is_any_open, turn);
        if self.seal.is_due(turn.now) {
            self.seal.renew(&self.options, turn);
        }
    }

    fn session_lost(&mut self, lost: SessionId, turn: &Turn<'_>) {
        self.roster.session_lost(lost, turn.now);
        self.links.session_lost(lost);
    }

    /// What every turn ends with: nodes are dialled, signals carried, also those of nodes that are silent; the
    /// next turn is booked.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.sessions.balance(turn);
        for silent in self.sessions.fall_silent(turn.now) {
            self.links.session_silent(silent);
        }
        let Self { options, sessions, roster, links, seal, .. } = self;
        let post = Post { own: options.peer, network: &options.network, sessions, roster, seal };
        let carriers = post.carry(links, turn);
        seal.flush(sessions, &options.network, turn);
        sessions.carried(&carriers, &PeerMessage::Ping.frame(&options.network), turn);
        let is_any_open = self.sessions.open().next().is_some();
        let deadlines = [
            self.sessions.deadline(turn.now),
            self.links.deadline(),
            self.roster.deadline(is_any_open),
            self.seal.deadline(),
        ];
        let wake = deadlines.into_iter().flatten().min().map(|at| self.clock.on_host(at));
        if let Some(at) = wake.filter(|_| wake != self.wake) {
            turn.act(Action::WakeAt(at));
        }
        self.wake = wake;
    }

    fn be_away(&mut self, is_away: bool, turn: &mut Turn<'_>) {
        if core::mem::replace(&mut self.is_away, is_away) != is_away {
            self.announce_everywhere(turn);
        }
    }

    fn announce_everywhere(&self, turn: &mut Turn<'_>) {
        if let Some(announce) = self.announce() {
            self.sessions.open().for_each(|session| turn.send(session, announce.clone()));
        }
    }

    fn ping(&self) -> Frame {
        PeerMessage::Ping.frame(&self.options.network)
    }

    /// None while its first proof is being made.
    fn announce(&self) -> Option<Frame> {
        let Options { network, profile, .. } = &self.options;
        let profile = self.seal.profile(profile, self.is_away)?;
        Some(PeerMessage::Announce { network: network.clone(), profile }.frame(network))
    }
}

/// What an app may look at between turns.
impl Client {
    /// The peers that are there, by id.
    pub fn peers(&self) -> impl Iterator<Item = PeerView> {
        self.roster.views()
    }

    /// The nodes to choose from, best first.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView> {
        self.sessions.views()
    }

    /// The state of the link to a peer; none if there is no link, or no longer.
    #[must_use]
    pub fn link_state(&self, peer: PeerId) -> Option<&LinkState> {
        self.links.get(peer).map(crate::link::Link::state)
    }

    /// Whether the other side of a link has proven who it is: the description of its connection was
    /// signed, so the connection ends where that key is.
    #[must_use]
    pub fn is_link_verified(&self, peer: PeerId) -> bool {
        self.links.get(peer).is_some_and(crate::link::Link::is_verified)
    }
}

/// The `data` of a goodbye. The time makes it one goodbye, through however many nodes it comes.
fn farewell(own: PeerId, now: Millis) -> RawJson {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Farewell {
        peer_id: PeerId,
        timestamp: Millis,
    }
    raw_json(&Farewell { peer_id: own, timestamp: now })
}
