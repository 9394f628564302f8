//! The world: time, clients, nodes, and what happens between them.

mod browsers;
mod nodes;

use std::collections::{BTreeMap, VecDeque};

use pigeonhub_client_core::{
    Action, Client, Command, ConnectionState, Event, Input, LinkState, NodeUrl, Options, RtcCommand,
    RtcInput, SessionId, SessionInput, Transport,
};
use pigeonhub_protocol::{
    Code, Millis, Moment, NetworkName, NodeMessage, PeerId, PeerMessage, Refusal, Signal, raw_json,
};

use crate::browser::Connection;
use crate::fate::Fate;

/// How long ICE tries before it gives up.
const ICE: u64 = 8_000;

/// What goes wrong, and for how long.
#[derive(Clone, Copy)]
pub struct Trouble {
    pub until: u64,
    /// Percent of signals that a node loses without a word.
    pub loss: u64,
    /// Percent that come twice.
    pub repeats: u64,
    /// How many times a node dies, to come back empty.
    pub deaths: u64,
}

impl Trouble {
    pub const NONE: Self = Self { until: 0, loss: 0, repeats: 0, deaths: 0 };
}

pub struct World {
    trouble: Trouble,
    fate: Fate,
    now: u64,
    order: u64,
    /// By time, then in the order in which they were planned.
    happenings: BTreeMap<(u64, u64), Happening>,
    people: Vec<Person>,
    nodes: Vec<Node>,
    connections: u64,
}

struct Person {
    id: PeerId,
    client: Client,
    wake: Option<u64>,
    sockets: BTreeMap<SessionId, usize>,
    connection: Option<Connection>,
    /// Commands of the connection are carried out one by one.
    commands: VecDeque<(u32, RtcCommand)>,
    link_states: Vec<LinkState>,
    life: u64,
}

#[derive(Default)]
struct Node {
    is_up: bool,
    /// Who is on it, and whether announced.
    sessions: BTreeMap<(usize, u64, SessionId), bool>,
}

enum Happening {
    Tell {
        person: usize,
        life: u64,
        input: Input,
    },
    Hear {
        node: usize,
        session: (usize, u64, SessionId),
        text: String,
    },
    Open {
        node: usize,
        session: (usize, u64, SessionId),
    },
    Command {
        person: usize,
        life: u64,
    },
    Die {
        node: usize,
    },
    Rise {
        node: usize,
    },
    /// ICE gives up if nothing changed.
    GiveUp {
        person: usize,
        connection: u64,
        changed: u64,
    },
    LookAtConnections,
}

impl World {
    pub fn new(mut fate: Fate, trouble: Trouble) -> Self {
        let ids = [fate.roll(), fate.roll()].map(|number| {
            let mut bytes = [7; 20];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            PeerId::from_bytes(bytes)
        });
        let nodes = (0..3).map(|_| Node { is_up: true, ..Node::default() }).collect();
        let people = ids.into_iter().map(|id| Person::new(id, 0)).collect();
        let mut world = Self {
            trouble: Trouble::NONE,
            fate,
            now: 1_000_000,
            order: 0,
            happenings: BTreeMap::new(),
            people,
            nodes,
            connections: 0,
        };
        world.cause(trouble);
        (0..2).for_each(|person| world.tell(person, Input::Command(Command::Start)));
        world
    }

    /// From now on, things go wrong for a while.
    pub fn cause(&mut self, trouble: Trouble) {
        self.trouble = Trouble { until: self.now + trouble.until, ..trouble };
        for _ in 0..trouble.deaths {
            let node = self.fate.below(self.nodes.len() as u64) as usize;
            let (death, rise) = (self.fate.below(trouble.until), self.fate.below(trouble.until));
            self.plan(death, Happening::Die { node });
            self.plan(death.max(rise), Happening::Rise { node });
        }
    }

    pub fn dial(&mut self, person: usize) {
        let other = self.people[1 - person].id;
        self.tell(person, Input::Command(Command::Dial(other)));
    }

    /// The page goes without a word and comes back with the same id.
    pub fn reload(&mut self, person: usize) {
        let Person { id, life, sockets, connection, .. } = &mut self.people[person];
        let reborn = Person::new(*id, *life + 1);
        let sockets = core::mem::take(sockets);
        let connection = connection.take();
        self.people[person] = reborn;
        for node in sockets.into_values() {
            self.nodes[node].sessions.retain(|(on_it, _, _), _| *on_it != person);
        }
        // The browser still closes what was open, or it crashes.
        if self.fate.percent(50) {
            connection.iter().for_each(|connection| self.end_is_gone(1 - person, connection));
        }
        self.tell(person, Input::Command(Command::Start));
    }

    /// Packets no longer get through: only an ICE restart helps.
    pub fn break_connection(&mut self) {
        for person in 0..2 {
            if let Some(connection) = &mut self.people[person].connection {
                connection.break_path();
                self.news(person, RtcInput::State(ConnectionState::Failed));
            }
        }
    }

