//! `retrohunt bench`

mod table;

use super::args::{check_writable, measurements_path};
use super::{Outcome, output};
use crate::bench::{self, Bench, Progress, Stop};
use crate::capacity::Model;
use crate::config::Resources;
use crate::error::{Error, Result};
use crate::report::human::bytes;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Measure this machine: ingest, hunts, needles, compaction, ticks, its limits
///
/// Generates tenants of several sizes in a temporary folder, stores them and
/// asks of them what is asked of a lake, each work several times, in turns.
/// `retrohunt plan` computes from what is measured. A size that the model was
/// not fitted on is measured as well, and how far the model is off is printed.
/// Measure on a machine that does nothing else: what is too noisy to conclude
/// from is said. It takes some minutes; --quick takes one, and says less.
///
/// Examples:
///
///   retrohunt bench
///
///   retrohunt bench --sizes 1M,3M,10M --validate 30M --workspace /data
///
///   retrohunt bench --store s3://bucket/prefix --report bench.html
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct BenchArgs {
    /// Events of the tenants that the model is fitted on: three or more
    /// [default: 50k,150k,500k]
    #[arg(long, value_name = "N,N,N", value_delimiter = ',', value_parser = number)]
    sizes: Vec<u64>,

    /// Events of tenants that it is held against; 0 for none [default: three
    /// times the largest of --sizes]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = number)]
    validate: Vec<u64>,

    /// Days that the events of each tenant are of [default: 30]
    #[arg(long, value_name = "N")]
    days: Option<u64>,

    /// Thread counts [default: 1 and --threads, else one per core]
    #[arg(long = "thread-counts", value_name = "N,N", value_delimiter = ',')]
    thread_counts: Vec<u16>,

    /// Repetitions of each work; what takes long is repeated three times, what
    /// is noisy up to three times as often [default: 5]
    #[arg(long, value_name = "N")]
    repeat: Option<u32>,

    /// Small sizes of 10 days, three repetitions and no more, nothing warmed up,
    /// and no other days to tell the cost of a file by
    #[arg(long)]
    quick: bool,

    /// Ids of built-in detections; without it, all that are enabled
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    detections: Vec<String>,

    /// Measure lakes below this URL as well, in an object store; they are
    /// removed at the end
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    store: Option<String>,

    /// Where logs and lakes are made, in a folder of their own; without it,
    /// where temporary files are
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,

    /// Leave that folder there
    #[arg(long)]
    keep: bool,

    /// Seed of the tenants
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Where to write what was measured; without it, where `plan` looks:
    /// bench.json in $XDG_DATA_HOME/retrohunt or in ~/.local/share/retrohunt
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write an HTML page as well, with plots, which needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// How to print it
    #[arg(long, value_enum, default_value_t = BenchFormat::Table)]
    format: BenchFormat,
}

/// Forms of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BenchFormat {
    /// For people
    Table,
    /// What is written to the file
    Json,
}

/// `100000`, `100_000`, `100k`, `1.5M`
fn number(text: &str) -> Result<u64, String> {
    let digits = text.trim().replace('_', "");
    let (digits, factor) = match digits.char_indices().last() {
        Some((at, 'k' | 'K')) => (&digits[..at], 1e3),
        Some((at, 'm' | 'M')) => (&digits[..at], 1e6),
        Some((at, 'g' | 'G')) => (&digits[..at], 1e9),
        _ => (digits.as_str(), 1.0),
    };
    let number: Option<f64> = digits.parse().ok();
    let number = number.map(|number| (number * factor).round());
    match number {
        Some(number) if (0.0..=1e12).contains(&number) => Ok(number as u64),
        _ => Err("write a number of events, such as 300k or 1M".to_owned()),
    }
}

impl BenchArgs {
    fn bench(&self, workspace: &Path, resources: Resources) -> Result<Bench> {
        let (sizes, validate, repeat) = match self.quick {
            true => ([10_000, 30_000, 100_000], 300_000, 3),
            false => ([50_000, 150_000, 500_000], 1_500_000, 5),
        };
        let sizes = if self.sizes.is_empty() {
            sizes.to_vec()
        } else {
            self.sizes.clone()
        };
        let validate = match self.validate.as_slice() {
            [0] => Vec::new(),
            [] if self.sizes.is_empty() => vec![validate],
            // As far beyond what was measured as plans are judged by.
            [] => vec![sizes.last().copied().unwrap_or_default() * 3],
            given => given.to_vec(),
        };
        let threads = match self.thread_counts.as_slice() {
            [] if resources.threads > 1 => vec![1, resources.threads],
            [] => vec![1],
            given => given.iter().map(|threads| usize::from(*threads)).collect(),
        };
        for threads in &threads {
            Resources::new(resources.memory_limit, *threads).map_err(|_| Error::Setting {
                setting: "--thread-counts".into(),
                problem: "must be from 1 to 1024".into(),
            })?;
        }
        let program = std::env::current_exe().map_err(|source| Error::File {
            path: "retrohunt".into(),
            source,
        })?;
        let bench = Bench {
            program,
            workspace: workspace.to_owned(),
            store: self.store.clone(),
            sizes,
            validate,
            days: self.days.unwrap_or(if self.quick { 10 } else { 30 }),
            threads,
            repeat: self.repeat.unwrap_or(repeat),
            quick: self.quick,
            detections: self.detections.clone(),
            seed: self.seed,
            resources,
        };
        bench.check()?;
        Ok(bench)
    }

