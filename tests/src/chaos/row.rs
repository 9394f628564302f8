//! What a fault cost.

use std::fmt;
use std::time::Duration;

use super::Fault;
use crate::live::Counts;
use crate::table::quantile;

/// Times of the same thing.
#[derive(Clone, Debug, Default)]
pub struct Span(Vec<f64>);

impl Span {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    /// The time that this part of them does not exceed, milliseconds.
    #[must_use]
    pub fn quantile(&self, part: f64) -> f64 {
        quantile(&mut self.0.clone(), part)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|part| self.quantile(part).round());
        write!(f, "{p50} / {p99} / {most} ({})", self.0.len())
    }
}

/// What a fault cost.
#[derive(Clone, Debug)]
pub struct Row {
    /// The fault.
    pub fault: Fault,
    /// Clients that were on the node.
    pub affected: usize,
    /// Of their pairs that were not calling just then: they dial at once; from the fault to the
    /// arrival of that offer.
    pub again: Span,
    /// Of their calls that were in negotiation just then: from the fault to their being connected.
    pub negotiation: Span,
    /// All calls that were made.
    pub calls: usize,
    /// Those that failed.
    pub failed: Vec<String>,
    /// Calls that stood before, and to which something happened.
    pub disturbed: usize,
    /// What became of all messages.
    pub messages: Counts,
}

impl Row {
    /// What must not have happened, and did.
    #[must_use]
    pub fn harm(&self) -> Option<String> {
        let Self { failed, disturbed, messages, .. } = self;
        let is_harmless = failed.is_empty()
            && *disturbed == 0
            && messages.lost == 0
            && messages.repeated == 0
            && self.calls > 0;
        (!is_harmless).then(|| {
            format!(
                "{}: {} calls, failed {failed:?}, disturbed {disturbed}, {messages:?}",
                self.fault, self.calls
            )
        })
    }
}
