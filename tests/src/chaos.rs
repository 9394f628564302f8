//! Chaos: many clients on real nodes, one thing that breaks, and what it cost them.
//!
//! Every fault has nodes and clients of its own. Of every two clients one calls the other again and
//! again; beside that each is in a call that stands. A fault that costs something shows up as a call
//! that failed, one that was disturbed, a message that never arrived, or as time.

mod crowd;
mod fault;
mod row;
mod stage;

use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime;

use self::crowd::Crowd;
pub use self::fault::Fault;
pub use self::row::{Row, Span};
use self::stage::Stage;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many clients.
    pub clients: usize,
    /// A native node in the place of the serverless one.
    pub only_native: bool,
    /// The pause between two calls of a pair, at most.
    pub pause: Duration,
    /// How long what is broken stays so.
    pub away: Duration,
    /// How long everything is watched before it breaks, and after it is whole again.
    pub around: Duration,
}

/// Breaks one thing, and reports. An error says why that is not possible here.
///
/// # Panics
/// If something cannot be started, or does not come to rest.
pub fn suffer(fault: Fault, plan: Plan) -> Result<Row, String> {
    if fault.needs_wires() {
        can_lay_wires()?;
    }
    let ended = thread::spawn(move || {
        if fault.needs_wires() {
            leave_the_network()?;
        }
        // Its threads are where this one is.
        runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
            let mut stage = Stage::set(fault, plan.only_native).await?;
            let mut crowd = Crowd::gather(&stage, plan).await;
            crowd.watch(plan.around).await;
            crowd.begin_calls().await;
            if fault.leaves_nobody() {
                crowd.hold(true);
                stage.strike();
                crowd.watch(plan.away).await;
                stage.heal().await;
                crowd.hold(false);
                crowd.mark();
            } else {
                crowd.mark();
                stage.strike();
                crowd.watch(plan.away).await;
                stage.heal().await;
            }
            crowd.watch(plan.around).await;
            Ok(crowd.rest(fault).await)
        })
    })
    .join();
    match ended {
        Ok(row) => row.map_err(|error: io::Error| error.to_string()),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[cfg(target_os = "linux")]
use crate::wires::{can_be_laid as can_lay_wires, leave_the_network};

#[cfg(not(target_os = "linux"))]
fn can_lay_wires() -> Result<(), String> {
    Err("no network namespaces: they are Linux's".into())
}

#[cfg(not(target_os = "linux"))]
fn leave_the_network() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
