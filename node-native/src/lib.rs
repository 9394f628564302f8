//! The PigeonHub node for machines that keep sockets: WebSocket and HTTP on tokio.
//!
//! It holds no rule: what happens goes into [`pigeonhub_node_core`] as an event, and what that
//! decides is done here. One task for each socket, one for each other node, one short lock for each
//! load and each commit.
//!
//! ```no_run
//! # async fn run() -> Result<(), pigeonhub::Error> {
//! let node = pigeonhub::start(pigeonhub::Config { port: 0, ..Default::default() }).await?;
//! println!("{}", node.addr());
//! node.stop().await;
//! # Ok(()) }
//! ```

mod bootstrap;
mod calls;
mod clock;
mod config;
mod demo;
mod dht;
mod drain;
mod errors;
mod host;
mod http;
mod kept_file;
mod key;
mod keygen;
mod line;
mod mesh;
mod metrics;
mod pace;
mod records;
mod server;
mod sessions;
mod socket;
mod store;
mod sweeper;
mod upgrade;
mod visits;

pub use config::{Config, LogFormat};
pub use errors::Error;
pub use keygen::keygen;
pub use server::{Running, start};
