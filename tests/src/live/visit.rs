//! What a visit wants done: requests, and a stream of events.

use std::sync::LazyLock;
use std::time::Duration;

use pigeonhub_client_core::{SessionId, VisitInput};
use reqwest::{Client, Response};

use super::{Tell, Told};
use crate::http;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connections are kept, as browsers do.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    http::provide_cryptography();
    Client::builder().no_proxy().build().expect("a client")
});

/// `POST /signaling/exchange`.
pub(super) async fn post(url: String, body: String, session: SessionId, tell: Tell) {
    let answer = async {
        let answer = CLIENT.post(url).timeout(PATIENCE).body(body).send().await?;
        Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.text().await?))
    };
    let news = match answer.await {
        Ok((status, body)) => VisitInput::Answered { status, body },
        Err(_) => VisitInput::Unanswered,
    };
    // The client may be gone.
    let _ = tell.send(Told::Visit(session, news));
}

/// `GET /signaling/events`, until it ends.
pub(super) async fn listen(url: String, ticket: String, cursor: u64, session: SessionId, tell: Tell) {
    let report = |news| tell.send(Told::Visit(session, news)).is_ok();
    // A ticket is made of what needs no escape in a URL.
    let request = CLIENT.get(format!("{url}?ticket={ticket}&cursor={cursor}"));
    if let Ok(answer) = request.send().await
        && answer.status() == 200
        && report(VisitInput::Listening)
    {
        follow(answer, report).await;
    }
    report(VisitInput::Deaf);
}

async fn follow(mut answer: Response, report: impl Fn(VisitInput) -> bool) {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event);
            let field = |name| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let (id, data) = (field("id: "), field("data: "));
            if !data.is_empty() && !report(VisitInput::Event { id: id.into(), text: data.into() }) {
                return;
            }
        }
    }
}
