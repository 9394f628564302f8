//! The crowd: clients that call each other all the time, and what is noted of it.

use std::time::Duration;

use pigeonhub_client_core::{Event, LinkState};
use pigeonhub_protocol::PeerId;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::stage::Stage;
use super::{Fault, Plan, Row, Span};
use crate::TestNode;
use crate::live::{Ether, LiveClient, View, Wish};

/// Clients that know each other.
const ROOM: usize = 8;
/// How long a call stands before it is hung up.
const TALK: Duration = Duration::from_millis(50);
/// In this time before a fault calls begin that it is to come into.
const BEGINNING: Duration = Duration::from_millis(20);
/// How long everybody may take to be there, and the last calls to come about.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Crowd {
    people: Vec<Person>,
    pairs: Vec<Pair>,
    /// Who is in a call that stands with whom.
    standing: Vec<(usize, usize)>,
    news: UnboundedReceiver<(Instant, usize, Event)>,
    ether: Ether,
    pause: Duration,
    /// Whether nobody begins a call.
    holds: bool,
    /// The URL of the node that it happens to; none if it happens to all.
    struck: Option<String>,
    marked: Option<Instant>,
    affected: usize,
    is_gathered: bool,
    note: Note,
}

/// Somebody with a client.
struct Person {
    client: LiveClient,
    view: View,
}

#[derive(Default)]
struct Note {
    again: Span,
    negotiation: Span,
    calls: usize,
    failed: Vec<String>,
    disturbed: usize,
}

/// Two who call each other: the first one dials.
struct Pair {
    caller: usize,
    callee: usize,
    stands: Stands,
    /// What is measured of its call.
    tells: Option<Tells>,
}

#[derive(Clone, Copy)]
enum Stands {
    /// Dials then.
    Idle(Instant),
    Negotiating,
    /// Hangs up then.
    Talking(Instant),
    Parting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// The next offer's arriving: signaling works again.
    Again,
    /// The call's being connected.
    Negotiation,
}

/// Coming together.
impl Crowd {
    /// Everybody goes on two nodes, another two each, and is in a call.
    pub(super) async fn gather(stage: &Stage, plan: Plan) -> Self {
        let (tell, news) = unbounded_channel();
        let (ether, count) = (Ether::default(), plan.clients / ROOM * ROOM);
        let urls: Vec<_> = stage.nodes.iter().map(TestNode::for_clients).collect();
        let people = Vec::from_iter((0..count).map(|index| {
            let mut nodes = urls.clone();
            nodes.rotate_left(index % urls.len());
            let (network, name) = (format!("room-{}", index / ROOM), format!("client-{index}"));
            let wish =
                Wish { peer: LiveClient::fresh_id(), network: &network, name: &name, nodes, sessions: 2 };
            let tell = tell.clone();
            let hear = move |event| drop(tell.send((Instant::now(), index, event)));
            Person { client: LiveClient::start(wish, &ether, hear), view: View::default() }
        }));
        let pairs = (0..count).step_by(2).map(|caller| Pair::new(caller, caller + 1, plan.pause));
        let standing = (0..count).filter(|index| index % 4 < 2).map(|index| (index, index + 2));
        let mut crowd = Self {
            people,
            pairs: pairs.collect(),
            standing: standing.collect(),
            news,
            ether,
            pause: plan.pause,
            holds: true,
            struck: stage.struck().map(TestNode::for_clients),
            marked: None,
            affected: 0,
            is_gathered: false,
            note: Note::default(),
        };
        let nodes = urls.len().min(2);
        crowd.until("everybody is on the nodes", |crowd| crowd.are_on(nodes)).await;
        crowd.until("everybody knows whom they call", Self::know_each_other).await;
        for (one, other) in &crowd.standing {
            crowd.people[*one].client.dial(crowd.people[*other].client.peer);
        }
        crowd.until("everybody is in a call", Self::are_in_calls).await;
        (crowd.is_gathered, crowd.holds) = (true, false);
        crowd
    }

    fn are_on(&self, nodes: usize) -> bool {
        self.people.iter().all(|person| person.view.open_nodes() == nodes)
    }

    fn know_each_other(&self) -> bool {
        let calls = self.pairs.iter().map(|pair| (pair.caller, pair.callee));
        calls.chain(self.standing.iter().copied()).all(|(one, other)| {
            let (one, other) = (&self.people[one], &self.people[other]);
            one.view.whereabouts(other.client.peer).is_some()
                && other.view.whereabouts(one.client.peer).is_some()
        })
    }

    fn are_in_calls(&self) -> bool {
        self.standing.iter().all(|(one, other)| {
            let (one, other) = (&self.people[*one], &self.people[*other]);
            one.view.is_connected(other.client.peer) && other.view.is_connected(one.client.peer)
        })
    }
}

/// The time that passes.
impl Crowd {
    /// Nobody begins a call, or everybody goes on.
    pub(super) fn hold(&mut self, holds: bool) {
        self.holds = holds;
    }

    /// Half of those who are not calling begin to, one after the other: what comes next finds calls at
    /// every stage.
    pub(super) async fn begin_calls(&mut self) {
        let now = Instant::now();
        // Both of every two pairs, and then neither: callers on every node are among both halves.
        for pair in self.pairs.chunks_mut(2).step_by(2).flatten() {
            if let Stands::Idle(until) = &mut pair.stands {
                *until = now + BEGINNING.mul_f64(dice());
            }
        }
        self.watch(BEGINNING).await;
    }

