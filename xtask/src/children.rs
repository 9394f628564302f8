//! Child processes: each in a process group of its own, and none outlives this process.
//!
//! A group takes the grandchildren along (cargo's rustc, npm's node). A terminal's Ctrl-C reaches
//! only our own group, so the signal handler passes it on; `Drop` covers errors and panics, and
//! a guard the case that this process is killed outright.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a child may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(20);

struct Live {
    stopping: bool,
    groups: Vec<Pid>,
}

static LIVE: Mutex<Live> = Mutex::new(Live { stopping: false, groups: Vec::new() });

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes SIGINT, SIGTERM and SIGHUP end every child: gently at first, by force when that
/// takes too long or a second signal comes.
pub fn end_with_us() -> Result<()> {
    ctrlc::set_handler(|| {
        let mut live = live();
        if live.stopping {
            signal_all(&live.groups, Signal::SIGKILL);
            return;
        }
        live.stopping = true;
        signal_all(&live.groups, Signal::SIGTERM);
        thread::spawn(|| {
            thread::sleep(GRACE);
            signal_all(&self::live().groups, Signal::SIGKILL);
        });
    })
    .context("cannot handle Ctrl-C")
}

/// Whether a signal asked this process to stop.
pub fn stopping() -> bool {
    live().stopping
}

fn signal_all(groups: &[Pid], signal: Signal) {
    for group in groups {
        // The only failure is a group that is gone, which is what is wanted.
        let _ = killpg(*group, signal);
    }
}

/// Runs a command to its end; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = Running::start(command)?.wait()?;
    ensure!(!stopping(), "interrupted");
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// A child that runs; dropping it ends it and whatever it started.
pub struct Running {
    /// The process itself, for its pipes.
    pub process: Child,
    group: Pid,
    guard: Option<Child>,
}

impl Running {
    /// Starts a command in a new process group, without standard input: a background group
    /// that reads from a terminal would be stopped.
    pub fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).process_group(0);
        // Locked until registered, so that a signal cannot come between.
        let mut live = live();
        if live.stopping {
            bail!("interrupted");
        }
        let process = command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
        let group = Pid::from_raw(i32::try_from(process.id())?);
        live.groups.push(group);
        drop(live);
        let mut running = Self { process, group, guard: None };
        running.guard = Some(guard(group)?);
        Ok(running)
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.process.wait()?)
    }

    /// Ends it and whatever it started, by force.
    pub fn kill(self) {
        signal_all(&[self.group], Signal::SIGKILL);
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        signal_all(&[self.group], Signal::SIGTERM);
        let deadline = Instant::now() + GRACE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        signal_all(&[self.group], Signal::SIGKILL);
        let _ = self.process.wait();
        if let Some(guard) = &mut self.guard {
            let _ = guard.kill();
            let _ = guard.wait();
        }
        live().groups.retain(|group| *group != self.group);
    }
}

/// A shell that waits on a pipe from us. Nothing is ever written to it: when it closes, we are
/// gone without having ended the group, so the shell does.
fn guard(group: Pid) -> Result<Child> {
    Command::new("sh")
        .args(["-c", "read -r _; kill -s TERM -- -$0", &group.to_string()])
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("cannot start `sh`")
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words: Vec<_> = std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::kill;
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn success_and_failure_are_told_apart() {
        assert!(run(&mut Command::new("true")).is_ok());
        let error = run(Command::new("sh").args(["-c", "exit 3"])).map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("sh -c exit 3") && text.contains('3')));
    }

    #[test]
    fn dropping_a_child_ends_what_it_started_too() -> Result<()> {
        let mut running = Running::start(
            Command::new("sh").args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped()),
        )?;
        let stdout = running.process.stdout.take().context("piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let grandchild = Pid::from_raw(lines.next().context("a line")??.parse()?);
        assert!(kill(grandchild, None).is_ok());
        drop(running);
        // The pipe closes when its last writer, the grandchild, is gone.
        assert!(lines.next().is_none());
        Ok(())
    }

    #[test]
    fn a_child_ends_when_its_guard_finds_us_gone() -> Result<()> {
        let mut running = Running::start(Command::new("sleep").arg("600"))?;
        drop(running.guard.as_mut().and_then(|guard| guard.stdin.take()));
        let status = running.wait()?;
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
        Ok(())
    }
}
