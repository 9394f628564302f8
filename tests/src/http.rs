//! HTTP as a visitor of a node uses it.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// No request may take longer; longer than any pause of a node that a test makes.
const LIMIT: Duration = Duration::from_secs(30);

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    provide_cryptography();
    Client::builder().timeout(LIMIT).no_proxy().pool_max_idle_per_host(0).build().expect("a client")
});

/// For streams, which end when they like.
static ENDLESS: LazyLock<Client> = LazyLock::new(|| {
    provide_cryptography();
    Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client")
});

/// Clients of `reqwest` want to be told once whose cryptography to use, even if they never use it.
pub(crate) fn provide_cryptography() {
    // An error means that it was done before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in the body of {}: {}", self.status, self.text))
    }

    /// The body of a success.
    ///
    /// # Panics
    /// If the status is not 200.
    #[allow(clippy::must_use_candidate, reason = "the check may be all that is wanted")]
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// A header as text; empty if it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Checks status and code of an error, and that it has a text for people.
    ///
    /// # Panics
    /// If it is another answer.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert!(body["error"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    }
}

/// A request that is yet to be sent.
pub fn request(method: Method, url: impl AsRef<str>) -> RequestBuilder {
    CLIENT.request(method, url.as_ref())
}

/// A request that is yet to be sent, and whose answer may take as long as it likes.
pub fn endless(method: Method, url: impl AsRef<str>) -> RequestBuilder {
    ENDLESS.request(method, url.as_ref())
}

/// Sends a request; `None` if no answer came.
pub async fn try_send(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Answer { status, headers, text: response.text().await.ok()? })
}

/// Sends a request.
///
/// # Panics
/// If no answer came.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.expect("an answer to an HTTP request")
}

/// `GET`.
pub async fn get(url: impl AsRef<str>) -> Answer {
    send(request(Method::GET, url)).await
}

/// `POST` of JSON.
pub async fn post(url: impl AsRef<str>, body: &Value) -> Answer {
    send(request(Method::POST, url).json(body)).await
}
