//! A page: the client, the sockets and connections that it asked for, and an app that wants to be
//! connected to some others and dials again when a link ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pigeonhub_client_core::{
    Action, Client, Command, Description, Event, Input, LinkState, NodeUrl, Options, RtcCommand, SessionId,
};
use pigeonhub_protocol::{Millis, Moment, NetworkName, PeerId, raw_json};

use crate::rtc::Rtc;
use crate::seals;
use crate::wire::{Break, WireId};
use crate::world::World;

/// When an app dials again.
const AGAIN: u64 = 2_000;

/// A client in its page.
pub struct Page {
    pub peer: PeerId,
    pub network: NetworkName,
    /// Nodes that the app names, best first.
    nodes: Vec<NodeUrl>,
    /// The same, as numbers.
    pub hubs: Vec<usize>,
    /// Peers that the app dials.
    pub wishes: BTreeSet<PeerId>,
    pub is_alive: bool,
    /// It forgets everything between two lives.
    pub life: u64,
    pub client: Client,
    wake: Option<u64>,
    pub wires: BTreeMap<SessionId, WireId>,
    pub rtcs: BTreeMap<PeerId, Rtc>,
    /// Commands that the browser has not carried out yet.
    commands: VecDeque<(PeerId, u32, RtcCommand)>,
    /// What happens while the page is frozen; it learns of it when it is thawed.
    pub frozen: Option<VecDeque<Input>>,
    /// How far its clock is off.
    pub clock: i64,
    /// Descriptions that it applied, each of which is made only once.
    applied: BTreeMap<PeerId, BTreeSet<(u32, String)>>,
    /// Candidates that it added, as well.
    added: BTreeMap<PeerId, BTreeSet<(u32, String)>>,
    /// What the app was told of its links last.
    pub links: BTreeMap<PeerId, LinkState>,
    last_rtc: u64,
}

impl Page {
    pub fn new(number: usize, network: &str, hubs: Vec<usize>) -> Self {
        let mut bytes = [0x5a; 20];
        bytes[..2].copy_from_slice(&(number as u16).wrapping_mul(40_503).to_be_bytes());
        let (peer, network) = (PeerId::from_bytes(bytes), network.parse().unwrap());
        let nodes: Vec<_> = hubs.iter().map(|hub| NodeUrl(format!("ws://n{hub}"))).collect();
        let client = Client::new(Options::new(peer, NetworkName::clone(&network), nodes.clone()));
        Self {
            peer,
            network,
            nodes,
            hubs,
            wishes: BTreeSet::new(),
            is_alive: false,
            life: 0,
            client,
            wake: None,
            wires: BTreeMap::new(),
            rtcs: BTreeMap::new(),
            commands: VecDeque::new(),
            frozen: None,
            clock: 0,
            applied: BTreeMap::new(),
            added: BTreeMap::new(),
            links: BTreeMap::new(),
            last_rtc: number as u64 * 1_000_000,
        }
    }
}

/// Coming and going.
impl World {
    pub fn load_page(&mut self, index: usize) {
        let life = self.pages[index].life + 1;
        let page = &mut self.pages[index];
        let mut options = Options::new(page.peer, page.network.clone(), page.nodes.clone());
        options.profile = raw_json(&serde_json::json!({ "name": format!("page {index}") }));
        // Every other page has a key; the others are as all were before there were keys.
        options.key = index.is_multiple_of(2).then(|| page.peer.to_string());
        page.client = Client::new(options);
        (page.is_alive, page.life, page.wake) = (true, life, None);
        page.links.clear();
        page.commands.clear();
        page.applied.clear();
        page.added.clear();
        page.frozen = None;
        self.tell(index, life, Input::Command(Command::Start));
        for peer in self.pages[index].wishes.clone() {
            let wait = self.fate.between(0, AGAIN);
            self.after(wait, move |world| world.dial_peer(index, life, peer));
        }
    }

