//! The loop around a client: what happens goes in, what it decides is carried out.

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pigeonhub_client_core::{Action, Client, Command, Event, Input, Options, SessionInput};
use pigeonhub_protocol::proof::is_proof;
use pigeonhub_protocol::{Millis, Moment};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

use super::ether::{Ether, Phones};
use super::lines::{Lines, Way};
use super::{Tell, Told};

struct Engine<H> {
    client: Client,
    lines: Lines,
    phones: Phones,
    wake: Option<Millis>,
    hear: H,
}

/// Runs until the client is closed.
pub(super) async fn run(
    options: Options,
    ether: Ether,
    tell: Tell,
    mut told: UnboundedReceiver<Told>,
    hear: impl FnMut(Event),
) {
    let peer = options.peer;
    let (lines, phones) = (Lines::new(peer, tell.clone()), Phones::new(ether, tell));
    let mut engine = Engine { client: Client::new(options), lines, phones, wake: None, hear };
    loop {
        let wake = [engine.wake, engine.lines.wake()].into_iter().flatten().min();
        let alarm = async {
            match wake {
                Some(at) => sleep(Duration::from_millis(at.since(now()))).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some(news) = told.recv() => {
                let is_last = matches!(news, Told::Input(Input::Command(Command::Close)));
                engine.happen(news);
                if is_last {
                    engine.lines.close();
                    return;
                }
            }
            () = alarm => engine.ring(),
        }
    }
}

impl<H: FnMut(Event)> Engine<H> {
    fn happen(&mut self, news: Told) {
        match news {
            Told::Input(input) => self.take(input),
            Told::Asked(session, answer) => self.lines.asked(session, answer.as_deref()),
            Told::Visit(session, input) => self.lines.visit(session, input, now()),
        }
    }

    fn ring(&mut self) {
        let now = now();
        self.lines.ring(now);
        if self.wake.take_if(|at| *at <= now).is_some() {
            self.take(Input::Tick);
        }
    }

    fn take(&mut self, input: Input) {
        match &input {
            Input::Session(session, SessionInput::Opened(_)) => self.lines.opened(*session),
            Input::Session(session, SessionInput::Closed { .. }) => self.lines.hang_up(*session),
            _ => {}
        }
        for action in self.client.handle(input, moment()) {
            match action {
                Action::Dial { session, url, ticket } => self.lines.dial(session, Way { node: url, ticket }),
                Action::Send { session, frame } => self.lines.send(session, frame, now()),
                Action::Hangup(session) => self.lines.hang_up(session),
                Action::Rtc { peer, generation, command } => self.phones.command(peer, generation, command),
                // These clients have no keys.
                Action::Sign { number, .. } => self.take(Input::Signed { number, signature: None }),
                Action::Verify { number, from, claim, proof } => {
                    self.take(Input::Verified { number, holds: is_proof(from, &claim, &proof) });
                }
                Action::Emit(event) => (self.hear)(event),
                Action::WakeAt(at) => self.wake = Some(at),
            }
        }
    }
}

pub(super) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    Millis(u64::try_from(since.as_millis()).expect("a clock that fits"))
}

fn moment() -> Moment {
    let mut dice = [0; 8];
    getrandom::fill(&mut dice).expect("random bytes");
    Moment { now: now(), seed: u64::from_le_bytes(dice) }
}
