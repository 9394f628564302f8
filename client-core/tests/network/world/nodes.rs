//! The nodes of the world.

use super::*;

/// Nodes. Between them the world is perfect; between them and the clients it is not.
impl World {
    pub(super) fn open(&mut self, node: usize, session: (usize, u64, SessionId)) {
        let (person, life, id) = session;
        if self.people[person].life != life || !self.people[person].sockets.contains_key(&id) {
            return;
        }
        if !self.nodes[node].is_up {
            self.people[person].sockets.remove(&id);
            let closed = SessionInput::Closed { code: 1006, reason: String::new() };
            return self.tell(person, Input::Session(id, closed));
        }
        self.nodes[node].sessions.insert(session, false);
        self.tell(person, Input::Session(id, SessionInput::Opened(Transport::WebSocket)));
        let (peer, name) = (self.people[person].id, format!("node-{node}"));
        self.say(session, &NodeMessage::Connected { peer, node: name.parse().unwrap(), ticket: None });
    }

    pub(super) fn die(&mut self, node: usize) {
        self.nodes[node].is_up = false;
        let silent = node == 0 && !self.is_calm() && self.fate.percent(50);
        for (person, life, id) in core::mem::take(&mut self.nodes[node].sessions).into_keys() {
            // A node that is cut off says nothing; its sockets just fall silent.
            if !silent && self.people[person].life == life {
                self.people[person].sockets.remove(&id);
                let closed = SessionInput::Closed { code: 1006, reason: String::new() };
                self.tell(person, Input::Session(id, closed));
            }
        }
    }

    pub(super) fn hear(&mut self, node: usize, session: (usize, u64, SessionId), text: &str) {
        let from = self.people[session.0].id;
        match PeerMessage::parse(text).unwrap() {
            PeerMessage::Announce { profile, .. } => {
                self.nodes[node].sessions.insert(session, true);
                let told = |peer| NodeMessage::Discovered {
                    peer,
                    node: "n".parse().unwrap(),
                    network: NetworkName::default(),
                    profile: profile.clone(),
                };
                for other in self.announced(1 - session.0) {
                    self.say(other, &told(from));
                    self.say(session, &told(self.people[other.0].id));
                }
            }
            PeerMessage::Signal { kind, target, data, id } => {
                if !self.is_calm() && self.fate.percent(self.trouble.loss) {
                    return;
                }
                let signal =
                    Signal { kind, from, target, network: NetworkName::default(), data, id, origin: None };
                let ways = self.announced(1 - session.0);
                if ways.is_empty() {
                    let refusal = Refusal::of_signal(Code::NodeUnreachable, &signal);
                    return self.say(session, &NodeMessage::Error(refusal));
                }
                let way = ways[self.fate.below(ways.len() as u64) as usize];
                self.say(way, &NodeMessage::Signal(signal.clone()));
                if !self.is_calm() && self.fate.percent(self.trouble.repeats) {
                    self.say(way, &NodeMessage::Signal(signal));
                }
            }
            PeerMessage::Ping => self.say(session, &NodeMessage::Pong { peer: from }),
            PeerMessage::Goodbye { .. } | PeerMessage::Discover | PeerMessage::Cleanup => {}
        }
    }

    /// The sessions of a person that nodes would find.
    pub(super) fn announced(&self, person: usize) -> Vec<(usize, u64, SessionId)> {
        let sessions = self.nodes.iter().flat_map(|node| &node.sessions);
        let of_person = sessions.filter(|((on_it, life, _), announced)| {
            *on_it == person && *life == self.people[person].life && **announced
        });
        of_person.map(|(session, _)| *session).collect()
    }

    pub(super) fn say(&mut self, (person, life, id): (usize, u64, SessionId), message: &NodeMessage) {
        let text = message.frame(Millis(self.now)).as_str().into();
        let wait = if self.is_calm() { 20 } else { self.fate.between(5, 400) };
        let input = Input::Session(id, SessionInput::Frame(text));
        self.plan(wait, Happening::Tell { person, life, input });
    }
}
