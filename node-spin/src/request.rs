//! A request, read whole, and an answer, written whole.

use futures_util::{SinkExt, StreamExt};
use pigeonhub_node_core::rest::{self, Reply};
use pigeonhub_protocol::Code;
use spin_sdk::http::{Fields, IncomingRequest, Method, OutgoingResponse, ResponseOutparam};

/// A request.
pub struct Request {
    /// Upper case.
    pub method: String,
    /// As sent, without query.
    pub path: String,
    /// As sent, with its question mark; `?` if there is none.
    pub query: String,
    /// Host, and port if it is not the scheme's own.
    pub authority: String,
    /// By lower-case name.
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads it.
    ///
    /// # Errors
    /// The reply that refuses it.
    pub async fn read(incoming: IncomingRequest) -> Result<Self, Reply> {
        let headers: Vec<_> = incoming
            .headers()
            .entries()
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
            .collect();
        let target = incoming.path_with_query().unwrap_or_else(|| "/".into());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut request = Self {
            method: method(&incoming.method()).to_owned(),
            path: path.to_owned(),
            query: format!("?{query}"),
            authority: String::new(),
            headers,
            body: Vec::new(),
        };
        let named = request.header("host").map(str::to_owned);
        request.authority = named.or_else(|| incoming.authority()).unwrap_or_default();
        let most = rest::body_limit(&request.path);
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        if length.is_some_and(|length: usize| length > most) {
            return Err(Reply::refuse(Code::MessageTooLarge));
        }
        let mut chunks = std::pin::pin!(incoming.into_body_stream());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Reply::refuse(Code::InvalidRequest))?;
            if request.body.len() + chunk.len() > most {
                return Err(Reply::refuse(Code::MessageTooLarge));
            }
            request.body.extend(chunk);
        }
        Ok(request)
    }

    /// How the caller reached this node.
    pub fn url(&self) -> String {
        let scheme = self.header("x-forwarded-proto").unwrap_or("http");
        format!("{scheme}://{}", self.authority)
    }

    /// A header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn method(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => other,
    }
}

/// The head of an answer: status, type, who may read it, and more headers.
pub fn head(status: u16, content_type: &str, cors: &str, more: &[(&str, &str)]) -> OutgoingResponse {
    let mut headers = vec![
        ("content-type".to_owned(), content_type.as_bytes().to_vec()),
        ("access-control-allow-origin".to_owned(), cors.as_bytes().to_vec()),
    ];
    headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
    // Names and values are ours, so they are well-formed.
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap_or_else(|_| Fields::new()));
    let _ = response.set_status_code(status);
    response
}

/// Writes a reply of the core.
pub async fn answer(out: ResponseOutparam, reply: &Reply, cors: &str) {
    let length = reply.body.len().to_string();
    let mut more = vec![("content-length", length.as_str())];
    more.extend(reply.headers.iter().copied());
    more.push(("cache-control", "no-store"));
    write(out, head(reply.status, "application/json", cors, &more), reply.body.clone().into_bytes()).await;
}

/// Writes a whole body. Who is gone by now gets none of it.
pub async fn write(out: ResponseOutparam, head: OutgoingResponse, body: Vec<u8>) {
    let mut sink = head.take_body();
    out.set(head);
    let _ = sink.send(body).await;
    let _ = sink.close().await;
}
