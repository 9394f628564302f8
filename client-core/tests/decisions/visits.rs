//! Sessions over plain HTTP: what is posted, what is listened to, what is taken once.

use pigeonhub_client_core::{Resumption, SessionInput, Visit, VisitAction, VisitInput};
use pigeonhub_protocol::{Millis, PeerMessage};
use serde_json::{Value, json};

use crate::table::{OWN, peer};

/// A visit, the time, and what it does as short lines.
struct Talk {
    visit: Visit,
    now: u64,
    wake: Option<u64>,
}

impl Talk {
    fn begin(last: Option<Resumption>) -> (Self, Vec<String>) {
        let (visit, actions) = Visit::begin(peer(OWN), last, Millis(0));
        let mut talk = Self { visit, now: 0, wake: None };
        let lines = talk.lines(actions);
        (talk, lines)
    }

    /// Announced, with an open stream.
    fn listening() -> Self {
        let (mut talk, _) = Self::begin(None);
        talk.quietly([answer("t1", false, &[])]);
        talk.say("announce");
        talk.quietly([answer("t2", true, &[]), VisitInput::Listening]);
        talk
    }

    #[track_caller]
    fn on<const N: usize>(&mut self, input: VisitInput, expected: [&str; N]) {
        let input_text = format!("{input:?}");
        assert_eq!(self.tell(input), expected, "at {} ms, on {input_text}", self.now);
    }

    fn quietly<const N: usize>(&mut self, inputs: [VisitInput; N]) {
        inputs.into_iter().for_each(|input| drop(self.tell(input)));
    }

    fn tell(&mut self, input: VisitInput) -> Vec<String> {
        let actions = self.visit.handle(input, Millis(self.now));
        self.lines(actions)
    }

    fn say(&mut self, word: &str) -> Vec<String> {
        let actions = self.visit.say(json!(word).to_string().into(), Millis(self.now));
        self.lines(actions)
    }

    /// Until it wants to be woken, and what it does then.
    fn sleep(&mut self) -> Vec<String> {
        self.now = self.wake.take().expect("a wish to be woken");
        self.tell(VisitInput::Tick)
    }

    fn lines(&mut self, actions: Vec<VisitAction>) -> Vec<String> {
        let mut lines = Vec::new();
        for action in actions {
            lines.push(match action {
                VisitAction::Post(body) => post(&body),
                VisitAction::Listen { ticket, cursor } => format!("listen {ticket} after {cursor}"),
                VisitAction::Tell(SessionInput::Opened(_)) => "opened".into(),
                VisitAction::Tell(SessionInput::Frame(text)) => format!("heard {text}"),
                VisitAction::Tell(SessionInput::Closed { code, reason }) => format!("closed {code} {reason}"),
                VisitAction::WakeAt(at) => {
                    self.wake = Some(at.0);
                    continue;
                }
            });
        }
        lines
    }
}

/// `post t1 7 poll: a b`: ticket, cursor, whether mail is wanted, messages.
fn post(body: &str) -> String {
    let body: Value = serde_json::from_str(body).expect("JSON");
    if let Some(peer) = body["peerId"].as_str() {
        return format!("post as {}", &peer[..1]);
    }
    let mut words = vec!["post".into(), text(&body["ticket"]), body["heard"].to_string()];
    words.extend(["poll", "leave"].into_iter().filter(|wish| body[wish] == true).map(Into::into));
    words.extend(body["messages"].as_array().expect("messages").iter().map(text));
    words.join(" ")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").into()
}

/// A good answer, with mail.
fn answer(ticket: &str, announced: bool, mail: &[(u64, &str)]) -> VisitInput {
    let mail: Vec<_> = mail.iter().map(|(id, message)| json!({"id": id, "message": message})).collect();
    let body = json!({"ticket": ticket, "announced": announced, "messages": [], "mail": mail});
    VisitInput::Answered { status: 200, body: body.to_string() }
}

fn refused(status: u16) -> VisitInput {
    VisitInput::Answered { status, body: json!({"error": "why", "code": "c"}).to_string() }
}

fn event(id: u64, message: &str) -> VisitInput {
    VisitInput::Event { id: id.to_string(), text: message.into() }
}

