//! What can be typed.

use crate::config::{self, Resources};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::report::Format;
use clap::{Args, Parser, Subcommand};
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;

/// Hunt months of Microsoft 365 and Entra ID audit logs with SQL detections.
#[derive(Debug, Parser)]
#[command(name = "retrohunt", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Memory that a command may take, such as 2GB (default: 60 % of the machine's)
    #[arg(long, global = true, env = "RETROHUNT_MEMORY_LIMIT", value_name = "SIZE", value_parser = config::parse_bytes)]
    memory_limit: Option<u64>,

    /// Threads (default: one per core)
    #[arg(long, global = true, env = "RETROHUNT_THREADS", value_name = "N")]
    threads: Option<usize>,
}

impl Cli {
    pub(crate) fn resources(&self) -> Result<Resources> {
        Resources::new(
            self.memory_limit.unwrap_or_else(config::default_memory_limit),
            self.threads.unwrap_or_else(config::default_threads),
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sample logs in, detections run, alerts shown
    Demo(super::demo::DemoArgs),
    /// Store logs in a lake: files, folders, globs; formats are recognised by content
    Ingest(super::ingest::IngestArgs),
    /// Run detections over a past range
    Hunt(super::hunt::HuntArgs),
    /// What was read in a mailbox, and what the log cannot say
    Mailbox(super::mailbox::MailboxArgs),
    /// List, show and check detections
    Detections(super::detections::DetectionsArgs),
    /// Ask the lake a question in SQL; without one, at a prompt
    Sql(super::sql::SqlArgs),
    /// Describe the SQL functions that standard SQL does not have
    Functions(super::functions::FunctionsArgs),
    /// Print a completion script for a shell
    Completions(super::completions::CompletionsArgs),
}

/// How results are written.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArgs {
    /// Form of the results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    /// Write the results to a file instead of standard output
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

impl OutputArgs {
    /// Where the results go.
    pub(crate) fn open(&self) -> Result<Box<dyn Write + Send>> {
        match &self.output {
            Some(path) => {
                let file = File::create(path).map_err(|source| Error::File {
                    path: path.clone(),
                    source,
                })?;
                Ok(Box::new(BufWriter::new(file)))
            }
            None if self.format == Format::Parquet && std::io::stdout().is_terminal() => Err(Error::Setting {
                setting: "--format parquet".into(),
                problem: "is not for a terminal; add --output FILE".into(),
            }),
            None => Ok(Box::new(BufWriter::new(std::io::stdout()))),
        }
    }
}

/// Which lake.
#[derive(Debug, Clone, Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder
    #[arg(long, env = "RETROHUNT_LAKE", default_value = "./lake", value_name = "URL")]
    lake: String,
}

impl LakeArgs {
    pub(crate) fn lake(&self) -> Result<Lake> {
        Lake::at(&self.lake)
    }
}