    /// From now on is measured: whoever was on the node calls at once.
    pub(super) fn mark(&mut self) {
        let now = Instant::now();
        self.marked = Some(now);
        let struck = self.struck.as_deref();
        let is_hit = |person: &Person| struck.is_none_or(|url| person.view.is_on(url));
        self.affected = self.people.iter().filter(|person| is_hit(person)).count();
        for pair in &mut self.pairs {
            if !is_hit(&self.people[pair.caller]) && !is_hit(&self.people[pair.callee]) {
                continue;
            }
            match &mut pair.stands {
                Stands::Idle(until) => (*until, pair.tells) = (now, Some(Tells::Again)),
                Stands::Negotiating => pair.tells = Some(Tells::Negotiation),
                Stands::Talking(_) | Stands::Parting => {}
            }
        }
    }

    /// Lets time pass.
    pub(super) async fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step(end).await;
        }
    }

    /// No more calls; when the last one is over, what it all cost.
    pub(super) async fn rest(mut self, fault: Fault) -> Row {
        self.hold(true);
        self.until("the last calls come about", |crowd| {
            crowd.pairs.iter().all(|pair| matches!(pair.stands, Stands::Idle(_)))
        })
        .await;
        self.note.disturbed += usize::from(!self.are_in_calls());
        let Self { note, affected, ether, .. } = self;
        let Note { again, negotiation, calls, failed, disturbed } = note;
        let messages = ether.counts();
        Row { fault, affected, again, negotiation, calls, failed, disturbed, messages }
    }

    async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !is_so(self) {
            assert!(Instant::now() < end, "did not happen within {} s: {what}", LIMIT.as_secs());
            self.step(Instant::now() + Duration::from_millis(50)).await;
        }
    }

    /// Waits for one thing to happen, and notes it.
    async fn step(&mut self, end: Instant) {
        let next = self.pairs.iter().filter_map(|pair| pair.due(self.holds)).min();
        tokio::select! {
            biased;
            news = self.news.recv() => {
                if let Some((at, index, event)) = news {
                    self.hear(at, index, event);
                }
            }
            () = sleep_until(next.unwrap_or(end).min(end)) => self.act(),
        }
    }

    /// Whoever is due dials or hangs up.
    fn act(&mut self) {
        let now = Instant::now();
        for pair in &mut self.pairs {
            if pair.due(self.holds).is_none_or(|at| at > now) {
                continue;
            }
            let (caller, callee) = (&self.people[pair.caller].client, self.people[pair.callee].client.peer);
            if matches!(pair.stands, Stands::Idle(_)) {
                self.note.calls += 1;
                pair.stands = Stands::Negotiating;
                caller.dial(callee);
            } else {
                pair.stands = Stands::Parting;
                caller.hang_up(callee);
            }
        }
    }

    fn hear(&mut self, at: Instant, index: usize, event: Event) {
        if let Event::Link { peer, state } = &event {
            self.link(at, index, *peer, state);
        }
        self.people[index].view.hear(event);
    }

    fn link(&mut self, at: Instant, index: usize, peer: PeerId, state: &LinkState) {
        let is_standing = |(one, other): &&(usize, usize)| {
            (*one == index && self.people[*other].client.peer == peer)
                || (*other == index && self.people[*one].client.peer == peer)
        };
        if self.standing.iter().find(is_standing).is_some() {
            self.note.disturbed += usize::from(self.is_gathered);
            return;
        }
        let pair = &mut self.pairs[index / 2];
        if let LinkState::Failed(failure) = state {
            let since = self.marked.map_or(Duration::ZERO, |marked| at.saturating_duration_since(marked));
            self.note.failed.push(format!("{} after {} ms", failure.code(), since.as_millis()));
        }
        let since = at.saturating_duration_since(self.marked.unwrap_or(at));
        if index != pair.caller {
            // The offer arrived.
            if *state == LinkState::Connecting && pair.tells.take_if(|tells| *tells == Tells::Again).is_some()
            {
                self.note.again.push(since);
            }
            return;
        }
        match (state, pair.stands) {
            (LinkState::Connected, Stands::Negotiating) => {
                pair.stands = Stands::Talking(at + TALK);
                if pair.tells.take_if(|tells| *tells == Tells::Negotiation).is_some() {
                    self.note.negotiation.push(since);
                }
            }
            (LinkState::Closed | LinkState::Failed(_), _) => {
                pair.stands = Stands::Idle(at + self.pause.mul_f64(0.5 + dice() / 2.0));
            }
            _ => {}
        }
    }
}

impl Pair {
    fn new(caller: usize, callee: usize, pause: Duration) -> Self {
        let stands = Stands::Idle(Instant::now() + pause.mul_f64(dice()));
        Self { caller, callee, stands, tells: None }
    }

    fn due(&self, holds: bool) -> Option<Instant> {
        match self.stands {
            Stands::Idle(until) => (!holds).then_some(until),
            Stands::Talking(until) => Some(until),
            Stands::Negotiating | Stands::Parting => None,
        }
    }
}

/// From 0 to 1.
fn dice() -> f64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("random bytes");
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
