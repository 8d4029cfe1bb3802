//! The program, run as a user runs it: how long it took, and the memory that it had.

use super::{Bench, Stop};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Variables of the environment that would have the program do something else.
const FOREIGN: &str = "RETROHUNT_";

/// What stores need of them.
const KEPT: &str = "RETROHUNT_STORE_";

/// Between looks at the memory of the process.
const LOOK: Duration = Duration::from_millis(5);

/// What is said of an error, at most.
const SAID: usize = 2000;

/// The program.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    memory_limit: u64,
    /// Where it writes what it says.
    said: PathBuf,
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    pub(super) seconds: f64,
    /// Most memory that the process had; unknown where the system does not tell.
    pub(super) peak: Option<u64>,
}

impl Program {
    pub(super) fn new(bench: &Bench) -> Self {
        Self {
            path: bench.program.clone(),
            memory_limit: bench.resources.memory_limit,
            said: bench.workspace.join("said.txt"),
        }
    }

    /// Runs a command to its end. It is ended when somebody wants that.
    pub(super) async fn run(&self, threads: usize, arguments: Vec<String>, stop: &Stop) -> Result<Took> {
        let failed = |source| Error::File {
            path: self.path.clone(),
            source,
        };
        let said = File::create(&self.said).map_err(|source| Error::File {
            path: self.said.clone(),
            source,
        })?;
        let mut command = Command::new(&self.path);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with(FOREIGN) && !text.starts_with(KEPT) {
                command.env_remove(&name);
            }
        }
        command
            .args(&arguments)
            .args(["--threads", &threads.to_string()])
            .args(["--memory-limit", &self.memory_limit.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn().map_err(failed)?;
        let status = child.id().map(|id| PathBuf::from(format!("/proc/{id}/status")));
        let mut peak = None;
        let ended = loop {
            tokio::select! {
                biased;
                ended = child.wait() => break ended.map_err(failed)?,
                () = tokio::time::sleep(LOOK) => {
                    peak = status.as_ref().and_then(most_memory).or(peak);
                    if stop.load(Ordering::Relaxed) {
                        return Err(Error::Interrupted);
                    }
                }
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        // Ctrl-C in a terminal reaches both.
        super::go_on(stop)?;
        if !ended.success() {
            let said = fs::read(&self.said).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let from = said.char_indices().rev().nth(SAID).map_or(0, |(at, _)| at);
            return Err(Error::Benchmark {
                work: format!("retrohunt {}", arguments.join(" ")),
                problem: format!("it ended with {ended}: {}", said[from..].trim()),
            });
        }
        Ok(Took { seconds, peak })
    }
}

/// The largest resident size of a process so far.
fn most_memory(status: &PathBuf) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