    /// Where measurements go. Nobody has made the usual folder yet.
    fn output(&self) -> Result<PathBuf> {
        if let Some(path) = &self.output {
            return Ok(path.clone());
        }
        let path = measurements_path().map_err(|_| Error::Setting {
            setting: "--output".into(),
            problem: "without it the measurements are below XDG_DATA_HOME or HOME, and neither is set".into(),
        })?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        }
        Ok(path)
    }

    /// A folder of its own, which is removed with all that is in it.
    fn workspace(&self) -> Result<TempDir> {
        let within = self.workspace.clone().unwrap_or_else(std::env::temp_dir);
        let within = match std::fs::create_dir_all(&within).and_then(|()| within.canonicalize()) {
            Ok(within) => within,
            Err(source) => return Err(failed(&within, source)),
        };
        let made = tempfile::Builder::new().prefix("retrohunt-bench-").tempdir_in(&within);
        made.map_err(|source| failed(&within, source))
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}

/// A bar that says what is done; where there is none, a line now and then.
struct Bar {
    bar: ProgressBar,
    /// When a line was written last.
    told: Mutex<Instant>,
}

/// Time between two lines.
const SILENCE: Duration = Duration::from_secs(60);

/// Parts of the bar.
const PARTS: u64 = 10_000;

impl Bar {
    fn tell(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bar.is_hidden() && told.elapsed() >= SILENCE {
            *told = Instant::now();
            let percent = self.bar.position() * 100 / PARTS;
            output::note(format_args!("{percent} %, {}", self.bar.message()));
        }
    }
}

impl Progress for Bar {
    fn stage(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.tell();
    }

    fn done(&self, part: f64) {
        self.bar.set_position((part * PARTS as f64) as u64);
    }
}

pub(crate) async fn run(args: BenchArgs, resources: Resources) -> Result<Outcome> {
    // All that can be wrong is said before anything is made.
    args.bench(Path::new(""), resources)?;
    let path = args.output()?;
    check_writable(&path)?;
    if let Some(report) = &args.report {
        check_writable(report)?;
    }
    let workspace = args.workspace()?;
    let bench = args.bench(workspace.path(), resources)?;
    let (needed, free) = (bench::needed(&bench), bench::available(workspace.path())?);
    if let Some(free) = free.filter(|free| *free < needed) {
        return Err(Error::Setting {
            setting: "--workspace".into(),
            problem: format!(
                "{} has {} free, and up to {} are needed; give a folder on a larger disk, or smaller --sizes and \
                 --validate",
                args.workspace.clone().unwrap_or_else(std::env::temp_dir).display(),
                bytes(free),
                bytes(needed)
            ),
        });
    }
    let bar = output::part_bar(PARTS);
    let stop = Stop::default();
    let interrupted = Arc::clone(&stop);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    let progress = Bar {
        bar: bar.clone(),
        told: Mutex::new(Instant::now()),
    };
    let measured = bench::measure(&bench, &progress, &stop).await;
    watch.abort();
    bar.finish_and_clear();
    let kept = workspace.path().display().to_string();
    if args.keep {
        output::note(format_args!("logs and lakes are in {}", workspace.keep().display()));
    } else if let Err(error) = workspace.close() {
        output::note(format_args!("cannot remove {kept}: {error}"));
    }
    let run = measured?;
    let model = Model::of(&run);
    let json = run.to_json()?;
    std::fs::write(&path, &json).map_err(|source| failed(&path, source))?;
    if let Some(report) = &args.report {
        let command: Vec<String> = std::env::args()
            .skip(1)
            .map(|word| output::as_argument(&word))
            .collect();
        let page = bench::page(&run, &model, &format!("retrohunt {}", command.join(" ")))?;
        std::fs::write(report, page).map_err(|source| failed(report, source))?;
        output::note(format_args!("wrote {}", report.display()));
    }
    match args.format {
        BenchFormat::Json => output::data(&json)?,
        BenchFormat::Table => output::data(&table::shown(&run, &model, output::terminal_width()))?,
    }
    output::note(format_args!(
        "wrote {}, from which `retrohunt plan` computes",
        path.display()
    ));
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_events() {
        for (text, expected) in [
            ("100k", 100_000),
            ("1.5M", 1_500_000),
            ("2_000", 2000),
            ("0", 0),
            ("1G", 1_000_000_000),
        ] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        for text in ["", "k", "-1", "many", "1e99", "é"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
