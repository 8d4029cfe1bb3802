//! What can be typed.

use crate::config::{self, Resources};
use crate::error::Result;
use crate::lake::Lake;
use clap::{Args, Parser, Subcommand};

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
    /// Store logs in a lake: files, folders, globs; formats are recognised by content
    Ingest(super::ingest::IngestArgs),
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
