//! `retrohunt ingest`

use super::args::LakeArgs;
use super::{Outcome, output};
use crate::config::Resources;
use crate::error::{Error, Result};
use crate::ingest::{IngestReport, IngestRequest, Recognised, Stop, Surveyed, ingest, survey};
use crate::report::human::counted;
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::task::JoinHandle;

/// Store logs in a lake: files, folders, globs; formats are recognised by content
///
/// Recognises by content: Management Activity API records and Unified Audit Log exports
/// (CSV, JSON), Entra logs as Azure Monitor, Graph and Log Analytics give them, Defender
/// advanced-hunting rows and streams, ECS documents and Elastic alerts; plain, in gzip, zstd, bzip2 or xz, and
/// in zip, 7z and tar archives, in any nesting. Events that are
/// there already are not stored again; what cannot be read is kept in the table
/// `quarantine` with the reason, and the exit code is 3.
#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    /// Files, folders (with everything below them) or quoted glob patterns, on a disk or in a
    /// store: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Read files again that this lake has ingested before
    #[arg(long)]
    again: bool,

    /// Store nothing: print what each file, and each member of an archive, is recognised as,
    /// by which keys, and what would be rejected
    #[arg(long, conflicts_with = "again")]
    dry_run: bool,

    /// Do not store the audit record inside RawEventData of CloudAppEvents, and that of a row
    /// of OfficeActivity, as an event of o365.audit of its own
    #[arg(long)]
    no_unwrap: bool,

    /// How to print the counts
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

/// Forms of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

pub(crate) async fn run(args: IngestArgs, resources: Resources) -> Result<Outcome> {
    if args.dry_run {
        return dry_run(args, resources).await;
    }
    let lake = args.lake.lake()?;
    let request = IngestRequest {
        paths: args.paths,
        memory_limit: resources.memory_limit,
        threads: resources.threads,
        again: args.again,
        unwrap: !args.no_unwrap,
    };
    let bar = Arc::new(output::BytesBar::new("ingesting"));
    let (stop, watch) = stopped_by_ctrl_c();
    let started = Instant::now();
    let report = ingest(&lake, request, Arc::clone(&bar) as _, stop).await;
    watch.abort();
    bar.finish();
    let report = match report {
        Err(Error::Interrupted) => {
            output::note(
                "interrupted: what was committed stays; run the same command again to ingest the rest, nothing is stored twice",
            );
            return Err(Error::Interrupted);
        }
        other => other?,
    };
    match args.format {
        SummaryFormat::Json => {
            let text = serde_json::to_string(&report).map_err(|e| Error::Internal(e.to_string()))?;
            output::data(&format!("{text}\n"))?;
        }
        SummaryFormat::Table => output::data(&summary(&report, &lake.display(), started.elapsed().as_secs_f64()))?,
    }
    Ok(if report.has_rejects() {
        Outcome::Incomplete
    } else {
        Outcome::Done
    })
}

fn stopped_by_ctrl_c() -> (Stop, JoinHandle<()>) {
    let stop = Stop::default();
    let interrupted = Arc::clone(&stop);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    (stop, watch)
}

async fn dry_run(args: IngestArgs, resources: Resources) -> Result<Outcome> {
    let bar = Arc::new(output::BytesBar::new("looking at"));
    let (stop, watch) = stopped_by_ctrl_c();
    let surveyed = survey(
        &args.paths,
        resources.memory_limit,
        resources.threads,
        !args.no_unwrap,
        Arc::clone(&bar) as _,
        stop,
    )
    .await;
    watch.abort();
    bar.finish();
    let surveyed = surveyed?;
    match args.format {
        SummaryFormat::Json => {
            let text = serde_json::to_string(&surveyed).map_err(|e| Error::Internal(e.to_string()))?;
            output::data(&format!("{text}\n"))?;
        }
        SummaryFormat::Table => output::data(&surveys(&surveyed))?,
    }
    let incomplete = |file: &Surveyed| !file.rejected.is_empty() || file.problem.is_some();
    Ok(if surveyed.iter().any(incomplete) {
        Outcome::Incomplete
    } else {
        Outcome::Done
    })
}

/// What files were recognised as, for people.
fn surveys(files: &[Surveyed]) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", file.path);
        for records in &file.records {
            let Recognised {
                count,
                format,
                by,
                dataset,
            } = records;
            let _ = writeln!(text, "  {count:>12} {dataset}, as {format}: by {by}");
        }
        for derived in &file.derived {
            let Recognised { count, dataset, by, .. } = derived;
            let _ = writeln!(text, "  {count:>12} {dataset}, derived from {by}");
        }
        for (why, count) in &file.skipped {
            let _ = writeln!(text, "  {count:>12} skipped: {why}");
        }
        for (why, count) in &file.rejected {
            let _ = writeln!(text, "  {count:>12} rejected: {why}");
        }
        if let Some(problem) = &file.problem {
            let _ = writeln!(text, "  {problem}");
        }
    }
    text
}

/// The counts for people.
pub(crate) fn summary(report: &IngestReport, lake: &str, seconds: f64) -> String {
    let mut text = String::new();
    let speed = report.bytes as f64 / 1e6 / seconds.max(0.001);
    let _ = writeln!(
        text,
        "{}, {} read into {lake} in {seconds:.1} s ({speed:.0} MB/s)",
        counted(report.files, "file", "files"),
        counted(report.read, "record", "records")
    );
    let _ = writeln!(text, "  {:>12} stored", report.stored);
    for (dataset, count) in &report.datasets {
        let _ = writeln!(text, "  {:>12}   {dataset}", count);
    }
    if report.derived + report.derived_duplicate > 0 {
        let _ = writeln!(
            text,
            "  {:>12} derived: audit records carried by others ({} more were there already)",
            report.derived, report.derived_duplicate
        );
    }
    let _ = writeln!(text, "  {:>12} duplicate", report.duplicate);
    let _ = writeln!(text, "  {:>12} rejected", report.rejected);
    for (reason, count) in &report.reasons {
        let _ = writeln!(text, "  {:>12}   {reason}", count);
    }
    if report.skipped > 0 {
        let _ = writeln!(text, "  {:>12} skipped (no events by their nature)", report.skipped);
    }
    let known = report.details.iter().filter(|file| file.already_ingested).count();
    if known > 0 {
        let _ = writeln!(
            text,
            "ingested before and not read again: {} (--again reads them)",
            counted(known as u64, "file", "files")
        );
    }
    for file in report.details.iter().filter(|file| file.problem.is_some()).take(20) {
        let problem = file.problem.as_deref().unwrap_or_default();
        // The system's number for what it also says in words.
        let problem = problem.split(" (os error ").next().unwrap_or(problem);
        let _ = writeln!(text, "{}: {problem}", file.path);
    }
    if report.bad_files > 20 {
        let _ = writeln!(
            text,
            "and {} more files with problems (--format json lists all)",
            report.bad_files - 20
        );
    }
    if report.rejected > 0 {
        let _ = writeln!(
            text,
            "What was rejected is kept: retrohunt sql \"SELECT source_file, reason, count(*) FROM quarantine GROUP BY 1, 2\" --lake {}",
            output::as_argument(lake)
        );
    }
    text
}