    /// The user closes the page, in an orderly way.
    pub fn close_page(&mut self, index: usize) {
        let life = self.pages[index].life;
        self.tell(index, life, Input::Command(Command::Close));
        self.forget_page(index, Break::Loud);
    }

    /// Whoever dialled somebody hangs up, and (as apps here do) dials again.
    pub fn redial(&mut self) {
        for index in 0..self.pages.len() {
            let life = self.pages[index].life;
            for peer in self.pages[index].wishes.clone() {
                self.tell(index, life, Input::Command(Command::Hangup(peer)));
            }
        }
    }

    /// The page stops, in the background of a phone or under the lid of a laptop; it may have been told
    /// before.
    pub fn freeze_page(&mut self, index: usize, is_told: bool) {
        let life = self.pages[index].life;
        if is_told {
            self.has_frozen = true;
            self.tell(index, life, Input::Freeze);
        }
        self.pages[index].frozen.get_or_insert_default();
    }

    /// And goes on, hearing of all that happened meanwhile.
    pub fn thaw_page(&mut self, index: usize) {
        let life = self.pages[index].life;
        let Some(inputs) = self.pages[index].frozen.take() else { return };
        inputs.into_iter().for_each(|input| self.tell(index, life, input));
        self.tell(index, life, Input::Resume);
    }

    /// The page is gone without a word.
    pub fn crash_page(&mut self, index: usize, how: Break) {
        self.forget_page(index, how);
    }

    fn forget_page(&mut self, index: usize, how: Break) {
        let page = &mut self.pages[index];
        page.is_alive = false;
        page.frozen = None;
        let (wires, rtcs) = (std::mem::take(&mut page.wires), std::mem::take(&mut page.rtcs));
        for wire in wires.into_values() {
            self.ledger.sender_left(wire);
            self.break_wire(wire, how);
        }
        rtcs.into_iter().for_each(|(peer, rtc)| self.rtc_gone(index, peer, &rtc, how));
    }

    fn dial_peer(&mut self, index: usize, life: u64, peer: PeerId) {
        if self.pages[index].client.link_state(peer).is_none() {
            self.tell(index, life, Input::Command(Command::Dial(peer)));
        }
    }
}

/// The client.
impl World {
    pub fn tell(&mut self, index: usize, life: u64, input: Input) {
        let (now, seed) = (self.page_now(index), self.fate.roll());
        let page = &mut self.pages[index];
        if !page.is_alive || page.life != life {
            return;
        }
        if let Some(frozen) = &mut page.frozen {
            return frozen.push_back(input);
        }
        let at = Moment { now, seed };
        let actions = page.client.handle(input, at);
        actions.into_iter().for_each(|action| self.act(index, life, action));
    }

    fn act(&mut self, index: usize, life: u64, action: Action) {
        match action {
            Action::Dial { session, url, ticket } => {
                // One that the app named, or a node that went.
                let hub = url.0.strip_prefix("ws://n").unwrap().parse().unwrap();
                self.dial_wire(index, session, hub, ticket);
            }
            Action::Send { session, frame } => {
                if let Some(wire) = self.pages[index].wires.get(&session) {
                    self.send_to_hub(*wire, frame);
                }
            }
            Action::Hangup(session) => self.hang_up(index, session),
            Action::Rtc { peer, generation, command } => {
                self.pages[index].note_signal(peer, generation, &command);
                self.rtc_command(index, peer, generation, command);
            }
            Action::Sign { number, claim } => {
                let signature = Some(seals::sign(self.pages[index].peer, &claim));
                self.later(index, life, Input::Signed { number, signature });
            }
            Action::Verify { number, from, claim, proof } => {
                let holds = seals::holds(from, &claim, &proof);
                self.later(index, life, Input::Verified { number, holds });
            }
            Action::Emit(event) => self.app_hears(index, life, event),
            Action::WakeAt(at) => {
                self.pages[index].wake = Some(at.0);
                let wait = at.since(self.page_now(index));
                self.after(wait, move |world| {
                    if world.pages[index].life == life && world.pages[index].wake == Some(at.0) {
                        world.pages[index].wake = None;
                        world.tell(index, life, Input::Tick);
                    }
                });
            }
        }
    }