    pub fn kill_all_nodes(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.die(node));
    }

    pub fn add_tracks(&mut self) {
        let who = self.fate.below(3);
        for person in (0..2).filter(|person| who == 2 || who == *person as u64) {
            let connection = self.people[person].connection.as_mut().unwrap();
            connection.tracks += 1;
            self.browser_wants(person);
        }
    }

    pub fn run_for(&mut self, millis: u64) {
        let until = self.now + millis;
        while let Some(entry) = self.happenings.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            self.happen(happening);
            assert!(self.order < 100_000, "the world does not come to rest");
        }
        self.now = until;
    }

    /// Until so long after the beginning.
    pub fn run_until(&mut self, millis: u64) {
        self.run_for((1_000_000 + millis).saturating_sub(self.now));
    }

    pub fn assert_connected(&self) {
        for (person, other) in [(0, 1), (1, 0)] {
            let link = self.people[person].client.link_state(self.people[other].id);
            let seen = &self.people[person].link_states;
            assert_eq!(link, Some(&LinkState::Connected), "{person} has seen {seen:?}");
            assert!(self.people[person].connection.as_ref().is_some_and(|connection| connection.is_open));
        }
    }

    pub fn assert_tracks_known(&self) {
        let connection = |person: usize| self.people[person].connection.as_ref().unwrap();
        assert_eq!(connection(0).remote_tracks(), connection(1).tracks);
        assert_eq!(connection(1).remote_tracks(), connection(0).tracks);
    }

    pub fn links_seen(&self, person: usize) -> Vec<LinkState> {
        self.people[person].link_states.clone()
    }

    fn plan(&mut self, wait: u64, happening: Happening) {
        self.order += 1;
        self.happenings.insert((self.now + wait, self.order), happening);
    }

    fn is_calm(&self) -> bool {
        self.now >= self.trouble.until
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Tell { person, life, input } => {
                if self.people[person].life == life {
                    self.tell(person, input);
                }
            }
            Happening::Open { node, session } => self.open(node, session),
            Happening::Hear { node, session, text } => {
                if self.nodes[node].sessions.contains_key(&session) {
                    self.hear(node, session, &text);
                }
            }
            Happening::Command { person, life } => {
                if self.people[person].life == life {
                    self.carry_out_next(person);
                }
            }
            Happening::Die { node } => self.die(node),
            Happening::Rise { node } => self.nodes[node].is_up = true,
            Happening::GiveUp { person, connection, changed } => self.give_up(person, connection, changed),
            Happening::LookAtConnections => self.look_at_connections(),
        }
    }
}

/// Clients.
impl World {
    fn tell(&mut self, person: usize, input: Input) {
        let at = Moment { now: Millis(self.now), seed: self.fate.roll() };
        if matches!(input, Input::Tick)
            && self.people[person].wake.take_if(|wake| *wake <= self.now).is_none()
        {
            return;
        }
        for action in self.people[person].client.handle(input, at) {
            self.act(person, action);
        }
    }

    fn act(&mut self, person: usize, action: Action) {
        let life = self.people[person].life;
        match action {
            Action::Dial { session, url, .. } => {
                let node = url.0.parse().unwrap();
                self.people[person].sockets.insert(session, node);
                let wait = self.fate.between(5, 200);
                self.plan(wait, Happening::Open { node, session: (person, life, session) });
            }
            Action::Send { session, frame } => {
                let node = self.people[person].sockets[&session];
                let text = frame.as_str().into();
                self.plan(20, Happening::Hear { node, session: (person, life, session), text });
            }
            Action::Hangup(session) => {
                if let Some(node) = self.people[person].sockets.remove(&session) {
                    self.nodes[node].sessions.remove(&(person, life, session));
                }
            }
            Action::Rtc { generation, command, .. } => self.command(person, generation, command),
            Action::Emit(Event::Link { state, .. }) => self.people[person].link_states.push(state),
            Action::Sign { .. } | Action::Verify { .. } => unreachable!("nobody has a key here"),
            Action::Emit(_) => {}
            Action::WakeAt(at) => {
                self.people[person].wake = Some(at.0);
                let wait = at.0.saturating_sub(self.now);
                self.plan(wait, Happening::Tell { person, life, input: Input::Tick });
            }
        }
    }

    fn news(&mut self, person: usize, input: RtcInput) {
        let Some(connection) = &self.people[person].connection else { return };
        let (generation, peer) = (connection.generation, self.people[1 - person].id);
        self.tell(person, Input::Rtc { peer, generation, input });
    }
}

impl Person {
    fn new(id: PeerId, life: u64) -> Self {
        let nodes = (0..3).map(|node| NodeUrl(node.to_string())).collect();
        let mut options = Options::new(id, NetworkName::default(), nodes);
        options.profile = raw_json(&BTreeMap::from([("name", "x")]));
        Self {
            id,
            client: Client::new(options),
            wake: None,
            sockets: BTreeMap::new(),
            connection: None,
            commands: VecDeque::new(),
            link_states: Vec::new(),
            life,
        }
    }
}