#[test]
fn a_visit_opens_with_the_first_answer_and_listens_once_it_is_announced() {
    let (mut t, begun) = Talk::begin(None);
    assert_eq!(begun, ["post as 5"]);
    let hello = json!({"ticket": "t1", "announced": false, "messages": [{"type": "connected"}], "mail": []});
    let hello = VisitInput::Answered { status: 200, body: hello.to_string() };
    t.on(hello, ["opened", r#"heard {"type":"connected"}"#]);
    assert_eq!(t.say("announce"), ["post t1 0 poll announce"]);
    t.on(answer("t2", true, &[(1, "a")]), [r#"heard "a""#, "listen t2 after 1"]);
    t.on(VisitInput::Listening, []);
    t.on(event(2, "b"), ["heard b"]);
    assert_eq!(t.say("offer"), ["post t2 2 offer"]);
    t.on(answer("t3", true, &[]), []);
}

#[test]
fn what_is_said_goes_in_order_in_batches_one_request_at_a_time() {
    let mut t = Talk::listening();
    assert_eq!(t.say("a"), ["post t2 0 a"]);
    assert_eq!(t.say("b"), [""; 0]);
    assert_eq!(t.say("c"), [""; 0]);
    t.on(answer("t3", true, &[]), ["post t3 0 b c"]);
    t.on(answer("t4", true, &[]), []);
}

#[test]
fn a_request_that_fails_is_said_again_whole_and_if_it_fails_for_good_the_session_is_over() {
    let mut t = Talk::listening();
    t.say("a");
    t.on(VisitInput::Unanswered, []);
    assert_eq!(t.say("b"), [""; 0], "not before the pause is over");
    for _ in 0..2 {
        assert_eq!(t.sleep(), ["post t2 0 a b"]);
        t.on(refused(503), []);
    }
    assert_eq!(t.sleep(), ["post t2 0 a b"]);
    assert_eq!(t.now, 200 + 400 + 800);
    t.on(VisitInput::Unanswered, ["closed 1006 "]);
    t.on(event(9, "late"), []);
    assert_eq!(t.say("c"), [""; 0]);
}

#[test]
fn a_node_that_is_back_in_time_loses_nothing() {
    let mut t = Talk::listening();
    t.say("a");
    t.on(VisitInput::Unanswered, []);
    assert_eq!(t.sleep(), ["post t2 0 a"]);
    t.on(answer("t3", true, &[]), []);
    t.say("b");
    t.on(VisitInput::Unanswered, []);
    assert_eq!(t.now + 200, t.wake.unwrap(), "failures are counted in a row");
}

#[test]
fn every_way_to_fail_has_its_close_code() {
    for (input, closed) in [
        (VisitInput::Unanswered, "closed 1006 "),
        (refused(404), "closed 1002 why"),
        (refused(409), "closed 1008 why"),
        (refused(413), "closed 1009 why"),
        (refused(429), "closed 1013 why"),
        (refused(503), "closed 1013 why"),
        (VisitInput::Answered { status: 200, body: "<html>".into() }, "closed 1002 "),
    ] {
        let (mut t, _) = Talk::begin(None);
        t.on(input, [closed]);
    }
    let draining = r#"{"code":"draining","error":"why","nodes":["wss://a.example"]}"#.into();
    let mut t = Talk::listening();
    t.say("a");
    t.on(
        VisitInput::Answered { status: 503, body: draining },
        ["closed 1012 Server shutting down; wss://a.example"],
    );
    let mut t = Talk::listening();
    t.say("a");
    t.on(refused(401), ["closed 1012 why"]);
    assert_eq!(t.visit.resumption(), None, "with a ticket that is no good");
}

#[test]
fn what_the_stream_brings_again_is_dropped() {
    let mut t = Talk::listening();
    t.on(event(1, "a"), ["heard a"]);
    t.on(event(2, "b"), ["heard b"]);
    t.on(event(1, "a"), []);
    t.on(event(2, "b"), []);
    t.on(event(4, "d"), ["heard d"]);
    let unnumbered = VisitInput::Event { id: String::new(), text: "x".into() };
    t.on(unnumbered, []);
}

#[test]
fn a_stream_that_ends_goes_on_behind_what_was_taken_with_a_fresh_ticket() {
    let mut t = Talk::listening();
    t.on(event(1, "a"), ["heard a"]);
    t.now = 25_000;
    t.on(VisitInput::Deaf, ["post t2 1 poll"]);
    // What came in between comes with the answer; the stream goes on behind it.
    t.on(answer("t3", true, &[(2, "b")]), [r#"heard "b""#, "listen t3 after 2"]);
    t.on(VisitInput::Listening, []);
    t.on(event(2, "b"), []);
    t.on(event(3, "c"), ["heard c"]);
}

#[test]
fn a_stream_that_does_not_stand_is_opened_again_less_and_less_and_answers_bring_the_mail() {
    let mut t = Talk::listening();
    let mut waits = Vec::new();
    for mail in 1..8 {
        let before = t.now;
        t.on(VisitInput::Deaf, []);
        assert_eq!(t.sleep(), [format!("post t2 {} poll", mail - 1)]);
        waits.push(t.now - before);
        let lines = t.tell(answer("t2", true, &[(mail, "m")]));
        assert_eq!(lines, [r#"heard "m""#.into(), format!("listen t2 after {mail}")]);
    }
    assert_eq!(waits, [400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
}

#[test]
fn while_a_stream_rests_what_is_said_does_not() {
    let mut t = Talk::listening();
    t.on(VisitInput::Deaf, []);
    assert_eq!(t.say("a"), ["post t2 0 poll a"]);
    t.on(answer("t3", true, &[]), []);
    assert_eq!(t.sleep(), ["post t3 0 poll"]);
    t.on(answer("t4", true, &[]), ["listen t4 after 0"]);
}

#[test]
fn a_stream_that_is_silent_while_mail_waits_is_dead_and_replaced() {
    let mut t = Talk::listening();
    t.now = 8_999;
    assert_eq!(t.say("ping"), ["post t2 0 ping"]);
    t.quietly([answer("t3", true, &[])]);
    t.now = 9_000;
    assert_eq!(t.say("ping"), ["post t3 0 poll ping"]);
    t.on(answer("t4", true, &[(1, "a")]), [r#"heard "a""#, "listen t4 after 1"]);
}

#[test]
fn a_stream_that_never_opens_is_replaced_when_there_is_mail() {
    let (mut t, _) = Talk::begin(None);
    t.quietly([answer("t1", false, &[])]);
    t.say("announce");
    t.on(answer("t2", true, &[]), ["listen t2 after 0"]);
    for (now, expected) in [(8_999, vec![]), (9_000, vec!["listen t after 2"])] {
        t.now = now;
        t.say("ping");
        let id = if expected.is_empty() { 1 } else { 2 };
        let heard = t.tell(answer("t", true, &[(id, "m")]));
        assert_eq!(heard, [vec![r#"heard "m""#], expected].concat(), "at {now} ms");
    }
}

#[test]
fn a_silent_stream_without_mail_is_left_alone() {
    let mut t = Talk::listening();
    t.now = 20_000;
    assert_eq!(t.say("ping"), ["post t2 0 poll ping"]);
    t.on(answer("t3", true, &[]), []);
}

#[test]
fn a_node_that_has_forgotten_the_peer_is_gone_to_again() {
    let mut t = Talk::listening();
    t.say("ping");
    t.on(answer("t3", false, &[]), ["closed 1012 the node has forgotten this peer"]);
}

#[test]
fn the_next_session_goes_on_with_ticket_and_cursor() {
    let mut t = Talk::listening();
    t.quietly([event(7, "a")]);
    t.say("ping");
    (0..4).for_each(|_| {
        t.quietly([VisitInput::Unanswered]);
        t.wake.is_some().then(|| t.sleep());
    });
    let (mut t, begun) = Talk::begin(t.visit.resumption());
    assert_eq!(begun, ["post t2 7 poll"]);
    t.on(answer("t3", true, &[(8, "b")]), ["opened", r#"heard "b""#, "listen t3 after 8"]);
}

#[test]
fn a_ticket_from_last_time_that_is_too_old_is_forgotten_with_its_cursor() {
    let mut t = Talk::listening();
    t.quietly([event(7, "a")]);
    let (mut t, _) = Talk::begin(t.visit.resumption());
    t.on(refused(401), ["post as 5"]);
    t.on(answer("t9", false, &[]), ["opened"]);
    assert_eq!(t.say("announce"), ["post t9 0 poll announce"]);
    let (mut t, _) = Talk::begin(None);
    t.on(refused(401), ["closed 1012 why"]);
}

#[test]
fn last_words_are_what_the_node_may_not_have_heard() {
    let mut t = Talk::listening();
    t.say("a");
    t.say("goodbye");
    assert_eq!(post(&t.visit.last_words().unwrap()), "post t2 0 a goodbye");
}

#[test]
fn who_has_said_all_leaves_unless_the_node_may_be_dead_or_knows() {
    let (mut t, _) = Talk::begin(None);
    assert_eq!(t.visit.last_words(), None, "not there yet");
    t.quietly([answer("t1", false, &[])]);
    assert_eq!(t.visit.last_words(), None, "not announced");
    let mut t = Talk::listening();
    assert_eq!(post(&t.visit.last_words().unwrap()), "post t2 0 leave");
    t.now = 30_000;
    t.quietly([VisitInput::Deaf]);
    assert_eq!(t.visit.last_words(), None, "a request is on its way");
    t.quietly([answer("t3", false, &[])]);
    assert_eq!(t.visit.last_words(), None, "over");
}

#[test]
fn a_node_that_takes_nothing_is_given_up_before_memory_is() {
    let mut t = Talk::listening();
    let closed = (0..2_000).find_map(|_| t.say("word").into_iter().find(|line| line.starts_with("closed")));
    assert_eq!(closed.as_deref(), Some("closed 1013 too much waits to be said to this node"));
}

#[test]
fn a_ping_costs_no_request_while_one_is_under_way() {
    let mut talk = Talk::listening();
    let ping = || PeerMessage::Ping.frame(&"room".parse().unwrap());
    talk.say("offer");
    let actions = talk.visit.say(ping(), Millis(talk.now));
    assert!(actions.is_empty(), "{actions:?}");
    let told = talk.visit.handle(answer("t3", true, &[]), Millis(talk.now));
    let is_pong = |action: &VisitAction| matches!(action, VisitAction::Tell(SessionInput::Frame(frame)) if frame.contains("pong"));
    assert!(told.len() == 1 && is_pong(&told[0]), "the answer says it, and nothing is posted: {told:?}");
    let actions = talk.visit.say(ping(), Millis(talk.now));
    assert!(matches!(&actions[..], [VisitAction::Post(_)]), "nothing is under way: {actions:?}");
}
