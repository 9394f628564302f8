//! Requests that the component sends: plain http, to allowed hosts, with kept connections.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HOST;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed::Allowed;

/// How long Spin waits when the guest does not say.
const PATIENCE: Duration = Duration::from_secs(600);

/// Shared by all instances, so that connections to other nodes are kept between requests.
#[derive(Clone)]
pub(crate) struct Outbound {
    allowed: Arc<[Allowed]>,
    client: Client<HttpConnector, WasiBody>,
}

/// The answer, and what may still go wrong on the way of the request's body.
type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Outbound {
    pub(crate) fn new(allowed: &[String]) -> Result<Self> {
        let allowed = allowed.iter().map(|entry| Allowed::parse(entry)).collect::<Result<_>>()?;
        Ok(Self { allowed, client: Client::builder(TokioExecutor::new()).build_http() })
    }

    fn refusal(&self, uri: &Uri) -> Option<Error> {
        if !self.allowed.iter().any(|entry| entry.allows(uri)) {
            eprintln!("spin-host: {uri} is not among the allowed outbound hosts");
            return Some(Error::HttpRequestDenied);
        }
        // Tests have no certificates; a guest sees a node whose TLS is broken.
        (uri.scheme_str() != Some("http")).then_some(Error::TlsProtocolError)
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_fault: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let refusal = self.refusal(request.uri());
        let client = self.client.clone();
        let options = options.unwrap_or_default();
        Box::new(async move {
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            // The client sets it from the URI, as Spin's does.
            request.headers_mut().remove(HOST);
            let answer = timeout(options.first_byte_timeout.unwrap_or(PATIENCE), client.request(request));
            let answer = answer.await.map_err(|_| Error::ConnectionReadTimeout)?.map_err(|error| {
                if error.is_connect() { Error::ConnectionRefused } else { Error::HttpProtocolError }
            })?;
            let pause = options.between_bytes_timeout.unwrap_or(PATIENCE);
            Ok((answer.map(|body| paced(body, pause)), Box::new(async { Ok(()) }) as _))
        })
    }
}

/// The body, cut off when nothing comes for so long.
fn paced(body: Incoming, pause: Duration) -> WasiBody {
    let frames = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(pause, body.frame()).await {
            Ok(None) => None,
            Ok(Some(frame)) => Some((frame.map_err(Error::from), Some(body))),
            Err(_) => Some((Err::<Frame<Bytes>, _>(Error::ConnectionReadTimeout), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// A body that is all there.
pub(crate) fn whole(text: &'static str) -> WasiBody {
    http_body_util::Full::new(Bytes::from_static(text.as_bytes()))
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}
