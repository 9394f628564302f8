//! `GET /metrics`: figures in Prometheus' text form.

use alloc::string::String;
use core::fmt::Write;

/// What everything that is counted begins with.
const PREFIX: &str = "pigeonhub_";

/// Figures, as they are written.
#[derive(Debug, Default)]
pub struct Figures(String);

impl Figures {
    /// How much there is now.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.kind("gauge", name, help);
        self.line(name, format_args!(""), value);
    }

    /// How much there was since the count began.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.kind("counter", name, help);
        self.line(name, format_args!(""), value);
    }

    /// The same, for each value of a label.
    pub fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        self.kind("counter", name, help);
        for (text, value) in values {
            self.line(name, format_args!("{{{label}=\"{text}\"}}"), value);
        }
    }

    fn kind(&mut self, kind: &str, name: &str, help: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.0, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
    }

    fn line(&mut self, name: &str, label: core::fmt::Arguments<'_>, value: u64) {
        let _ = writeln!(self.0, "{PREFIX}{name}{label} {value}");
    }

    /// The text.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_its_help_its_kind_and_its_lines() {
        let mut figures = Figures::default();
        figures.gauge("peers", "Peers.", 3);
        figures.counter("seen_total", "Seen.", 4);
        figures.counters("refused_total", "Refused.", "reason", [("forged", 1), ("expired", 0)]);
        assert_eq!(
            figures.text(),
            "# HELP pigeonhub_peers Peers.\n# TYPE pigeonhub_peers gauge\npigeonhub_peers 3\n\
             # HELP pigeonhub_seen_total Seen.\n# TYPE pigeonhub_seen_total counter\npigeonhub_seen_total 4\n\
             # HELP pigeonhub_refused_total Refused.\n# TYPE pigeonhub_refused_total counter\n\
             pigeonhub_refused_total{reason=\"forged\"} 1\npigeonhub_refused_total{reason=\"expired\"} 0\n"
        );
    }
}
