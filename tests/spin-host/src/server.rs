//! Real HTTP in front, a fresh instance of the component behind each request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::headers;
use crate::instance::{App, Instance};
use crate::outbound::whole;

/// Far enough never to come: Spin sets no limit on how long a request runs.
const NO_DEADLINE: u64 = u64::MAX / 2;

pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) component: ProxyPre<Instance>,
    /// Turns true when everything is to end.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Server {
    /// Accepts until told to stop.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut stop = self.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((socket, client)) => drop(tokio::spawn(Arc::clone(&self).talk(socket, client))),
                Err(error) => {
                    // Out of file descriptors, mostly: let some streams end before the next try.
                    eprintln!("spin-host: cannot accept: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn talk(self: Arc<Self>, socket: TcpStream, client: SocketAddr) {
        let mut stop = self.stop.clone();
        let service = service_fn(|request| Arc::clone(&self).answer(request, client));
        let http = Builder::new(TokioExecutor::new());
        tokio::select! {
            // A client that breaks off in the middle is not worth a line.
            _ = http.serve_connection(TokioIo::new(socket), service) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>> {
        // This prefix belongs to Spin; no component ever sees it.
        if let Some(known) = request.uri().path().strip_prefix("/.well-known/spin/") {
            return match known {
                "health" => plain(StatusCode::OK, "OK"),
                _ => plain(StatusCode::NOT_FOUND, ""),
            };
        }
        headers::complete(&mut request, client)?;
        match self.run(request).await {
            Ok(response) => Ok(response),
            Err(error) => {
                eprintln!("spin-host: a request failed: {error:#}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
        }
    }

    async fn run(&self, request: Request<Incoming>) -> Result<Response<WasiBody>> {
        let mut store = Store::new(self.component.engine(), Instance::new(&self.app)?);
        store.set_epoch_deadline(NO_DEADLINE);
        let instance = self.component.instantiate_async(&mut store).await?;
        let (answer, answered) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let answer = store.data_mut().http().new_response_outparam(answer)?;

        // A task of its own: the guest goes on after its headers are out, and after its client is gone.
        let mut stop = self.stop.clone();
        let guest = tokio::spawn(async move {
            let handler = instance.wasi_http_incoming_handler();
            tokio::select! {
                ended = handler.call_handle(&mut store, request, answer) => ended,
                _ = stop.wait_for(|stop| *stop) => Ok(()),
            }
        });
        let Ok(response) = answered.await else {
            guest.await??;
            bail!("the guest gave no response");
        };
        tokio::spawn(async {
            if let Ok(Err(error)) = guest.await {
                eprintln!("spin-host: a guest trapped after its response began: {error:#}");
            }
        });
        response.context("the guest gave an error for a response")
    }

    /// Instances that exist now: requests being answered and streams being written.
    pub(crate) fn open_instances(&self) -> usize {
        self.app.open.load(Ordering::Relaxed)
    }
}

fn plain(status: StatusCode, text: &'static str) -> Result<Response<WasiBody>> {
    Ok(Response::builder().status(status).body(whole(text))?)
}
