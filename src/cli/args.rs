//! What can be typed.

use crate::capacity::{Measurements, Prices};
use crate::config::{self, Resources};
use crate::detections::{self, Detection, Fault};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::report::Format;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

/// Hunt months of Microsoft 365 and Entra ID audit logs with SQL detections.
#[derive(Debug, Parser)]
#[command(name = "retrohunt", version, max_term_width = 80, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Memory that a command may take, such as 2GB (default: 60 % of the machine's)
    #[arg(long, global = true, display_order = 900, env = "RETROHUNT_MEMORY_LIMIT", value_name = "SIZE", value_parser = config::parse_bytes)]
    memory_limit: Option<u64>,

    /// Threads (default: one per core)
    #[arg(long, global = true, display_order = 901, env = "RETROHUNT_THREADS", value_name = "N", value_parser = threads)]
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

fn threads(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "write a number from 1 to 1024".to_owned())
}

/// The commands; each describes itself where its arguments are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(super::demo::DemoArgs),
    Ingest(super::ingest::IngestArgs),
    Hunt(super::hunt::HuntArgs),
    Schedule(Box<super::schedule::ScheduleCommandArgs>),
    Alerts(super::alerts::AlertsArgs),
    Evidence(super::evidence::EvidenceArgs),
    Lake(super::lake::LakeCommandArgs),
    Bench(Box<super::bench::BenchArgs>),
    Plan(Box<super::plan::PlanArgs>),
    Mailbox(super::mailbox::MailboxArgs),
    Detections(super::detections::DetectionsArgs),
    Sql(super::sql::SqlArgs),
    Functions(super::functions::FunctionsArgs),
    Generate(Box<super::generate::GenerateArgs>),
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
    /// Fails now where [`Self::open`] would fail after the work is done. What the file
    /// holds stays until there is something to put in its place.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(path) = &self.output else {
            return self.check_stdout();
        };
        check_writable(path)
    }

    fn check_stdout(&self) -> Result<()> {
        if self.format == Format::Parquet && std::io::stdout().is_terminal() {
            return Err(Error::Setting {
                setting: "--format parquet".into(),
                problem: "is not for a terminal; add --output FILE".into(),
            });
        }
        Ok(())
    }

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
            None => {
                self.check_stdout()?;
                Ok(Box::new(BufWriter::new(std::io::stdout())))
            }
        }
    }
}

/// Fails where a file could not be written; leaves what is there as it is.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    let writable = match std::fs::metadata(path) {
        Ok(there) if there.is_file() || there.is_dir() => OpenOptions::new().write(true).open(path).map(drop),
        // Opening a pipe and closing it would end it for its reader.
        Ok(_) => Ok(()),
        Err(_) => {
            let made = OpenOptions::new().write(true).create_new(true).open(path);
            made.and_then(|_| std::fs::remove_file(path))
        }
    };
    writable.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// Which lake.
#[derive(Debug, Clone, Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder, s3://BUCKET/PATH, az://CONTAINER/PATH or
    /// abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH
    #[arg(long, env = "RETROHUNT_LAKE", default_value = "./lake", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    lake: String,
}

impl LakeArgs {
    pub(crate) fn lake(&self) -> Result<Lake> {
        lake_at(&self.lake)
    }
}

/// The lake at a path or URL as typed.
pub(crate) fn lake_at(location: &str) -> Result<Lake> {
    if Path::new(location).is_file() {
        return Err(Error::Setting {
            setting: format!("--lake {location}"),
            problem: "is a file; give a folder".into(),
        });
    }
    Lake::at(location)
}

/// Detections besides the built-in ones.
#[derive(Debug, Clone, Args)]
pub(crate) struct FolderArgs {
    /// A folder with detections of your own, beside the built-in ones
    #[arg(long = "detections", global = true, value_name = "DIR", env = "RETROHUNT_DETECTIONS")]
    folder: Option<PathBuf>,
}

impl FolderArgs {
    /// All detections there are, and the files that give none.
    pub(crate) fn load(&self) -> Result<(Vec<Detection>, Vec<Fault>)> {
        detections::load_folder(self.folder.as_deref())
    }
}

/// Where a benchmark keeps what it measured when nobody said: `retrohunt/bench.json` in
/// `$XDG_DATA_HOME`, else in `~/.local/share`.
pub(crate) fn measurements_path() -> Result<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    let path = data.map(|data| data.join("retrohunt/bench.json"));
    path.ok_or_else(|| Error::Setting {
        setting: "--measurements".into(),
        problem: "without it the measurements are below XDG_DATA_HOME or HOME, and neither is set".into(),
    })
}

/// What a benchmark measured, in this file or where it keeps that when nobody said. None where
/// nobody named a file and there is none.
pub(crate) fn measurements(path: Option<&Path>) -> Result<Option<Measurements>> {
    let place = match path {
        Some(path) => path.to_owned(),
        None => measurements_path()?,
    };
    match std::fs::read_to_string(&place) {
        Ok(text) => Measurements::from_json(&text, &place.display().to_string()).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => Ok(None),
        Err(source) => Err(Error::File { path: place, source }),
    }
}

/// The prices in a file.
pub(crate) fn prices(path: &Path) -> Result<Prices> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    Prices::read(&text, &path.display().to_string())
}

/// How measurements name the store of a URL.
pub(crate) fn store_of(url: &str) -> &str {
    match url.split_once("://") {
        Some(("abfss" | "abfs" | "az" | "azure", _)) => "az",
        Some(("file", _)) | None => "local",
        Some((scheme, _)) => scheme,
    }
}

/// A time as typed; an error names the setting.
pub(crate) fn optional_instant(setting: &str, text: Option<&str>) -> Result<Option<i64>> {
    let now = chrono::Utc::now().timestamp_micros();
    let parse = |text| config::parse_instant(text, now);
    text.map(parse).transpose().map_err(|problem| Error::Setting {
        setting: setting.into(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_as_they_are_measured() {
        for (url, name) in [
            ("./lake", "local"),
            ("file:///lake", "local"),
            ("s3://b/p", "s3"),
            ("abfss://c@a.dfs.core.windows.net/p", "az"),
        ] {
            assert_eq!(store_of(url), name);
        }
    }
}
