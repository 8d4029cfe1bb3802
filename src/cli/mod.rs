//! The command line: one file per command. The only part that knows the terminal.

mod alerts;
mod args;
mod bench;
mod completions;
mod demo;
mod detections;
mod estimate;
mod evidence;
mod explain;
mod functions;
mod generate;
mod hunt;
mod hunt_table;
mod ingest;
mod interrupts;
mod lake;
mod mailbox;
mod output;
mod plan;
mod schedule;
mod sql;
mod verify;

use crate::config::Resources;
use crate::error::{Error, Result};
use args::Cli;
use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All done: exit code 0.
    Done,
    /// Done, but some input was rejected or some part failed: exit code 3.
    Incomplete,
    /// Done, and what it found is that something is wrong, which has been said: exit code 1.
    Failed,
}

/// Runs the program: parses the arguments, runs the command, prints its error.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some input was rejected.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing can be said where the message itself cannot be written.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(3),
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        // Whoever read the output had enough of it.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            let _ = writeln!(stderr, "error: {}", output::chain(&error));
            if let Some(hint) = error.hint() {
                let _ = writeln!(stderr, "\nhint: {hint}");
            }
            let usage = matches!(error, Error::Setting { .. } | Error::Unknown { .. });
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> Result<Outcome> {
    let resources = cli.resources()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(resources.threads.max(2))
        .enable_all()
        .build()
        .map_err(|e| Error::Internal(format!("cannot start threads: {e}")))?;
    let outcome = runtime.block_on(dispatch(cli, resources));
    if matches!(outcome, Ok(Outcome::Done)) && runtime.metrics().num_alive_tasks() == 0 {
        // All is done and nobody has anything to put away, as after Ctrl-C. The allocator gives back all
        // memory of a thread that ends, piece by piece, which takes longer than to find a needle.
        std::mem::forget(runtime);
    } else {
        // A blocked reader must not keep an interrupted program alive.
        runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    }
    outcome
}

async fn dispatch(cli: Cli, resources: Resources) -> Result<Outcome> {
    match cli.command {
        args::Command::Ingest(command) => ingest::run(command, resources).await,
        args::Command::Demo(command) => demo::run(command, resources).await,
        args::Command::Hunt(command) => hunt::run(command, resources).await,
        args::Command::Alerts(command) => alerts::run(command, resources).await,
        args::Command::Schedule(command) => schedule::run(*command, resources).await,
        args::Command::Evidence(command) => evidence::run(command, resources).await,
        args::Command::Mailbox(command) => mailbox::run(command, resources).await,
        args::Command::Lake(command) => lake::run(command, resources).await,
        args::Command::Bench(command) => bench::run(*command, resources).await,
        args::Command::Plan(command) => plan::run(*command, resources).await,
        args::Command::Detections(command) => detections::run(command, resources).await,
        args::Command::Sql(command) => sql::run(command, resources).await,
        args::Command::Functions(command) => functions::run(&command),
        args::Command::Generate(command) => generate::run(*command, resources).await,
        args::Command::Completions(command) => completions::run(&command),
    }
}
