//! Steps: what is happening now, and how long it took.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

static DONE: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

/// Does `work` as the step `name`, announced before and timed after.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{}", bold(&format!("==> {name}")));
    let start = Instant::now();
    let result = work().with_context(|| format!("{name} failed"));
    let took = start.elapsed();
    if result.is_ok() {
        eprintln!("    {name}: {}", seconds(took));
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        done.push((name.to_owned(), took));
    }
    result
}

/// A remark within a step.
pub fn note(remark: &str) {
    eprintln!("    {remark}");
}

/// Prints every step so far with its time.
pub fn table() {
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("{}", bold("==> time per step"));
    for (name, took) in done.iter() {
        eprintln!("    {:>9}  {name}", seconds(*took));
    }
    let total = done.iter().map(|(_, took)| *took).sum();
    eprintln!("    {:>9}  in all", seconds(total));
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn bold(line: &str) -> String {
    if stderr().is_terminal() { format!("\x1b[1m{line}\x1b[0m") } else { line.to_owned() }
}