    /// The browser's cryptography takes its time, and not always the same.
    fn later(&mut self, index: usize, life: u64, input: Input) {
        let wait = self.fate.between(0, 3);
        self.after(wait, move |world| world.tell(index, life, input));
    }

    /// What the app is told makes sense, or the client is at fault.
    fn app_hears(&mut self, index: usize, life: u64, event: Event) {
        match event {
            Event::Peer(view) => {
                let is_keyed = self.page_of.get(&view.peer).is_some_and(|page| page.is_multiple_of(2));
                assert_eq!(view.is_verified, is_keyed, "{}", view.peer);
                assert!(self.is_neighbour(index, view.peer), "{} is of another network", view.peer);
            }
            Event::Incoming(peer) => assert!(self.is_neighbour(index, peer), "{peer} is of another network"),
            Event::Link { peer, state } => {
                assert!(self.is_neighbour(index, peer), "{peer} is of another network");
                let before = self.pages[index].links.insert(peer, state.clone());
                assert!(follows(before.as_ref(), &state), "{state:?} after {before:?}");
                let is_over = matches!(state, LinkState::Closed | LinkState::Failed(_));
                if is_over && self.pages[index].wishes.contains(&peer) {
                    self.after(AGAIN, move |world| world.dial_peer(index, life, peer));
                }
            }
            Event::Ready | Event::PeerGone(_) | Event::Node(_) | Event::Path { .. } | Event::Refused(_) => {}
        }
    }

    fn is_neighbour(&self, index: usize, peer: PeerId) -> bool {
        let page = self.page_of.get(&peer).map(|page| &self.pages[*page]);
        peer != self.pages[index].peer && page.is_some_and(|page| page.network == self.pages[index].network)
    }

    /// What a page's clock shows.
    fn page_now(&self, index: usize) -> Millis {
        Millis(self.now.saturating_add_signed(self.pages[index].clock))
    }
}

/// Whether a link that was in one state may come to be in another.
fn follows(before: Option<&LinkState>, after: &LinkState) -> bool {
    use LinkState::{Closed, Connected, Connecting, Failed, Interrupted};
    matches!(
        (before, after),
        (None | Some(Closed | Failed(_)), Connecting)
            | (Some(Connecting | Interrupted), Connected | Closed | Failed(_))
            | (Some(Connected), Interrupted | Closed | Failed(_))
    )
}

impl Page {
    /// No candidate is added twice to a connection, and no description applied twice, unless the page has
    /// made an offer since, which has to yield.
    fn note_signal(&mut self, peer: PeerId, generation: u32, command: &RtcCommand) {
        let applied = self.applied.entry(peer).or_default();
        match command {
            RtcCommand::Apply(Description { sdp, .. }) => {
                assert!(applied.insert((generation, sdp.clone())), "{} applies {sdp} twice", self.peer);
            }
            RtcCommand::Offer { .. } => applied.clear(),
            RtcCommand::AddCandidate(candidate) => {
                let candidate = candidate.get().to_owned();
                let added = self.added.entry(peer).or_default();
                assert!(
                    added.insert((generation, candidate.clone())),
                    "{} adds {candidate} twice",
                    self.peer
                );
            }
            _ => {}
        }
    }

    pub fn next_rtc(&mut self) -> u64 {
        self.last_rtc += 1;
        self.last_rtc
    }

    pub fn push_command(&mut self, peer: PeerId, generation: u32, command: RtcCommand) {
        self.commands.push_back((peer, generation, command));
    }

    pub fn next_command(&mut self) -> Option<(PeerId, u32, RtcCommand)> {
        self.commands.pop_front()
    }
}
