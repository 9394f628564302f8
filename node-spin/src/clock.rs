//! Time, dice and waiting.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::{Either, select};
use pigeonhub_protocol::{Millis, Moment};
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::clocks::monotonic_clock::subscribe_duration;

/// The current time.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The current time, and fresh dice.
pub fn moment() -> Moment {
    Moment { now: now(), seed: u64::from_le_bytes(random()) }
}

/// Random bytes. The host always has some: without them no key and no session would be safe.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// Waits, while other futures of this request go on.
pub async fn sleep(duration: Duration) {
    let deadline = Instant::now() + duration;
    // While it is registered the host wakes us; dropping the token ends that.
    let mut token = None;
    poll_fn(|context| {
        drop(token.take());
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        let pollable = subscribe_duration(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
        token = Some(CancelOnDropToken::from(push_waker_and_get_token(pollable, context.waker().clone())));
        Poll::Pending
    })
    .await;
}

/// The future's output, unless it takes longer than this.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(std::pin::pin!(future), std::pin::pin!(sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
